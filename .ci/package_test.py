#!/usr/bin/env python3
"""The Debian package, from unpacking it to a function of one's own that answers.

  .ci/package_test.py BUILD    BUILD: a folder with a finished build, build/dev

Makes the package with cpack and unpacks it into a folder (nothing is installed on this machine).
With no other Subito on PATH it starts a node, writes a function from each template, builds, tests,
deploys, calls, edits and deploys it again. Ends with 77 where a node cannot run."""

import contextlib
import gzip
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SKIPPED = 77
PATIENCE_SECONDS = 30
BUILD_SECONDS_MAX = 240
COMMANDS_MAX = 6  # from the package to an answer, as deploy/package/README.md tells
TEMPLATES = {  # template: (function, request, answer, what is edited in its handler, then)
    "hello": ("hello", "/function/hello?name=you", "hello you\n", ("name + \"", "name + \"!"),
              "hello you!\n"),
    "redis": ("counter", "/function/counter/counters/a", "1\n",
              ("value.integer()", "-value.integer()"), "-2\n"),
    "calls": ("shouter", "/function/shouter?name=you", "HELLO YOU!\n", ("toupper", "tolower"),
              "hello you!\n"),
}
BUILD = None
package = None


def run(command, folder=None, environment=None, seconds=PATIENCE_SECONDS, status=0):
    done = subprocess.run(command, cwd=folder, env=environment, timeout=seconds, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != status:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def why_not_here():
    if os.geteuid() != 0:
        return "a node needs root"
    for program in ("redis-server", "cpack", "dpkg-deb", "dpkg-shlibdeps", "curl", "file"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    return None


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
            except BaseException:
                self.stop()
                print(self.log.read_text(encoding="utf-8"))
                raise
        self.url = re.search(r"ready at (\S+),", self.log.read_text(encoding="utf-8")).group(1)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def leftovers(node):
    """Processes that run a program of the package or work below it, cgroups of the node."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            places = [os.readlink(entry / "exe"), os.readlink(entry / "cwd")]
            if any(place.startswith(str(package.folder)) for place in places):
                found.append(f"process {entry.name} {places[0]}")
    data = node.data.stat()
    name = f"subito-{data.st_ino ^ data.st_dev << 40:x}"  # as runtime/node names it
    root = pathlib.Path("/sys/fs/cgroup")
    return found + [str(group) for group in (*root.glob(name), *root.glob("*/" + name))]


def setUpModule():
    """Makes the package once and unpacks it."""
    global package
    folder = pathlib.Path(tempfile.mkdtemp(prefix="subito-package-")).resolve()
    unittest.addModuleCleanup(shutil.rmtree, folder)
    package = Package(folder)


class Package:
    def __init__(self, folder):
        self.folder = folder
        run(["cpack", "--config", BUILD / "CPackConfig.cmake", "-B", folder / "made"],
            seconds=BUILD_SECONDS_MAX)
        self.file, = (folder / "made").glob("*.deb")
        run(["dpkg-deb", "-x", self.file, folder / "root"])
        self.usr = folder / "root/usr"
        self.environment = {"PATH": f"{self.usr}/bin:/usr/bin:/bin:/usr/sbin:/sbin",
                            "CMAKE_PREFIX_PATH": str(self.usr), "HOME": str(folder),
                            "LC_ALL": "C.UTF-8"}


class PackageTest(unittest.TestCase):
    """What is in it."""

    def setUp(self):
        self.usr = package.usr

    def test_holds_what_an_installation_is(self):
        for path in ("bin/subito", "lib/subito/subito-launcher", "lib/libsubito_sdk.a",
                     "lib/libsubito_testing.a", "include/subito/function.h",
                     "include/subito/testing.h", "lib/cmake/Subito/SubitoConfig.cmake",
                     "share/doc/subito/README.md", "share/doc/subito/copyright"):
            self.assertTrue((self.usr / path).is_file(), path)
        unit = (self.usr / "lib/systemd/system/subito.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/usr/bin/subito up --data /var/lib/subito\n", unit)
        self.assertNotIn("@", unit.replace("man:subito", ""))
        notices = (self.usr / "share/doc/subito/copyright").read_text(encoding="utf-8")
        for part in ("Apache License", "libuv", "hiredis", "protobuf", "llhttp"):
            self.assertIn(part, notices)

    def test_says_what_it_needs_and_starts_nothing(self):
        depends = run(["dpkg-deb", "-f", package.file, "Depends"])
        for name in ("g++", "cmake", "ninja-build | make", "libc6", "libuv1", "libsqlite3-0"):
            self.assertIn(name, depends)
        self.assertEqual(run(["dpkg-deb", "-f", package.file, "Recommends"]), "redis-server\n")
        control = package.folder / "control"
        run(["dpkg-deb", "-e", package.file, control])
        scripts = "".join((control / name).read_text(encoding="utf-8")
                          for name in ("postinst", "prerm", "postrm"))
        self.assertNotRegex(scripts, r"\b(re)?start\b|\benable\b")

    def test_the_archive_needs_nothing_but_libc(self):
        """Every symbol that our part refers to is in it or in what g++ links."""
        source = package.folder / "all.cc"
        source.write_text("#include <subito/function.h>\n"
                          "int main(int c, char** v) { return subito::serve(c, v, [](auto&, auto&)"
                          " { return subito::Response(); }); }\n", encoding="utf-8")
        run(["g++", "-std=c++20", source, self.usr / "lib/subito/no_name_service.o",
             "-I", self.usr / "include", "-L", self.usr / "lib", "-lsubito_sdk", "-static",
             "-Wl,--wrap=__cxa_throw", "-o", package.folder / "all"], seconds=BUILD_SECONDS_MAX)

    def test_manual_and_completion_come_with_the_command_that_writes_them(self):
        printed = run(["subito", "reference", "man"], environment=package.environment)
        manual = self.usr / "share/man/man1/subito.1.gz"
        self.assertEqual(gzip.decompress(manual.read_bytes()).decode(), printed)
        completion = self.usr / "share/bash-completion/completions/subito"
        run(["bash", "-n", completion])
        self.assertGreater(completion.stat().st_size, 0)


class NodeTest(unittest.TestCase):
    """With a node that runs."""

    def setUp(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=package.folder, prefix="work-"))
        self.node = Node(self.work, package.environment)
        self.addCleanup(self.end)
        self.environment = {**package.environment, "SUBITO_SOCKET": f"{self.node.data}/api.sock"}

    def end(self):
        self.assertEqual(self.node.stop(), 0)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while leftovers(self.node) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(leftovers(self.node), [])

    def do(self, *command, **options):
        return run(command, self.work, self.environment, BUILD_SECONDS_MAX, **options)

    def call(self, path, *options):
        return self.do("curl", "--noproxy", "*", "-s", *options, self.node.url + path)

    def edit(self, file, words):
        before = file.read_text(encoding="utf-8")
        after = before.replace(*words)
        self.assertNotEqual(before, after, f"{words[0]} is not in {file}")
        file.write_text(after, encoding="utf-8")


class WayTest(NodeTest):
    """From the package to functions that answer."""

    def test_from_the_package_to_an_answer(self):
        begun = time.monotonic()
        self.do("subito", "new", "hello")
        said = self.do("subito", "deploy", "hello/")
        url, = re.findall(r"^  curl -i (\S+)$", said, re.MULTILINE)
        self.assertEqual(self.do("curl", "--noproxy", "*", "-s", url), "hello world\n")
        # Besides these three: apt install, start the node.
        print(f"from a node to an answer: 3 commands of 5 (at most {COMMANDS_MAX}), "
              f"{time.monotonic() - begun:.1f} s, compiler included")

    def test_every_template_builds_answers_and_is_changed(self):
        for template, (name, path, answer, words, changed) in TEMPLATES.items():
            with self.subTest(template):
                method = ("-X", "POST") if template == "redis" else ()
                self.do("subito", "new", name, "--template", template)
                self.assertIn(f"{name} revision 1 is deployed", self.do("subito", "deploy",
                                                                         name + "/"))
                self.assertEqual(self.call(path, *method), answer)
                self.edit(self.work / name / f"{name}.cc", words)
                self.assertIn("revision 2 is deployed", self.do("subito", "deploy", name + "/"))
                self.assertEqual(self.call(path, *method), changed)

    def test_every_template_passes_its_own_test(self):
        for template, (name, *_) in TEMPLATES.items():
            with self.subTest(template):
                self.do("subito", "new", name, "--template", template)
                self.do("cmake", "-S", name, "-B", name + "/debug", "-DCMAKE_BUILD_TYPE=Debug")
                self.do("cmake", "--build", name + "/debug")
                self.assertIn("100% tests passed, 0 tests failed out of 1",
                              self.do("ctest", "--test-dir", name + "/debug"))

    def test_what_the_compiler_says_is_shown_and_the_old_revision_stays(self):
        self.do("subito", "new", "hello")
        self.do("subito", "deploy", "hello/")
        self.edit(self.work / "hello/hello.cc", ("return subito", "retrun subito"))
        said = self.do("subito", "deploy", "hello/", status=1)
        self.assertIn("hello.cc", said)
        self.assertIn("cmake --build ended with status", said)
        self.assertEqual(self.call("/function/hello"), "hello world\n")

    def test_in_the_folder_of_another_the_compiler_runs_as_its_owner(self):
        self.do("subito", "new", "hello")
        self.work.chmod(0o755)
        package.folder.chmod(0o755)
        owner = 65534
        for path in [self.work / "hello", *(self.work / "hello").iterdir()]:
            os.chown(path, owner, owner)
        self.do("subito", "deploy", "hello/")
        self.assertEqual((self.work / "hello/build/hello").stat().st_uid, owner)


class Dev:
    """`subito dev FOLDER` beside the test, what it says in a file."""

    def __init__(self, folder, work, environment):
        self.log = work / "dev.log"
        self.seen = 0
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(["subito", "dev", folder], cwd=work, env=environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def says(self, words):
        """Waits until it says so, behind what was waited for before; that line."""
        deadline = time.monotonic() + BUILD_SECONDS_MAX
        running = True
        while time.monotonic() < deadline and running:
            running = self.process.poll() is None  # what it says last is read once more
            said = self.log.read_text(encoding="utf-8")
            if found := re.compile(words + ".*").search(said, self.seen):
                self.seen = found.end()
                return found.group()
            time.sleep(0.01)
        raise AssertionError(f"it does not say {words!r}:\n"
                             + self.log.read_text(encoding="utf-8"))

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class DevTest(NodeTest):
    """`subito dev`: save, and the new answer is there."""

    def begin(self):
        self.do("subito", "new", "hello")
        dev = Dev("hello/", self.work, self.environment)
        self.addCleanup(dev.end)
        dev.says("watching hello/")
        return dev

    def test_a_save_is_a_new_answer_and_a_fault_is_none(self):
        dev = self.begin()
        source = self.work / "hello/hello.cc"
        self.assertEqual(self.call("/function/hello"), "hello world\n")
        dev.says("info greeted name=world")
        dev.says("hello-[0-9]+ GET / 200 waited .*, handler .*, (pooled|fresh) start")
        self.edit(source, ('name + "', 'name + "!'))
        dev.says("hello.cc changed, building")
        dev.says("hello rebuilt in .*, revision 2 answers after")
        self.assertEqual(self.call("/function/hello"), "hello world!\n")

        self.edit(source, ("return subito", "retrun subito"))
        dev.says("hello.cc:.* error: ")
        dev.says("hello revision 2 still answers")
        self.assertEqual(self.call("/function/hello"), "hello world!\n")
        self.edit(source, ("retrun subito", "return  subito"))
        dev.says("unchanged: hello revision 2 still answers")

        manifest = self.work / "hello/function.yaml"
        self.edit(manifest, ("timeout: 10s", "timeuot: 10s"))
        dev.says("function.yaml:9: .*timeuot")
        dev.says("hello revision 2 still answers")
        self.edit(manifest, ("timeuot: 10s", "timeout: 11s"))
        dev.says("revision 3 answers after")

        dev.process.send_signal(signal.SIGINT)
        dev.says("hello revision 3 stays deployed; delete it with: subito delete hello")
        self.assertEqual(dev.process.wait(PATIENCE_SECONDS), 0)
        self.assertEqual(self.call("/function/hello"), "hello world!\n")

    def test_ctrl_c_ends_the_compiler_with_it(self):
        dev = self.begin()
        with open(self.work / "hello/CMakeLists.txt", "a", encoding="utf-8") as project:
            project.write("add_custom_target(forever ALL sleep 1000.125)\n")
        dev.says("CMakeLists.txt changed")
        sleeping = ["pgrep", "-f", "^sleep 1000.125"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while subprocess.run(sleeping, stdout=subprocess.DEVNULL, check=False).returncode != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        dev.process.send_signal(signal.SIGINT)
        self.assertEqual(dev.process.wait(PATIENCE_SECONDS), 0)
        self.assertEqual(subprocess.run(sleeping, check=False).returncode, 1, "it goes on")

    def test_goes_on_when_the_node_is_back(self):
        dev = self.begin()
        self.assertEqual(self.node.stop(), 0)
        dev.says("waiting for the node at")
        self.edit(self.work / "hello/hello.cc", ('name + "', 'name + "!'))
        dev.says("hello.cc changed, building")
        self.node = Node(self.work, package.environment)
        dev.says("the node is back")
        dev.says("revision 2 answers after")
        self.assertEqual(self.call("/function/hello"), "hello world!\n")
        dev.says("hello-[0-9]+ GET / 200")


if __name__ == "__main__":
    reason = why_not_here()
    if reason:
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
