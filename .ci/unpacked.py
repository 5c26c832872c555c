"""The Debian package, unpacked into a folder, and a node that runs from there: what package_test.py
and docs_test.py stand on. Nothing is installed on this machine."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PATIENCE_SECONDS = 30
BUILD_SECONDS_MAX = 240
CGROUPS = pathlib.Path("/sys/fs/cgroup")


def run(command, folder=None, environment=None, seconds=PATIENCE_SECONDS, status=0):
    done = subprocess.run(command, cwd=folder, env=environment, timeout=seconds, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def why_not_here():
    """Why no node can run here, or None."""
    if os.geteuid() != 0:
        return "a node needs root"
    for program in ("redis-server", "cpack", "dpkg-deb", "dpkg-shlibdeps", "curl", "file"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


class Package:
    """Made by cpack in a build folder, then unpacked."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="subito-package-")).resolve()
        try:
            self.unpack()
        except BaseException:
            self.remove()
            raise
        self.environment = {"PATH": f"{self.usr}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                            "CMAKE_PREFIX_PATH": str(self.usr), "HOME": str(self.folder),
                            "LC_ALL": "C.UTF-8"}

    def unpack(self):
        run(["cpack", "--config", self.build / "CPackConfig.cmake", "-B", self.folder / "made"],
            seconds=BUILD_SECONDS_MAX)
        self.file, = (self.folder / "made").glob("*.deb")
        run(["dpkg-deb", "-x", self.file, self.folder / "root"])
        self.usr = self.folder / "root/usr"

    def remove(self):
        shutil.rmtree(self.folder)


@contextlib.contextmanager
def made(build):
    """The package of a build, for all tests of a NodeTest's kind."""
    NodeTest.package = Package(build)
    try:
        yield
    finally:
        NodeTest.package.remove()


class Node:
    """`subito up` of the unpacked package, its readiness told as systemd is told."""

    def __init__(self, folder, environment):
        self.data = folder / "data"
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (folder / "notify").unlink(missing_ok=True)
        told.bind(str(folder / "notify"))
        told.settimeout(PATIENCE_SECONDS)
        self.log = folder / "node.log"
        with told, open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["subito", "up", "--data", self.data, "--listen", "127.0.0.1:0"], stdout=log,
                stderr=log, env={**environment, "NOTIFY_SOCKET": str(folder / "notify")})
            try:
                assert told.recv(100) == b"READY=1"
                self.url = re.search(r"ready at (\S+),", self.said()).group(1)
            except BaseException:
                self.stop()
                print(self.said())
                raise

    def said(self):
        return self.log.read_text(encoding="utf-8")

    def cgroups(self):
        data = self.data.stat()
        name = f"subito-{data.st_ino ^ data.st_dev << 40:x}"  # as runtime/node names it
        return [str(group) for group in (*CGROUPS.glob(name), *CGROUPS.glob("*/" + name))]

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def leftovers(package, node):
    """Processes that run a program of the package or work below it, cgroups of the node."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            places = [os.readlink(entry / "exe"), os.readlink(entry / "cwd")]
            if any(place.startswith(str(package.folder)) for place in places):
                found.append(f"process {entry.name} {places[0]}")
    return found + node.cgroups()


class NodeTest(unittest.TestCase):
    """With a node that runs in a folder of its own, self.work. Nothing of it may stay."""

    package = None  # while made() lasts

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=self.package.folder, prefix="work-"))
        self.node = Node(self.work, self.package.environment)
        self.addCleanup(self.end)
        self.assertNotEqual(self.node.cgroups(), [], "what shall be gone later is not there now")
        self.environment = {**self.package.environment,
                            "SUBITO_SOCKET": f"{self.node.data}/api.sock"}

    def end(self):
        self.assertEqual(self.node.stop(), 0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while leftovers(self.package, self.node) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(leftovers(self.package, self.node), [])

    def do(self, *command, **options):
        return run(command, self.work, self.environment, BUILD_SECONDS_MAX, **options)

    def call(self, path, *options):
        return self.do("curl", "--noproxy", "*", "-s", *options, self.node.url + path)

    def edit(self, file, words):
        before = file.read_text(encoding="utf-8")
        after = before.replace(*words)
        self.assertNotEqual(before, after, f"{words[0]} is not in {file}")
        file.write_text(after, encoding="utf-8")
