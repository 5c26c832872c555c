#!/usr/bin/env python3
"""./dev as a person meets it, in a copy whose surroundings are stubs: apt-get, dpkg-query, cmake,
curl and a `subito` that does nothing. Needs no root, starts no service, listens on loopback."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 30
COMMANDS = ("setup", "build", "package", "up", "down", "test", "lint", "format", "docs", "clean")

# Waits until the test has made a file.
GATE = 'touch "$STATE/at-$1"; until [[ -e $STATE/go-$1 ]]; do sleep 0.02; done'
STUBS = {
    # Root in its own house.
    "sudo": 'while [[ ${1-} == -* ]]; do shift; done; exec "$@"',
    "dpkg-query": """
if [[ $* == *'${Package} '* ]]; then
  [[ -e $STATE/installed ]] || exit 1
  for word in "${@:3}"; do echo "$word installed"; done
elif [[ -e $STATE/installed ]]; then printf installed; else exit 1; fi""",
    "apt-get": """
case $* in
  *--print-uris*) echo "0 upgraded, 1 newly installed" ;;
  *install*)
    [[ ! -e $STATE/slow ]] || gate apt
    cp "$POLICY" "$STATE/policy-during" 2>/dev/null
    touch "$STATE/installed" ;;
esac""",
    "systemctl": 'echo "$@" >>"$STATE/systemctl"',
    "rm": '[[ ! -e $STATE/slow-rm || $* != *policy-rc.d* ]] || gate rm; exec /bin/rm "$@"',
    "cmake": "exit 0",
    "curl": '[[ -e $STATE/ready ]]',
    # Scripts of the stub node, which is a copy of bash: it is told from others by its executable.
    "up": """
echo "$@" >"$STATE/up"
[[ ! -e $STATE/slow-node ]] || gate node
trap 'rm "$STATE/ready"; exit 0' TERM
touch "$STATE/ready"
while :; do sleep 0.05; done""",
    "deploy": 'echo "$SUBITO_SOCKET" >"$STATE/deploy"',
}


class DevTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dev-test-")).resolve()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.root, self.state = self.folder / "checkout", self.folder / "state"
        self.policy = self.folder / "policy-rc.d"
        for folder in (self.state, self.folder / "stubs", self.root / "build/release/bin"):
            folder.mkdir(parents=True)
        self.copy_dev()
        for name, body in STUBS.items():
            stub = self.folder / "stubs" / name
            stub.write_text(f"#!/bin/bash\ngate() {{ {GATE}; }}\n{body.strip()}\n")
            stub.chmod(0o755)
        self.node = self.root / "build/release/bin/subito"
        shutil.copy("/bin/bash", self.node)
        self.environment = {
            "PATH": f"{self.folder}/stubs:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(self.folder),
            "STATE": str(self.state), "POLICY": str(self.policy), "LC_ALL": "C"}

    def copy_dev(self):
        """Paths of the machine become paths of the test."""
        shutil.copytree(ROOT / ".ci", self.root / ".ci")
        for name in ("dev", "CMakePresets.json"):
            shutil.copy(ROOT / name, self.root / name)
        release = self.folder / "os-release"
        release.write_text("ID=debian\nVERSION_ID=12\n")
        setup = self.root / ".ci/lib/setup.sh"
        setup.write_text(setup.read_text().replace("/usr/sbin/policy-rc.d", str(self.policy))
                         .replace("/etc/os-release", str(release)))

    def start(self, *arguments, **environment):
        """./dev in a session of its own, so that a test may press Ctrl-C there."""
        process = subprocess.Popen(
            [self.root / "dev", *arguments], cwd=self.folder, env={**self.environment,
                                                                   **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT,
                                                                     signal.default_int_handler))
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        """Whatever is left of its group."""
        for name in ("apt", "rm", "node"):
            (self.state / f"go-{name}").touch()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)
        process.stdout.close()

    def finish(self, process, status):
        said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        self.assertEqual(process.returncode, status, said)
        return said

    def dev(self, *arguments, status=0, **environment):
        return self.finish(self.start(*arguments, **environment), status)

    def wait_for(self, condition, what):
        end = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), end, f"no {what}")
            time.sleep(0.02)

    def at(self, gate):
        self.wait_for((self.state / f"at-{gate}").exists, gate)

    def go(self, gate):
        (self.state / f"go-{gate}").touch()

    def press_ctrl_c(self, process):
        os.killpg(process.pid, signal.SIGINT)

    def nodes(self):
        """Stub nodes that live."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "exe") == str(self.node):
                    found.append(int(entry.name))
            except OSError:
                pass
        return found

    def install(self):
        (self.state / "installed").touch()


