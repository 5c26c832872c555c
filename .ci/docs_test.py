#!/usr/bin/env python3
"""Does what README's second screen and the pages of docs/ tell, with the unpacked package.

  .ci/docs_test.py BUILD [PAGE...]   BUILD: a folder with a finished build, build/dev
  .ci/docs_test.py --check-only      what needs no node

A console block is typed as it stands (console.py), but for this: `sudo` is left out, localhost:8080
becomes the node's address, and installing the package and starting the node were done already. A
page begins in an empty folder on a node without functions. A command fails if, and only if, a line
`subito: ` is shown below it. What a page does not want to be run stands in a block of another
language, one of LANGUAGES. Ends with 77 where a node cannot run."""

import fnmatch
import json
import os
import pathlib
import re
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True  # the source folder stays clean
import console  # noqa: E402
import unpacked  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SKIPPED = 77
PAGES_MAX = 21
COMMANDS_MAX = 6  # from the package to an answer, in README.md
COMMAND_SECONDS_MAX = 240  # a compiler on a busy machine
GENERATED = ("cli.md", "manifest.md")  # held by runtime/node/docs_test.cc
LANGUAGES = {"console", "text", "cpp", "yaml"}
TYPED = re.compile(r"^ {4,}(?:\$ |sudo |subito |curl |\./dev )", re.MULTILINE)
STAYS = re.compile(r"^subito dev | -w$| -f$")  # until Ctrl-C
DONE_BEFORE = re.compile(r"sudo systemctl start subito$|sudo subito up$")
LITERALS = re.compile(r'"\s*\n\s*"')  # one text in several literals
HEADER = "runtime/sdk/include/subito/function.h"
CALL_TYPE = re.compile(  # where the node refuses a call, or the SDK gives it up
    r'(?:return \{|failure_of\(\d+, |failure\.type = |refuse\([^;"]*, \d+, (?:\w+ \? )?|'
    r'CallError\()"([a-z-]+)"(?: : "([a-z-]+)")?')
PIECE_MIN = 4  # shorter pieces of a message are found anywhere


def pages(root=ROOT):
    return sorted((root / "docs").glob("*.md"))


def read(path):
    return path.read_text(encoding="utf-8")


def wrong_blocks(root):
    """Commands that look as if they were run, and are not."""
    for path in [root / "README.md", *pages(root)]:
        if path.name in GENERATED:
            continue
        for language, line, _ in console.fences(read(path)):
            if language not in LANGUAGES:
                yield f"{path.name}:{line}: a block of language '{language}'; write " \
                      f"{', '.join(sorted(LANGUAGES))}: console is run"
        for found in TYPED.finditer(read(path)):
            line = read(path).count("\n", 0, found.start()) + 1
            yield f"{path.name}:{line}: a command outside a block; write it in ```console"


def wrong_pages(root):
    """Pages that README.md does not name, or more than anybody reads."""
    if len(pages(root)) > PAGES_MAX:
        yield f"docs/: {len(pages(root))} pages, at most {PAGES_MAX}"
    for path in pages(root):
        if f"(docs/{path.name})" not in read(root / "README.md"):
            yield f"README.md: it does not name docs/{path.name}"


def code_of(root):
    """All that the programs may say, as one text."""
    sources = [path for folder in ("runtime", "deploy", "scheduler", "autoscaler", ".ci/lib")
               for path in sorted((root / folder).rglob("*"))
               if path.suffix in (".cc", ".h", ".sh") and not path.stem.endswith("_test")]
    return LITERALS.sub("", "\n".join(read(path) for path in sources)).replace('\\"', '"')


def wrong_messages(root):
    """What troubleshooting.md quotes in the first column of its tables and no program says."""
    code = code_of(root)
    for number, line in enumerate(read(root / "docs/troubleshooting.md").splitlines(), 1):
        if not line.startswith("| `"):
            continue
        for message in re.findall(r"`([^`]+)`", line.split(" | ")[0]):
            for piece in re.split("…|: ", message):  # where the programs put it together
                if len(piece.strip()) >= PIECE_MIN and piece.strip() not in code:
                    yield f"troubleshooting.md:{number}: no program says '{piece.strip()}'"


