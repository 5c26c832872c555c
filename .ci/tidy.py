#!/usr/bin/env python3
"""Holds the house style where a machine can.

  .ci/tidy.py [--root DIR] [--rules]

Prints path:line: rule: what is wrong, and exits 1 if there is any; a warning does not fail. Needs
the standard library alone. tidy_test.py shows that each rule can fail; floors.py says who may
include whom."""

import argparse
import os
import re
import sys
from dataclasses import dataclass

sys.dont_write_bytecode = True  # the source folder stays clean
import cpp_scan  # noqa: E402
import floors  # noqa: E402
import links  # noqa: E402

COLUMNS_MAX = 100
FILE_LINES_MAX = 500
FILE_LINES_WARN = 300
FUNCTION_LINES_MAX = 60
COMPLEXITY_MAX = 15
README_LINES_MAX = 60

TOP_FOLDERS = {"runtime", "functions", "scheduler", "autoscaler", "deploy", "bench", "docs"}
NOT_OURS = {"build", "install", "__pycache__"}  # besides hidden folders, of which .ci is ours

CPP = (".h", ".cc")
SOURCE = (*CPP, ".c", ".py", ".sh", ".proto", ".cmake", "CMakeLists.txt", "/dev", ".ci/run")
TEXT = (*SOURCE, ".md", ".yaml", ".yml", ".json", ".txt", ".html")

# In two halves, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
PRIVATE_PATH = re.compile(r"(?<![\w.])/(?:work|Users|home/[a-z]+)/[\w.]")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


@dataclass
class Finding:
    path: str
    line: int
    rule: str
    message: str
    warning: bool = False

    def __str__(self):
        grade = " (warning)" if self.warning else ""
        return f"{self.path}:{self.line}: {self.rule}{grade}: {self.message}"


class File:
    """A file as the rules see it: path from the root, text, and for C++ the text without
    comments and literals, made once."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.cpp = path.endswith(CPP) or path.endswith(".c")
        self.header = path.endswith(".h")
        self.code = cpp_scan.blank(text) if self.cpp else ""
        self.includes = [
            (line_at(text, m.start(2)), m.group(1), m.group(2)) for m in INCLUDE.finditer(text)
        ] if self.cpp else []

    def ends_with(self, endings):
        return ("/" + self.path).endswith(tuple(endings))


def line_at(text, position):
    return text.count("\n", 0, position) + 1


# Rules of one file: a generator of (line, message); the name of the function is the rule's.


def width(file):
    """no line of source over 100 columns"""
    if file.ends_with(SOURCE):
        for number, line in enumerate(file.lines, 1):
            if len(line) > COLUMNS_MAX:
                yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def file_length(file):
    """no file of source over 500 lines; over 300 a warning. Comments of a .proto do not count: they
    are a page for users"""
    lines = file.text.splitlines()
    if file.path.endswith(".proto"):
        lines = [line for line in lines if not line.lstrip().startswith("//")]
    count = len(lines)
    if file.ends_with(SOURCE) and count > FILE_LINES_WARN:
        over = count > FILE_LINES_MAX
        limit = FILE_LINES_MAX if over else FILE_LINES_WARN
        yield 1, f"{count} lines, at most {limit}", not over


def function_length(file):
    """no function over 60 lines"""
    for f in cpp_scan.functions(file.text) if file.cpp else []:
        if f.lines > FUNCTION_LINES_MAX:
            yield f.first_line, f"{f.name} has {f.lines} lines, at most {FUNCTION_LINES_MAX}"


def complexity(file):
    """no function of cyclomatic complexity over 15, its lambdas included"""
    for f in cpp_scan.functions(file.text) if file.cpp else []:
        if f.complexity > COMPLEXITY_MAX:
            yield f.first_line, f"{f.name} has {f.complexity}, at most {COMPLEXITY_MAX}"


def header_comment(file):
    """a header begins with a comment: what it is, who owns it, which thread it lives on"""
    if file.header and not re.match(r"//[^\n]*\w|/\*", file.text):
        yield 1, "a header begins with a comment that says what the thing is"


def pragma_once(file):
    """a header says #pragma once"""
    if file.header and not re.search(r"^#pragma once$", file.code, re.MULTILINE):
        yield 1, "#pragma once is missing"