class Help(DevTest):
    def test_every_command_has_help_and_refuses_what_it_does_not_know(self):
        overview = self.dev("--help")
        for command in COMMANDS:
            self.assertIn(f"./dev {command} ", overview)
            self.assertTrue(self.dev(command, "--help").startswith(f"./dev {command}"))
            if command not in ("format", "docs", "clean"):  # those take names of files and presets
                said = self.dev(command, "--nonsense", status=2)
                self.assertIn(f"see ./dev {command} --help", said)
        self.assertIn("there is no such command", self.dev("dance", status=1))
        self.assertIn("it needs a value", self.dev("up", "--port", status=2))


class Setup(DevTest):
    def test_installs_with_services_forbidden_and_puts_the_policy_back(self):
        self.policy.write_text("#!/bin/sh\nexit 0\n")
        self.policy.chmod(0o755)
        said = self.dev("setup", "--yes")
        self.assertIn("every package is there", said)
        self.assertIn("exit 101", (self.state / "policy-during").read_text())
        self.assertEqual(self.policy.read_text(), "#!/bin/sh\nexit 0\n")
        self.assertIn("disable redis-server.service", (self.state / "systemctl").read_text())

    def test_no_service_of_the_tests_starts_at_boot_either(self):
        self.dev("setup", "--tests", "--yes")
        said = (self.state / "systemctl").read_text()
        for service in ("redis-server", "prometheus"):
            self.assertIn(f"disable {service}.service", said)

    def test_a_signal_waits_for_apt_and_then_the_policy_is_removed(self):
        (self.state / "slow").touch()
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)):
            for name in ("at-apt", "go-apt", "installed"):
                (self.state / name).unlink(missing_ok=True)
            process = self.start("setup", "--yes")
            self.at("apt")
            os.kill(process.pid, number)
            self.assertTrue(self.policy.exists(), "while apt-get runs")
            self.go("apt")
            self.finish(process, status)
            self.assertFalse(self.policy.exists())

    def test_a_second_signal_does_not_cut_restoring_off(self):
        for name in ("slow", "slow-rm"):
            (self.state / name).touch()
        process = self.start("setup", "--yes")
        self.at("apt")
        os.kill(process.pid, signal.SIGINT)
        self.go("apt")
        self.at("rm")
        os.kill(process.pid, signal.SIGINT)
        os.kill(process.pid, signal.SIGTERM)
        self.go("rm")
        self.finish(process, 130)
        self.assertFalse(self.policy.exists())
        self.assertIn("disable redis-server.service", (self.state / "systemctl").read_text())

    def test_the_next_one_removes_what_a_killed_one_left(self):
        (self.state / "slow").touch()
        self.policy.write_text("#!/bin/sh\nexit 0\n")
        self.policy.chmod(0o755)
        process = self.start("setup", "--yes")
        self.at("apt")
        self.dev("build", status=1)  # asks; of one that runs it leaves everything alone
        self.assertIn("made by ./dev setup", self.policy.read_text())
        process.kill()
        process.wait()
        self.go("apt")
        self.wait_for((self.state / "installed").exists, "end of apt-get")
        self.assertIn("a setup that was killed had left it", self.dev("build"))
        self.assertEqual(self.policy.read_text(), "#!/bin/sh\nexit 0\n")
        self.assertNotIn("killed", self.dev("setup"))


