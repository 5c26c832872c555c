"""Console blocks of pages: what they tell to type, what comes of it, and whether it does.

In a ```console block a line `$ COMMAND` is typed as it stands; the lines below it are what it
prints. There … stands for anything, and on a line of its own for any lines, none included. A block
that begins with something else goes on with what a command before, which still runs, prints."""

import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOK_SECONDS = 0.05
INSTALL = "sudo apt install "  # begins the block of README that installs the package


@dataclass
class Command:
    """A command as typed, or None: what one that still runs prints next."""
    words: str | None
    line: int
    expected: list = field(default_factory=list)


def fences(text):
    """[(language, line, body)] of all fenced blocks."""
    return [(found.group(1), text.count("\n", 0, found.start()) + 1, found.group(2))
            for found in FENCE.finditer(text)]


def console_blocks(text):
    """The commands of each console block: a list of lists of Command."""
    blocks = []
    for language, line, body in fences(text):
        if language != "console":
            continue
        commands = []
        for number, typed in enumerate(body.splitlines(), line + 1):
            if typed.startswith("$ "):
                commands.append(Command(typed[2:], number))
            else:
                if not commands:
                    commands.append(Command(None, number))
                commands[-1].expected.append(typed)
        blocks.append(commands)
    return blocks


def as_pattern(expected):
    """What is expected, as one regular expression; a line of its own with … is any lines."""
    parts = []
    for line in expected:
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*".join(re.escape(piece) for piece in line.split("…")) + r".*\n")
    return "".join(parts)


def match_of(expected, output):
    """Where the output is as expected, else None."""
    return re.search(as_pattern(expected), output.replace("\r", "") + "\n")


def matches(expected, output):
    return match_of(expected, output) is not None


def shell(command, folder, seconds, environment=None):
    """(whether it ended with 0 in time, what it said)."""
    try:
        done = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, timeout=seconds,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
    except subprocess.TimeoutExpired as error:
        return False, f"did not end within {seconds} s: {error.output}"
    return done.returncode == 0, done.stdout


class Running:
    """A command that does not end by itself, and what it has said so far."""

    def __init__(self, command, folder, environment=None):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(["bash", "-c", "exec " + command], cwd=folder,
                                        env=environment, stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT)
        self.seen = 0

    def said(self):
        """What it said behind what was expected before."""
        size = os.fstat(self.output.fileno()).st_size
        # Not by seeking: it shares the place in the file with the command.
        said = os.pread(self.output.fileno(), size, 0).decode(errors="replace")
        return said[self.seen:]

    def says(self, expected, seconds):
        """Waits for it: (whether it came, what it said since)."""
        deadline = time.monotonic() + seconds
        while True:
            lives = self.process.poll() is None and time.monotonic() < deadline
            said = self.said()  # what it says last is read once more
            if found := match_of(expected, said):
                self.seen += min(found.end(), len(said))
                return True, said
            if not lives:
                return False, said
            time.sleep(LOOK_SECONDS)

    def end(self, seconds):
        """Its status; one that does not end when it is asked to is killed."""
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self.output.close()