def using_namespace(file):
    """no using namespace in a header"""
    if file.header:
        for m in re.finditer(r"\busing\s+namespace\b", file.code):
            yield line_at(file.code, m.start()), "using namespace in a header"


def coroutine(file):
    """no coroutines: g++ 12 miscompiles them"""
    for m in re.finditer(r"\bco_(?:await|return|yield)\b", file.code):
        yield line_at(file.code, m.start()), f"{m.group()}: g++ 12 miscompiles coroutines"


def unfinished(file):
    """nothing left open in the text"""
    for number, line in enumerate(file.lines, 1):
        if UNFINISHED.search(line):
            yield number, "finish it, or tell it in an issue: " + line.strip()[:60]


def private_path(file):
    """no path of somebody's own machine"""
    for number, line in enumerate(file.lines, 1):
        if PRIVATE_PATH.search(line):
            yield number, "a path of one machine: " + line.strip()[:60]


def include_path(file):
    """an include of ours is a full path from the root, in quotes"""
    if file.path.startswith(floors.FUNCTIONS):
        return
    for number, quote, target in file.includes:
        ours = target.split("/")[0] in TOP_FOLDERS
        if (quote == '"') != ours and not (quote == "<" and target.startswith("subito/")):
            yield number, f"{quote}{target}: ours in quotes by full path, others in <>"


def include_floor(file):
    """includes point downwards only (floors.py)"""
    if file.path.startswith(floors.FUNCTIONS):
        return
    for number, quote, target in file.includes:
        if target.startswith("subito/"):
            target = "runtime/sdk/include/" + target
        elif quote == "<" or target.split("/")[0] not in TOP_FOLDERS:
            continue
        reason = floors.may_include(file.path, target)
        if reason:
            yield number, reason


def sdk_public(file):
    """a public header of the SDK includes no internal one"""
    if file.path.startswith("runtime/sdk/include/"):
        for number, quote, target in file.includes:
            if quote == '"' or target.split("/")[0] in TOP_FOLDERS:
                yield number, f"{target} is internal; what functions see stands alone"


def function_include(file):
    """a function includes the SDK, nlohmann-json, its own folder, functions/shop and events"""
    parts = file.path.split("/")
    if not file.path.startswith(floors.FUNCTIONS) or not file.cpp:
        return
    own = tuple("/".join(parts[:n]) + "/" for n in range(2, len(parts))) + (
        floors.FUNCTIONS_SHARED,)
    for number, quote, target in file.includes:
        if re.fullmatch(floors.FUNCTION_EVENTS, target):
            continue
        if quote == '"' and "/" in target and not target.startswith(own):
            yield number, f"{target}: a function includes <subito/...> and its own folder only"
        elif quote == "<" and (re.fullmatch(floors.NOT_IN_FUNCTIONS, target)
                               or target.split("/")[0] in TOP_FOLDERS):
            yield number, f"{target}: a function depends on the SDK alone"


def pure(file):
    """the pure cores know no clock, libuv, file, thread, logger, environment or random device"""
    # A test may count with an atomic what its own operator new sees.
    allowed = r"(?:std::)?atomic\w*" if file.path.endswith("_test.cc") else r"(?!)"
    if not file.path.startswith(tuple(f + "/" for f in floors.PURE)):
        return
    for number, _, target in file.includes:
        if re.fullmatch(floors.IMPURE_HEADERS, target) and not re.fullmatch(allowed, target):
            yield number, f"{target} in a pure core"
    for m in re.finditer(floors.IMPURE_WORDS, file.code):
        if not re.fullmatch(allowed, m.group()):
            yield line_at(file.code, m.start()), f"{m.group().strip()} in a pure core"