def wrong_call_types(root):
    """Why a call may fail and the header, the manual of CallError, does not tell."""
    told = read(root / HEADER).split("class CallError")[0]
    types = {name for folder in ("runtime/node", "runtime/sdk")
             for path in (root / folder).glob("*.cc") if not path.stem.endswith("_test")
             for names in CALL_TYPE.findall(read(path)) for name in names if name}
    for name in sorted(types):
        if not re.search(f"(?<![a-z-]){name}(?![a-z-])", told):
            yield f"function.h: it does not tell of the CallError '{name}'"


def faults(root=ROOT):
    return [*wrong_blocks(root), *wrong_pages(root), *wrong_messages(root),
            *wrong_call_types(root)]


class Reader:
    """One who types what a page tells."""

    def __init__(self, test, folder):
        self.test, self.folder, self.running = test, folder, []
        self.environment = {**test.environment, "no_proxy": "*"}

    def here(self, words):
        address = self.test.node.url.removeprefix("http://")
        words = words.replace("sudo ", "")
        port = address.rpartition(":")[2]
        # The host of a namespace stays.
        words = words.replace(".localhost:8080", f".localhost:{port}")
        return words.replace("localhost:8080", address)

    def read(self, blocks):
        try:
            for command in (command for block in blocks for command in block):
                if wrong := self.type(command):
                    return f"line {command.line}: $ {command.words}\nexpected:\n" + \
                        "\n".join(command.expected) + f"\ncame:\n{wrong}"
        finally:
            for running in self.running:
                running.end(COMMAND_SECONDS_MAX)
        return None

    def type(self, command):
        """What came instead of what is expected, or None."""
        if command.words is None:
            return self.goes_on(command.expected)
        if command.words.startswith(console.INSTALL):
            made = f"{console.INSTALL}./build/package/{self.test.package.file.name}"
            return None if fnmatch.fnmatch(made, command.words) else f"it is {made}"
        if DONE_BEFORE.match(command.words):
            return None
        words = self.here(command.words)
        if STAYS.search(words):
            self.running.append(console.Running(words, self.folder, self.environment))
            return self.goes_on(command.expected)
        good, said = console.shell(words, self.folder, COMMAND_SECONDS_MAX, self.environment)
        refused = any(re.match(r"subito: (?!warning)", line) for line in command.expected)
        right = good != refused and console.matches(command.expected, said)
        return None if right else said or "nothing"

    def goes_on(self, expected):
        if not self.running:
            return "nothing runs that could print it"
        good, said = self.running[-1].says(expected, COMMAND_SECONDS_MAX)
        return None if good else said or "nothing"


class PagesTest(unpacked.NodeTest):
    """One node for all of them."""

    only = ()  # names of pages, none: all

    def forget_functions(self):
        listed = self.do("subito", "get", "functions", "-o", "json")
        for function in json.loads(listed)["items"]:
            self.do("subito", "delete", function["name"])

    def follow(self, name, blocks):
        folder = self.work / name
        folder.mkdir()
        begun = time.monotonic()
        wrong = Reader(self, folder).read(blocks)
        commands = sum(command.words is not None for block in blocks for command in block)
        print(f"{name}: {commands} commands, {time.monotonic() - begun:.1f} s", flush=True)
        self.forget_functions()
        if wrong:
            self.fail(f"{name}, {wrong}")

    def test_readme_goes_from_the_package_to_an_answer(self):
        blocks = [block for block in console.console_blocks(read(ROOT / "README.md"))
                  if (block[0].words or "").startswith(console.INSTALL)]
        self.assertEqual(len(blocks), 1, "README.md: one block installs the package")
        self.assertLessEqual(len(blocks[0]), COMMANDS_MAX)
        self.assertIn("curl", blocks[0][-1].words)
        self.assertNotEqual(blocks[0][-1].expected, [], "its answer is shown")
        self.follow("README.md", blocks)

    def test_every_page_does_what_it_tells(self):
        for path in pages():
            if path.name in GENERATED or (self.only and path.name not in self.only):
                continue
            blocks = console.console_blocks(read(path))
            if blocks:
                with self.subTest(path.name):
                    self.follow(path.name, blocks)


