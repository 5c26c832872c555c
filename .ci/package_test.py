#!/usr/bin/env python3
"""The Debian package, from unpacking it to a function of one's own that answers.

  .ci/package_test.py BUILD    BUILD: a folder with a finished build, build/dev

Makes the package with cpack and unpacks it into a folder (nothing is installed on this machine).
With no other Subito on PATH it starts a node, writes a function from each template, builds, tests,
deploys, calls, edits and deploys it again, and does what README.md and the pages of docs/ tell
(docs_test.py). Ends with 77 where a node cannot run."""

import fcntl
import gzip
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True  # the source folder stays clean
import docs_test  # noqa: E402
import unpacked  # noqa: E402
from unpacked import BUILD_SECONDS_MAX, PATIENCE_SECONDS, Node, NodeTest, run  # noqa: E402

SKIPPED = 77
TEMPLATES = {  # template: (function, request, answer, what is edited in its handler, then)
    "hello": ("hello", "/function/hello?name=you", "hello you\n", ("name + \"", "name + \"!"),
              "hello you!\n"),
    "redis": ("counter", "/function/counter/counters/a", "1\n",
              ("value.integer()", "-value.integer()"), "-2\n"),
    "calls": ("shouter", "/function/shouter?name=you", "HELLO YOU!\n", ("toupper", "tolower"),
              "hello you!\n"),
}


class PackageTest(unittest.TestCase):
    """What is in it."""

    def setUp(self):
        self.package, self.usr = NodeTest.package, NodeTest.package.usr

    def test_holds_what_an_installation_is(self):
        for path in ("bin/subito", "lib/subito/subito-launcher", "lib/libsubito_sdk.a",
                     "lib/subito/bench/measured", "lib/subito/bench/catalogue",
                     "lib/libsubito_testing.a", "include/subito/function.h",
                     "include/subito/testing.h", "lib/cmake/Subito/SubitoConfig.cmake",
                     "share/doc/subito/README.md", "share/doc/subito/docs/tutorial.md",
                     "share/doc/subito/copyright"):
            self.assertTrue((self.usr / path).is_file(), path)
        unit = (self.usr / "lib/systemd/system/subito.service").read_text(encoding="utf-8")
        self.assertIn("ExecStart=/usr/bin/subito up --data /var/lib/subito\n", unit)
        self.assertNotIn("@", unit.replace("man:subito", ""))
        notices = (self.usr / "share/doc/subito/copyright").read_text(encoding="utf-8")
        for part in ("Apache License", "libuv", "hiredis", "protobuf", "llhttp"):
            self.assertIn(part, notices)

    def test_says_what_it_needs_and_starts_nothing(self):
        depends = run(["dpkg-deb", "-f", self.package.file, "Depends"])
        for name in ("g++", "cmake", "ninja-build | make", "libc6", "libuv1", "libsqlite3-0"):
            self.assertIn(name, depends)
        recommended = run(["dpkg-deb", "-f", self.package.file, "Recommends"])
        self.assertEqual(recommended, "redis-server\n")
        control = self.package.folder / "control"
        run(["dpkg-deb", "-e", self.package.file, control])
        scripts = "".join((control / name).read_text(encoding="utf-8")
                          for name in ("postinst", "prerm", "postrm"))
        self.assertNotRegex(scripts, r"\b(re)?start\b|\benable\b")

    def test_programs_name_no_place_where_they_were_built(self):
        """CHECK names a file from the checkout on."""
        cache = (self.package.build / "CMakeCache.txt").read_text(encoding="utf-8")
        if "\nCMAKE_BUILD_TYPE:STRING=Release\n" not in cache:
            self.skipTest("SKIPPED: only what is built to be given away")
        source = re.search(r"^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$", cache, re.MULTILINE).group(1)
        for path in ("bin/subito", "lib/subito/subito-launcher"):
            held = (self.usr / path).read_bytes()
            self.assertIn(b"\0runtime/", held, path)
            self.assertNotIn(source.encode() + b"/", held, path)
            self.assertNotRegex(held, rb"\.\./(runtime|deploy|scheduler)/", path)

    @unittest.skipUnless(shutil.which("deb-systemd-helper"), "SKIPPED: no deb-systemd-helper")
    def test_a_purge_forgets_that_the_unit_was_enabled(self):
        root, control = self.package.folder / "installed", self.package.folder / "scripts"
        shutil.copytree(self.usr / "lib/systemd", root / "usr/lib/systemd")
        run(["dpkg-deb", "-e", self.package.file, control])
        environment = {**self.package.environment, "DPKG_ROOT": str(root),
                       "DPKG_MAINTSCRIPT_PACKAGE": "subito"}
        link = root / "etc/systemd/system/multi-user.target.wants/subito.service"
        run(["sh", control / "postinst", "configure"], environment=environment)
        self.assertFalse(link.is_symlink(), "an installation enables nothing")
        link.parent.mkdir(parents=True)  # as systemctl enable does
        link.symlink_to("/usr/lib/systemd/system/subito.service")
        shutil.rmtree(root / "usr")
        run(["sh", control / "postrm", "remove"], environment=environment)
        self.assertTrue(link.is_symlink(), "a removal may be followed by an installation")
        run(["sh", control / "postrm", "purge"], environment=environment)
        self.assertFalse(link.is_symlink())

    def test_a_purge_takes_the_data_unless_a_node_runs_there(self):
        root, control = self.package.folder / "kept", self.package.folder / "purge"
        run(["dpkg-deb", "-e", self.package.file, control])
        environment = {**self.package.environment, "DPKG_ROOT": str(root),
                       "DPKG_MAINTSCRIPT_PACKAGE": "subito"}
        data = root / "var/lib/subito"
        (data / "redis").mkdir(parents=True)
        run(["sh", control / "postrm", "remove"], environment=environment)
        self.assertTrue(data.is_dir(), "a removal may be followed by an installation")
        with open(data / "lock", "w", encoding="utf-8") as lock:  # as a node holds it
            fcntl.flock(lock, fcntl.LOCK_EX)
            said = run(["sh", control / "postrm", "purge"], environment=environment)
            self.assertIn("stays: a node runs there", said)
            self.assertTrue(data.is_dir())
        run(["sh", control / "postrm", "purge"], environment=environment)
        self.assertFalse(data.exists())
        run(["sh", control / "postrm", "purge"], environment=environment)

    def test_the_archive_needs_nothing_but_libc(self):
        """Every symbol that our part refers to is in it or in what g++ links."""
        source = self.package.folder / "all.cc"
        source.write_text("#include <subito/function.h>\n"
                          "int main(int c, char** v) { return subito::serve(c, v, [](auto&, auto&)"
                          " { return subito::Response(); }); }\n", encoding="utf-8")
        run(["g++", "-std=c++20", source, self.usr / "lib/subito/no_name_service.o",
             "-I", self.usr / "include", "-L", self.usr / "lib", "-lsubito_sdk", "-static",
             "-Wl,--wrap=__cxa_throw", "-o", self.package.folder / "all"],
            seconds=BUILD_SECONDS_MAX)

    def test_manual_and_completion_come_with_the_command_that_writes_them(self):
        printed = run(["subito", "reference", "man"], environment=self.package.environment)
        manual = self.usr / "share/man/man1/subito.1.gz"
        self.assertEqual(gzip.decompress(manual.read_bytes()).decode(), printed)
        completion = self.usr / "share/bash-completion/completions/subito"
        run(["bash", "-n", completion])
        self.assertGreater(completion.stat().st_size, 0)