def one_thread(file):
    """what the thread sanitizer does not look at has no threads"""
    if file.path.startswith(tuple(f + "/" for f in floors.ONE_THREAD)):
        for number, _, target in file.includes:
            if re.fullmatch(floors.THREAD_HEADERS, target):
                yield number, f"{target} in a folder without threads (.ci/floors.py)"


FILE_RULES = (width, file_length, function_length, complexity, header_comment, pragma_once,
              using_namespace, coroutine, unfinished, private_path, include_path, include_floor,
              sdk_public, function_include, pure, one_thread)

# Rules of the whole tree: a generator of (path, line, message).


def top_level(files):
    """the top level is fixed"""
    for folder in sorted({p.split("/")[0] for p in files if "/" in p}):
        if folder not in TOP_FOLDERS and not folder.startswith("."):
            yield folder, 1, "the top level holds " + ", ".join(sorted(TOP_FOLDERS))


def readme(files):
    """each folder has a README.md of one screen"""
    folders = set()
    for path in files:
        parts = path.split("/")[:-1]
        if parts and parts[0] in TOP_FOLDERS - {"docs"}:
            folders.update("/".join(parts[:n]) for n in range(1, min(len(parts), 2) + 1))
    for folder in sorted(folders):
        path = folder + "/README.md"
        if path not in files:
            yield path, 1, "missing: what it is, invariants, what is not in it"
        elif files[path].text.count("\n") > README_LINES_MAX:
            yield path, 1, f"over {README_LINES_MAX} lines: one screen is enough"


def link(files):
    """a link, and a path in a code span, leads to what is there"""
    def exists(path):
        # "runtime/node/engine" stands for its .h and .cc; a folder for what is in it.
        return path in files or path in files.others or any(
            other.startswith((path + "/", path + ".")) for other in (*files, *files.others))

    for path, file in files.items():
        if not path.endswith(".md"):
            continue
        for line, target in links.links_of(file.text):
            wrong = links.wrong_with(path, target, lambda there: files[there].text
                                     if there in files else "", exists)
            if wrong:
                yield path, line, wrong
        for line, target in links.paths_of(file.text, (*TOP_FOLDERS, ".ci")):
            if not exists(target):
                yield path, line, f"there is no {target}"


TREE_RULES = (top_level, readme, link)


class Tree(dict):
    """Files by path; of those that hold no text of ours the paths alone."""

    def __init__(self, files=()):
        super().__init__(files)
        self.others = set()


def read_tree(root):
    files = Tree()
    for folder, folders, names in os.walk(root):
        here = os.path.relpath(folder, root)
        folders[:] = sorted(f for f in folders if f not in NOT_OURS
                            and (not f.startswith(".") or f == ".ci"))
        for name in sorted(names):
            path = name if here == "." else f"{here}/{name}"
            if not ("/" + path).endswith(TEXT):
                files.others.add(path)
                continue
            try:
                with open(os.path.join(folder, name), encoding="utf-8") as f:
                    files[path] = File(path, f.read())
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # data, or an editor's file that has just gone
    return files


def check(files):
    findings = []
    for rule in FILE_RULES:
        for file in files.values():
            for line, message, *warning in rule(file):
                findings.append(Finding(file.path, line, rule.__name__, message, *warning))
    for rule in TREE_RULES:
        findings += [Finding(path, line, rule.__name__, message)
                     for path, line, message in rule(files)]
    return sorted(findings, key=lambda f: (f.path, f.line))


def main():
    parser = argparse.ArgumentParser(description="Holds the house style where a machine can.")
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--root", default=os.path.dirname(here))
    parser.add_argument("--rules", action="store_true", help="list the rules")
    options = parser.parse_args()
    if options.rules:
        for rule in FILE_RULES + TREE_RULES:
            print(f"{rule.__name__:18} {rule.__doc__}")
        return 0
    files = read_tree(options.root)
    findings = check(files)
    for finding in findings:
        print(finding)
    faults = sum(not f.warning for f in findings)
    print(f"tidy: {len(files)} files, {faults} faults, {len(findings) - faults} warnings")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