class Up(DevTest):
    def setUp(self):
        super().setUp()
        self.install()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = str(free.getsockname()[1])
        self.data = self.root / ".subito"

    def open_shop(self, *arguments, **environment):
        process = self.start("up", "--port", self.port, *arguments, **environment)
        self.wait_for((self.state / "deploy").exists, "shop")
        self.wait_for(lambda: "Ctrl-C ends it" in process.stdout.readline(), "words")
        return process

    def test_ctrl_c_ends_all_and_the_data_stay(self):
        process = self.open_shop()
        (self.data / "precious").touch()
        self.assertEqual(len(self.nodes()), 1)
        self.press_ctrl_c(process)
        self.finish(process, 130)
        self.assertEqual(self.nodes(), [])
        self.assertFalse((self.state / "ready").exists(), "it was asked, not killed")
        self.assertTrue((self.data / "precious").exists())
        self.assertIn("no node runs", self.dev("down"))
        self.assertTrue((self.data / "precious").exists())
        self.assertIn("removed", self.dev("down", "--purge"))
        self.assertFalse(self.data.exists())

    def test_the_node_ends_when_the_script_is_killed(self):
        if os.geteuid() != 0:
            self.skipTest("sudo stands between")
        process = self.open_shop()
        process.kill()
        self.wait_for(lambda: not self.nodes(), "end of the node")

    def test_ctrl_c_before_the_node_has_come_up_ends_it_too(self):
        (self.state / "slow-node").touch()
        process = self.start("up", "--port", self.port)
        self.at("node")
        self.press_ctrl_c(process)
        self.go("node")
        self.finish(process, 130)
        self.assertEqual(self.nodes(), [])

    def test_its_socket_is_in_its_data_whatever_is_exported(self):
        process = self.open_shop("--data", str(self.folder / "d"), SUBITO_SOCKET="/elsewhere")
        expected = str(self.folder / "d/api.sock")
        self.assertIn(f"--socket {expected}", (self.state / "up").read_text())
        self.assertEqual((self.state / "deploy").read_text().strip(), expected)
        self.press_ctrl_c(process)
        self.finish(process, 130)

    def test_detached_it_runs_on_until_down(self):
        self.dev("up", "--detach", "--port", self.port)
        self.assertEqual(len(self.nodes()), 1)
        self.assertIn("one runs on", self.dev("up", "--port", self.port, status=1))
        self.assertIn("ended the node", self.dev("down"))
        self.assertEqual(self.nodes(), [])

    def test_names_who_has_the_port(self):
        with socket.create_server(("127.0.0.1", int(self.port))):
            said = self.dev("up", "--port", self.port, status=1)
        owner = rf"listen on port {self.port}: taken by python3\S* \(pid {os.getpid()}\)"
        self.assertRegex(said, owner)

    def test_a_folder_that_it_did_not_make_is_neither_used_nor_purged(self):
        foreign = self.folder / "home"
        foreign.mkdir()
        (foreign / "thesis").touch()
        said = self.dev("up", "--port", self.port, "--data", str(foreign), status=1)
        self.assertIn("it holds what ./dev up did not make", said)
        self.assertIn("did not make it", self.dev("down", "--purge", "--data", str(foreign),
                                                   status=1))
        self.assertEqual([entry.name for entry in foreign.iterdir()], ["thesis"])

    def test_an_empty_folder_is_as_good_as_none(self):
        empty = self.folder / "empty"
        empty.mkdir()
        self.dev("up", "--detach", "--port", self.port, "--data", str(empty))
        self.dev("down", "--purge", "--data", str(empty))
        self.assertFalse(empty.exists())


if __name__ == "__main__":
    unittest.main()