class WayTest(NodeTest):
    """From the package to functions that answer."""

    def test_every_template_builds_answers_and_is_changed(self):
        for template, (name, path, answer, words, changed) in TEMPLATES.items():
            with self.subTest(template):
                method = ("-X", "POST") if template == "redis" else ()
                self.do("subito", "new", name, "--template", template)
                said = self.do("subito", "deploy", name + "/")
                self.assertRegex(said, f"building {name}/ \\.\\.\\.\n{name} revision 1 is deployed")
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
        self.package.folder.chmod(0o755)
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
        self.edit(source, ("retrun subito", "return subito"))
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

    def test_a_function_that_was_deleted_is_told_and_deployed_anew(self):
        dev = self.begin()
        self.do("subito", "delete", "hello")
        dev.says("hello was deleted; the next save deploys it anew")
        self.edit(self.work / "hello/hello.cc", ('name + "', 'name + "!'))
        dev.says("hello revision 1 is deployed")
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
        self.node = Node(self.work, self.package.environment)
        dev.says("the node is back")
        dev.says("revision 2 answers after")
        self.assertEqual(self.call("/function/hello"), "hello world!\n")
        dev.says("hello-[0-9]+ GET / 200")


class PagesTest(docs_test.PagesTest):
    """What the pages of docs/ and README.md tell."""


if __name__ == "__main__":
    if reason := unpacked.why_not_here():
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    with unpacked.made(sys.argv.pop(1)):
        result = unittest.main(verbosity=2, exit=False).result
    sys.exit(0 if result.wasSuccessful() else 1)
