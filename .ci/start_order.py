#!/usr/bin/env python3
"""Writes runtime/sdk/cmake/start_order.ld: the pieces of text that a function runs from its start
to its first answer, for the linker to lay together.

    .ci/start_order.py build/release            writes it anew, in some 20 s; as root
    .ci/start_order.py --check build/release    fails if the functions there are not laid so

Steps the echo through a start, one instruction after the other (ptrace(2)), as the bare process
that `subito bench cold-start` starts, and finds each address in a map of the linker.
"""
import bisect
import ctypes
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPT = os.path.join(ROOT, "runtime/sdk/cmake/start_order.ld")
SECTION = ".text.start_order"
BYTES_MIN = 128 << 10  # of that section: with another compiler not all names are found
NAME_CHARS_MAX = 70
SPARSE = 0.03  # pieces of which a start runs less come last
BLOCK = 16
ARCHIVES = ("libc.a", "libstdc++.a", "libgcc_eh.a")  # named; all others are merged in the package
HEAD = f"""/* The pieces of text that a function runs from its start to its first answer, laid
 * together: 61 pages in place of 154, which the kernel maps 16 at a time. Comes beside the
 * linker's own script; a piece that a program has not does no harm. Written by
 * .ci/start_order.py, not by hand. */
SECTIONS
{{
  {SECTION} :
  {{
"""
TRACE = "SUBITO_START_ORDER_TRACE"
BINARY = "SUBITO_START_ORDER_BINARY"


def step(arguments):
    """In place of the function: runs it, and writes down in which order it came where."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    traceme, peekuser, singlestep, rip = 0, 3, 9, 16 * 8
    child = os.fork()
    if child == 0:
        libc.ptrace(traceme, 0, None, None)
        os.execv(os.environ[BINARY], arguments)
    os.close(3)  # the channel is the child's
    seen = {}
    _, status = os.waitpid(child, 0)
    while os.WIFSTOPPED(status):
        seen.setdefault(libc.ptrace(peekuser, child, rip, None) // BLOCK * BLOCK)
        if libc.ptrace(singlestep, child, None, None) != 0:
            break
        _, status = os.waitpid(child, 0)
    with open(os.environ[TRACE], "w", encoding="ascii") as out:
        out.writelines(f"{address:x}\n" for address in seen)
    sys.exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1)


def link_with_map(build, folder):
    """The echo again, without our order: its binary, and the linker's map of it."""
    commands = subprocess.run(["ninja", "-C", build, "-t", "commands", "function_echo"], check=True,
                              capture_output=True, text=True).stdout.splitlines()
    binary, text_map = os.path.join(folder, "echo"), os.path.join(folder, "map")
    command = re.sub(r" -T \S+", "", commands[-1])
    command = command.replace(" -o functions/echo", f" -o {binary} -Wl,-Map,{text_map}")
    subprocess.run(command, shell=True, check=True, cwd=build)
    return binary, text_map


def pieces_of(text_map):
    """(address, size, section, file) of all text, by address."""
    with open(text_map, encoding="utf-8") as file:
        text = file.read().split("Linker script and memory map")[1]
    found = re.findall(r"^ (\.text\S*)\s+0x([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$", text, re.M)
    pieces = [(int(begin, 16), int(size, 16), section, file)
              for section, begin, size, file in found if int(begin, 16) and int(size, 16)]
    return sorted(pieces)


def pattern(section, file):
    """As a linker script says it; names that are long are cut."""
    archive, member = re.search(r"([^/(]+)(?:\(([^)]+)\))?$", file).groups()
    if section != ".text":
        cut = section if len(section) <= NAME_CHARS_MAX else section[:NAME_CHARS_MAX] + "*"
        return f"*({cut})"
    if member is None:
        return None  # what begins a program, or a handler's own
    return f"*{archive}:{member}(.text)" if archive in ARCHIVES else f"*{member}(.text)"


def patterns(pieces, trace):
    """In the order of the start, those that are run in few places behind."""
    begins = [piece[0] for piece in pieces]
    run = {}
    for address in trace:
        at = bisect.bisect_right(begins, address + BLOCK - 1) - 1
        if at >= 0 and address < pieces[at][0] + pieces[at][1]:
            run[at] = run.get(at, 0) + BLOCK
    dense, sparse = {}, {}
    for at, size in run.items():
        _, whole, section, file = pieces[at]
        line = pattern(section, file)
        if line and "function_echo" not in file:
            (sparse if size < whole * SPARSE else dense).setdefault(line)
    return list(dense) + [line for line in sparse if line not in dense]


def write(build):
    with tempfile.TemporaryDirectory() as folder:
        binary, text_map = link_with_map(build, folder)
        trace = os.path.join(folder, "trace")
        subprocess.run([f"{build}/bin/subito", "bench", "cold-start", "-n", "1", "--only", "spawn",
                        "--binary", os.path.abspath(__file__)], check=True,
                       stdout=subprocess.DEVNULL, env={**os.environ, TRACE: trace, BINARY: binary})
        with open(trace, encoding="ascii") as file:
            addresses = [int(line, 16) for line in file]
        lines = patterns(pieces_of(text_map), addresses)
    with open(SCRIPT, "w", encoding="ascii") as out:
        out.write(HEAD + "".join(f"    {line}\n" for line in lines))
        out.write("  }\n}\nINSERT BEFORE .text;\n")
    print(f"{len(lines)} pieces")


def check(build):
    sections = subprocess.run(["readelf", "-SW", f"{build}/functions/echo"], check=True,
                              capture_output=True, text=True).stdout
    found = re.search(re.escape(SECTION) + r"\s+PROGBITS\s+\S+\s+\S+\s+([0-9a-f]+)", sections)
    size = int(found[1], 16) if found else 0
    if size < BYTES_MIN:
        sys.exit(f"check order of text: {SECTION} of functions/echo has {size} bytes, less than "
                 f"{BYTES_MIN}: write it anew by .ci/start_order.py {build}")


if __name__ == "__main__":
    if TRACE in os.environ:
        step(sys.argv)
    elif len(sys.argv) == 3 and sys.argv[1] == "--check":
        check(sys.argv[2])
    elif len(sys.argv) == 2:
        write(os.path.abspath(sys.argv[1]))
    else:
        sys.exit(__doc__)
