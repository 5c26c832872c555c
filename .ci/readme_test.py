#!/usr/bin/env python3
"""Does what the README tells a new user to do, in a fresh clone, and compares what comes.

Every `$ ` line of a ```console block (console.py) is run, in order, as written, but for three
things: REPOSITORY is this checkout, `./dev up` gets a free port and --detach, and localhost:8080
becomes that port. The block that installs the package is left to docs_test.py. The shop must have
served a request FRESH_SECONDS_MAX after the clone. Takes the path of the checkout; --check-only
compares code and figures alone, which needs nothing."""

import os
import re
import shlex
import socket
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source folder stays clean
import console  # noqa: E402

UP_SECONDS_MAX = 1500  # a release build on a busy machine of two cores
FRESH_SECONDS_MAX = 300  # with the packages there, on two cores that have nothing else to do
COMMAND_SECONDS_MAX = 30
READING_SECONDS = 8  # a person reads on before typing: the pods that filled the shop sleep by then
WATCH_SECONDS_MAX = 90  # until a pod has started and fallen asleep


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def watch(command, folder, expected, poke):
    """Runs a command that does not end by itself until it printed what is expected."""
    running = console.Running(command, folder)
    try:
        time.sleep(0.5)  # so that it watches before there is something to see
        poke()
        return running.says(expected, WATCH_SECONDS_MAX)
    finally:
        running.end(COMMAND_SECONDS_MAX)


class Try:
    def __init__(self, root, folder):
        self.root, self.parent = root, folder
        self.folder = os.path.join(folder, "subito")
        self.port = free_port()
        self.failures = 0

    def here(self, command):
        command = command.replace("localhost:8080", f"127.0.0.1:{self.port}")
        if command == "./dev up":
            command += f" --detach --yes --port {self.port}"
        return command

    def run(self, command, expected):
        print(f"$ {command}", flush=True)
        if command.startswith("git clone"):
            command = f"git clone -q {shlex.quote(self.root)} subito"
            result = console.shell(command, self.parent, COMMAND_SECONDS_MAX)
        elif command.startswith("./dev up"):
            begun = time.monotonic()
            result = console.shell(self.here(command), self.folder, UP_SECONDS_MAX)
            self.hold_time(time.monotonic() - begun, result[1])
            time.sleep(READING_SECONDS)
        elif command.endswith(" -w"):
            buy = f"curl -s -X POST 127.0.0.1:{self.port}/orders -H 'Idempotency-Key: again' " \
                  "-d '{\"lines\":[{\"productId\":\"3\",\"quantity\":1}]}'"
            result = watch(self.here(command), self.folder, expected,
                           lambda: self.wait_asleep_and(buy))
        else:
            result = console.shell(self.here(command), self.folder, COMMAND_SECONDS_MAX)
        good, output = result
        if good and console.matches(expected, output):
            return
        self.failures += 1
        print(f"  FAILED; expected:\n{chr(10).join(expected)}\n  came:\n{output}", flush=True)

    def hold_time(self, seconds, output):
        print(f"  fresh clone to served request: {seconds:.0f} s")
        if seconds > FRESH_SECONDS_MAX and "missing packages" not in output:
            self.failures += 1
            print(f"  FAILED; at most {FRESH_SECONDS_MAX} s were promised", flush=True)

    def wait_asleep_and(self, command):
        """The pods of the commands before must have gone, so that the next request starts one."""
        deadline = time.monotonic() + WATCH_SECONDS_MAX / 2
        while time.monotonic() < deadline:
            pods = console.shell("build/release/bin/subito get pods -o json", self.folder, 10)[1]
            if '"checkout' not in pods:
                break
            time.sleep(0.5)
        console.shell(command, self.folder, COMMAND_SECONDS_MAX)


def read(root, name):
    with open(os.path.join(root, name), encoding="utf-8") as file:
        return file.read()


def check_code(root):
    """The function that the README shows is the one that is built."""
    shown = re.findall(r"```cpp\n(.*?)```", read(root, "README.md"), re.S)
    built = read(root, "functions/examples/hello.cc").split("\n", 1)[1]  # but for its first comment
    if shown != [built]:
        sys.exit("compare README.md: its function is not functions/examples/hello.cc")


def rows_of(text):
    """{first cell: all cells} of the tables in a text; backticks do not count."""
    rows = [[cell.strip(" `") for cell in line.strip("| ").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    return {row[0]: row for row in rows}


def check_figures(root):
    """The figures that the README quotes stand in the committed report."""
    report = rows_of(read(root, "bench/reports/cold-start.md"))
    quoted = rows_of(read(root, "README.md"))
    compared = 0
    for name in ("spawn", "pooled", "fresh", "crun", "runc"):
        if name not in quoted:
            continue
        _, _, p50, p99, ratio = quoted[name]
        measured = report[name]
        if [p50.replace(",", ""), p99.replace(",", "")] != [measured[2], measured[4]] or \
                measured[6].split()[0] != ratio:
            sys.exit(f"compare README.md: its figures of {name} are not those of the report")
        compared += 1
    if compared < 3:
        sys.exit("compare README.md: it quotes fewer than 3 figures of the report")


def check_idle_figures(root):
    """So do those of an idle node and of functions asleep."""
    quoted = re.search(r"takes\s+([\d.]+)\s+MB,\s+100\s+functions\s+asleep\s+([\d.]+)\s+MB\s+more",
                       read(root, "README.md"))
    report = read(root, "bench/reports/idle-cost.md")
    measured = re.findall(r"^- (?:idle node|100 functions asleep) .*: ([\d.]+) MB, met$", report,
                          re.M)
    if not quoted or list(quoted.groups()) != measured:
        sys.exit("compare README.md: its figures of an idle node are not those of idle-cost.md")


def main():
    words = [word for word in sys.argv[1:] if word != "--check-only"]
    root = os.path.abspath(words[0] if words else ".")
    blocks = console.console_blocks(read(root, "README.md"))
    commands = [(one.words, one.expected) for block in blocks for one in block
                if not (block[0].words or "").startswith(console.INSTALL)]
    if len(commands) < 5:
        sys.exit("read README.md: fewer than 5 commands found; is a block not marked ```console?")
    check_code(root)
    check_figures(root)
    check_idle_figures(root)
    if "--check-only" in sys.argv:
        return
    with tempfile.TemporaryDirectory(prefix="subito-readme-") as folder:
        attempt = Try(root, folder)
        try:
            for command, expected in commands:
                attempt.run(command, expected)
        finally:
            if os.path.isdir(attempt.folder):
                print(console.shell("./dev down --purge", attempt.folder, 60)[1])
    print(f"readme: {len(commands)} commands, {attempt.failures} failed")
    sys.exit(1 if attempt.failures else 0)


if __name__ == "__main__":
    main()
