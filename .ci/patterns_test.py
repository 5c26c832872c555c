#!/usr/bin/env python3
"""Brings every pattern of deploy/patterns up, checks it, and takes it down.

  .ci/patterns_test.py BUILD [TEST]    BUILD: a folder with a finished build, build/dev

Each pattern that this machine cannot run is skipped, and says why. Containers run in a Docker
daemon of the test's own, in a network namespace of its own. Nothing may be left: no process that
was begun, no folder, no network interface, no container. Ends with 77 where none can run."""

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
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATTERNS = ROOT / "deploy/patterns"
SKIPPED = 77
UP_SECONDS_MAX = 400  # five emulated machines on a busy host
PATIENCE_SECONDS = 30


def missing(*programs):
    for program, package in programs:
        if shutil.which(program) is None:
            return f"{program} is not installed (package {package})"
    return None


def why_not_here():
    return missing(("redis-server", "redis-server"), ("curl", "curl"), ("jq", "jq"))


def free_ports(count):
    """The first of so many ports in a row that nobody listens on."""
    for first in range(21080, 31000, 20):
        holders = []
        try:
            for port in range(first, first + count):
                holders.append(socket.socket())
                holders[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                holders[-1].bind(("127.0.0.1", port))
            return first
        except OSError:
            continue
        finally:
            for holder in holders:
                holder.close()
    raise AssertionError("no ports are free")


def processes_with(text):
    """Those whose environment or folder names `text`: all that a pattern began inherits the one;
    Redis, which writes its title over it, stands in the other."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            where = os.readlink(folder / "cwd").encode()
            if text.encode() in (folder / "environ").read_bytes() + where:
                found.append((int(folder.name), (folder / "cmdline").read_bytes()))
        except OSError:
            continue
    return [one for one in found if one[0] != os.getpid()]


class Docker:
    """A daemon of our own; its network is seen from inside its namespace alone, and what it leaves
    in /run from nowhere."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.host = f"unix://{self.folder}/d.sock"
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", "unshare", "-n", "-m", "sh", "-c",
             'mount -t tmpfs run /run && exec "$@"', "sh", "dockerd",
             "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec",
             "--pidfile", f"{folder}/pid", "--host", self.host],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def within(self):
        return ["nsenter", f"--net=/proc/{self.process.pid}/ns/net"]

    def ask(self, *words):
        return subprocess.run(["docker", "-H", self.host, *words], text=True, timeout=60,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)

    def why_not(self):
        """None once it answers, else why it does not."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            if self.ask("info").returncode == 0:
                subprocess.run([*self.within(), "ip", "link", "set", "lo", "up"], check=True)
                return None
            time.sleep(0.2)
        last = (self.folder / "log").read_text(errors="replace").strip().splitlines()[-1:]
        return f"dockerd does not run here: {' '.join(last)}"

    def end(self):
        self.process.terminate()
        self.process.wait(60)
        self.log.close()


class PatternsTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="subito-patterns-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state = os.path.join(self.folder, "state")
        self.environment = {**os.environ, "BUILD": str(self.build), "PATTERN_STATE": self.state,
                            "PORT": str(free_ports(16))}

    def script(self, pattern, name, within=(), status=0, words=()):
        done = subprocess.run([*within, PATTERNS / pattern / f"{name}.sh", *words],
                              env=self.environment, text=True, timeout=UP_SECONDS_MAX,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.assertEqual(done.returncode, status, f"{pattern}/{name}.sh: {done.stdout}")
        return done.stdout

    def walk(self, pattern, within=()):
        self.addCleanup(self.script, pattern, "down", within)  # also of what fails half way
        said = self.script(pattern, "up", within)
        line = re.fullmatch(r"shop=(http://\S+) orders=(http://\S+) pids=([\d,]+)",
                            said.strip().splitlines()[-1])
        self.assertTrue(line, said)
        for pid in line[3].split(","):
            self.assertTrue(os.path.exists(f"/proc/{pid}"), f"{pattern}: pid {pid}")
        self.assertIn("it is up", self.script(pattern, "up", within, status=1))
        self.assertRegex(self.script(pattern, "check", within),
                         rf"{pattern}: 5 products, order \S+ COMPLETED and in the history")
        if (PATTERNS / pattern / "release.sh").exists():
            self.change(pattern, within)
        self.script(pattern, "down", within)
        self.assertFalse(os.path.exists(self.state))
        self.assertEqual(processes_with(self.state), [])
        self.assertIn("run up.sh", self.script(pattern, "check", within, status=1))

    def change(self, pattern, within):
        """A service in place of itself, and where there is one a further instance."""
        self.assertIn("a service is one of",
                      self.script(pattern, "release", within, 1, ["nothing"]))
        self.assertIn("shop=", self.script(pattern, "release", within, 0, ["catalogue"]))
        self.assertIn("COMPLETED", self.script(pattern, "check", within))
        if (PATTERNS / pattern / "more.sh").exists():
            self.assertIn("2 to 10", self.script(pattern, "more", within, 1, ["11"]))
            said = self.script(pattern, "more", within, 0, ["2"])
            url = re.search(r"instance=(http://\S+)", said)[1]
            answer = subprocess.run([*within, "curl", "--noproxy", "*", "-sS", f"{url}/health"],
                                    text=True, timeout=PATIENCE_SECONDS, check=True,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout
            self.assertIn('"live":true', answer)

    def test_0_monolith(self):
        self.walk("0-monolith")

    def test_1_host(self):
        if os.geteuid() != 0:
            self.skipTest("network namespaces need root")
        reason = missing(("ip", "iproute2"), ("unshare", "util-linux"), ("nsenter", "util-linux"))
        if reason:
            self.skipTest(reason)
        self.walk("1-host")
        self.assertNotIn("subito-shop", os.listdir("/sys/class/net"))

    def test_2_processes(self):
        self.walk("2-processes")

    def test_2_processes_one_killed(self):
        self.addCleanup(self.script, "2-processes", "down")
        said = self.script("2-processes", "up")
        url = re.search(r"shop=(\S+)", said)[1]
        with open(os.path.join(self.state, "stock.pid"), encoding="utf-8") as file:
            os.kill(int(file.read().split()[0]), signal.SIGKILL)
        with urllib.request.urlopen(f"{url}/products", timeout=PATIENCE_SECONDS) as answer:
            self.assertIn('"degraded":true', answer.read().decode())
        self.assertIn("stock is away", self.script("2-processes", "check", status=1))

    def test_3_vm(self):
        reason = missing(("qemu-system-x86_64", "qemu-system-x86"), ("busybox", "busybox-static"),
                         ("apt-get", "apt"))
        if reason:
            self.skipTest(reason)
        self.walk("3-vm")

    def test_4_containers(self):
        if os.geteuid() != 0:
            self.skipTest("a Docker daemon needs root")
        reason = missing(("dockerd", "docker.io"), ("docker", "docker.io"))
        if not reason and subprocess.run(["docker", "compose", "version"], capture_output=True,
                                         check=False).returncode != 0:
            reason = missing(("docker-compose", "docker-compose"))
        if reason:
            self.skipTest(reason)
        folder = tempfile.mkdtemp(prefix="subito-docker-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        docker = Docker(folder)
        self.addCleanup(docker.end)
        reason = docker.why_not()
        if reason:
            self.skipTest(reason)
        self.environment["DOCKER_HOST"] = docker.host
        self.walk("4-containers", docker.within())
        for words in (("ps", "-aq"), ("images", "-q"),
                      ("network", "ls", "-q", "-f", "type=custom")):
            self.assertEqual(docker.ask(*words).stdout, "", words)

    def test_5_serverless(self):
        if os.geteuid() != 0:
            self.skipTest("a node needs root")
        self.walk("5-serverless")

    def test_what_is_not_there_is_named(self):
        self.environment["BUILD"] = self.folder
        self.assertIn("start " + self.folder, self.script("2-processes", "up", status=1))
        self.assertFalse(os.path.exists(self.state))

    def test_what_does_not_start_is_taken_down(self):
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # after a test before
            taken.bind(("127.0.0.1", int(self.environment["PORT"]) + 3))
            taken.listen()
            said = self.script("2-processes", "up", status=1)
        self.assertIn("start stock: it ended", said)
        self.assertFalse(os.path.exists(self.state))
        self.assertEqual(processes_with(self.state), [])


class LibraryTest(unittest.TestCase):
    """lib.sh by itself, with processes of the test's own: no build is needed."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="subito-patterns-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.state = os.path.join(self.folder, "state")
        self.environment = {**os.environ, "PATTERN_STATE": self.state}

    def run_words(self, *words):
        done = subprocess.run(words, env=self.environment, text=True, timeout=PATIENCE_SECONDS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout

    def bash(self, body):
        return self.run_words("bash", "-c",
                              f"PATTERN={PATTERNS}/2-processes; source $PATTERN/../lib.sh; {body}")

    def script(self, name, pattern="2-processes"):
        return self.run_words(PATTERNS / pattern / f"{name}.sh")

    def victim(self):
        """A process that a pid file of `state` names, as start() would write it."""
        process = subprocess.Popen(["sleep", "60"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        stat = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8")
        pathlib.Path(self.state, "x.pid").write_text(
            f"{process.pid} {stat.rpartition(') ')[2].split()[19]}\n", encoding="utf-8")
        return process

    def refused(self, folder, process):
        for name in ("up", "check", "down"):
            status, said = self.script(name)
            self.assertEqual(status, 1, said)
            self.assertIn(f"use {folder}: ", said)
        self.assertIsNone(process.poll(), "it was ended by a pid file that is not ours")
        self.assertTrue(os.path.exists(os.path.join(self.state, "x.pid")), "it was removed")

    def test_what_up_did_not_make_is_left_alone(self):
        os.mkdir(self.state)
        process = self.victim()
        self.refused(self.state, process)
        pathlib.Path(self.state, "pattern").write_text("0-monolith\n", encoding="utf-8")
        self.refused(self.state, process)

    def test_what_somebody_else_made_is_left_alone(self):
        if os.geteuid() != 0:
            self.skipTest("giving a folder away needs root")
        os.mkdir(self.state)
        pathlib.Path(self.state, "pattern").write_text("2-processes\n", encoding="utf-8")
        process = self.victim()
        for folder in (self.state, self.folder):
            os.chown(folder, 65534, 65534)
            self.refused(folder, process)
            os.chown(folder, 0, 0)

    def test_a_link_is_not_followed(self):
        os.mkdir(self.state)
        pathlib.Path(self.state, "pattern").write_text("2-processes\n", encoding="utf-8")
        process = self.victim()
        for link, state in ((self.folder + "/link", "/link"), (self.folder + "/up", "/up/state")):
            os.symlink(self.state if state == "/link" else self.folder, link)
            self.environment["PATTERN_STATE"] = self.folder + state + "/"
            self.refused(link, process)

    def test_root_has_a_folder_that_nobody_else_can_make(self):
        del self.environment["PATTERN_STATE"]
        self.environment["TMPDIR"] = self.folder
        parent = ("/var/lib/subito-patterns" if os.geteuid() == 0
                  else f"{self.folder}/subito-patterns-{os.geteuid()}")
        self.assertEqual(self.bash('echo "$STATE"'), (0, f"{parent}/2-processes\n"))

    def test_what_is_made_is_ours_alone(self):
        self.environment["PATTERN_STATE"] = self.folder + "/parent/state/"
        status, said = self.bash("umask 000; begin; trap - EXIT")
        self.assertEqual(status, 0, said)
        for folder in ("parent", "parent/state", "parent/state/redis"):
            self.assertEqual(os.stat(f"{self.folder}/{folder}").st_mode & 0o777, 0o700, folder)
        self.assertEqual(self.script("down"), (0, ""))
        self.assertEqual(os.listdir(self.folder + "/parent"), [])

    def test_what_ended_already_holds_up_no_down(self):
        gone = subprocess.Popen(["true"])
        gone.wait()
        status, said = self.bash(f"begin; trap - EXIT; echo '{gone.pid} ' >$STATE/a.pid; "
                                 f"echo '{gone.pid} 1' >$STATE/b.pid; : >$STATE/c.pid")
        self.assertEqual(status, 0, said)
        self.assertEqual(self.script("down"), (0, ""))
        self.assertFalse(os.path.exists(self.state))

    def test_what_ends_before_the_signal_holds_up_no_down(self):
        body = ("begin; trap - EXIT; start a true; start redis true; is_up() { [[ -e $1 && "
                "! -e $1.asked ]] && : >$1.asked; }; wait; stop_processes; forget")
        self.assertEqual(self.bash(body), (0, ""))

    def test_services_end_first_then_redis_then_the_switch(self):
        body = """begin; trap - EXIT
        for name in switch a redis b; do
          start "$name" bash -c 'trap "sleep 0.2; echo $1 >>$0/order; exit" TERM
                                 : >$0/$1.ready; while :; do sleep 0.05; done' "$STATE" "$name"
        done
        until [[ -e $STATE/switch.ready && -e $STATE/a.ready && -e $STATE/redis.ready &&
                 -e $STATE/b.ready ]]; do sleep 0.05; done
        stop_processes; cat "$STATE/order"; forget"""
        status, said = self.bash(body)
        self.assertEqual(status, 0, said)
        order = said.split()
        self.assertEqual((sorted(order[:2]), order[2:]), (["a", "b"], ["redis", "switch"]))

    def test_a_kernel_folder_of_somebody_is_not_emptied(self):
        precious = pathlib.Path(self.folder, "precious")
        precious.touch()
        self.environment["KERNEL_DIR"] = self.folder
        body = ("apt-cache() { echo '  Depends: linux-image-1-cloud-amd64'; }; "
                "apt-get() { return 1; }; source $PATTERN/../3-vm/vm.sh; fetch_kernel")
        status, said = self.bash(body)
        self.assertEqual(status, 1, said)
        self.assertIn(f"unpack a kernel in {self.folder}: it is there", said)
        self.assertTrue(precious.exists())
        (precious.parent / "vm-kernel").touch()  # a download that broke off
        status, said = self.bash(body)
        self.assertIn("download linux-image-1-cloud-amd64", said)
        self.assertFalse(precious.exists())

    def test_a_wire_of_somebody_is_not_unplugged(self):
        tools = pathlib.Path(self.folder, "bin")
        tools.mkdir()
        (tools / "ip").write_text(f"#!/bin/sh\necho $* >>{self.folder}/asked\n", encoding="utf-8")
        (tools / "ip").chmod(0o755)
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.assertEqual(self.script("down", "1-host"), (0, ""))
        self.assertFalse(os.path.exists(f"{self.folder}/asked"))

    def test_containers_of_somebody_are_not_made_anew(self):
        tools = pathlib.Path(self.folder, "bin")
        tools.mkdir()
        pathlib.Path(self.folder, "shop").mkdir()
        (tools / "docker").write_text('#!/bin/sh\n[ "$1" != ps ] || echo 4711\n',
                                      encoding="utf-8")
        (tools / "docker").chmod(0o755)
        self.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
        self.environment["BUILD"] = self.folder
        for service in ("catalogue", "stock", "payment", "checkout", "shopfront"):
            shutil.copy(tools / "docker", pathlib.Path(self.folder, "shop", service))
        status, said = self.script("up", "4-containers")
        self.assertEqual(status, 1)
        self.assertIn("there are containers of subito-shop", said)
        self.assertFalse(os.path.exists(self.state))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    PatternsTest.build = pathlib.Path(sys.argv.pop(1)).resolve()
    reason = why_not_here()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    result = unittest.main(verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    if len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