class CheckTest(unittest.TestCase):
    """What stands in the pages, and what they may hold."""

    def test_the_pages_hold_no_fault(self):
        self.assertEqual(faults(), [])

    def tree(self, **pages_of):
        """A small tree without a fault, but for the pages given."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root = pathlib.Path(folder.name)
        texts = {"docs/a.md": "```console\n$ subito x\n```\n```text\n$ y\n```\n",
                 "docs/troubleshooting.md": "| `reach … at: nobody listens` | x |\n",
                 "README.md": "(docs/a.md) (docs/troubleshooting.md)\n",
                 "runtime/a.cc": 'say("reach node at " + x + ": nobody "\n    "listens");\n',
                 "runtime/node/a.cc": 'refuse(pod.id, 403,\n  deep ? "deep" : "forbidden");\n',
                 HEADER: "// forbidden, deep\nclass CallError {\n",
                 **pages_of}
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        return root

    def test_each_fault_is_found(self):
        self.assertEqual(faults(self.tree()), [])
        for name, text, fault in (
                ("docs/a.md", "```sh\nsubito x\n```\n", "a.md:1: a block of language 'sh'"),
                ("docs/a.md", "\n    subito x\n", "a.md:2: a command outside a block"),
                ("docs/b.md", "", "README.md: it does not name docs/b.md"),
                ("docs/troubleshooting.md", "| `nobody hears` | x |\n",
                 "troubleshooting.md:1: no program says 'nobody hears'"),
                ("runtime/sdk/a.cc", 'throw CallError("too-many");\n',
                 "function.h: it does not tell of the CallError 'too-many'")):
            with self.subTest(fault):
                wrong, = faults(self.tree(**{name: text}))
                self.assertIn(fault, wrong)
        many = {f"docs/{n}.md": "" for n in range(PAGES_MAX)}
        self.assertIn(f"docs/: {PAGES_MAX + 2} pages, at most {PAGES_MAX}",
                      faults(self.tree(**many)))

    def test_blocks_are_commands_and_what_they_print(self):
        text = "```console\n$ a b\none\n$ c\n```\n```text\n$ no\n```\n```console\nmore\n```\n"
        told = [[(one.words, one.line, one.expected) for one in block]
                for block in console.console_blocks(text)]
        self.assertEqual(told, [[("a b", 2, ["one"]), ("c", 4, [])], [(None, 10, ["more"])]])

    def test_dots_stand_for_anything_and_nothing_else_does(self):
        for expected, output, right in (
                (["a … c"], "a b c", True), (["a … c"], "a b\nc", False),
                (["a", "c"], "a\nb\nc", False), (["a", "…", "c"], "a\nb\nb\nc", True),
                (["a", "…", "c"], "a\nc", True), (["a.c"], "abc", False), ([], "a", True),
                (["a"], "", False)):
            with self.subTest(expected=expected, output=output):
                self.assertEqual(console.matches(expected, output), right)

    def test_a_command_that_stays_is_read_on_where_it_was_left(self):
        running = console.Running("bash -c 'echo a; echo b; echo a; exec sleep 1000'", ".")
        self.addCleanup(running.end, COMMAND_SECONDS_MAX)
        for expected in (["a"], ["b", "a"]):
            self.assertTrue(running.says(expected, COMMAND_SECONDS_MAX)[0])
        self.assertFalse(running.says(["a"], 0)[0])


def main():
    if "--check-only" in sys.argv:
        sys.argv[1:] = ["CheckTest"]
        unittest.main(verbosity=2)
    if reason := unpacked.why_not_here():
        print(f"SKIPPED: {reason}")
        sys.exit(SKIPPED)
    PagesTest.only = tuple(os.path.basename(name) for name in sys.argv[2:])
    with unpacked.made(sys.argv[1]):
        result = unittest.main(argv=sys.argv[:1], verbosity=2, exit=False).result
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
