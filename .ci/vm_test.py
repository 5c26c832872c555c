#!/usr/bin/env python3
"""Runs tests of isolation in a virtual machine whose kernel has cgroups of version 2 alone.

  .ci/vm_test.py BUILD [--filter SUITE.NAME]

BUILD is a build folder, build/dev say. The machine is QEMU by software emulation, with Debian's
cloud kernel (its package is unpacked into build/vm, never installed) and a memory file system that
holds the tests, what they start and the libraries of both. It has no disk and no network. Prints
what the tests print, and writes BUILD/../vm/junit.xml.

Emulation is ten to twenty times slower than the machine it runs on: tests are chosen in TESTS."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

# Test binary: a filter of its cases.
TESTS = {
    "sandbox_cgroup_test": "*",
    "sandbox_cgroup_v2_test": "*",
    "sandbox_test": "*",
    "sandbox_reuse_test": "*",
    "sandbox_escape_test": "*",
    "sandbox_orphan_test": "*",
    "homes_test": "*",
    "e2e_test": "LifecycleTest.*:CrashTest.*:*CrashKindTest*_allocate_mib_100:ShutdownTest.*",
}
PROGRAMS = ("/usr/bin/redis-server", "/usr/bin/setpriv")  # the node ties Redis to itself by setpriv
LOADED = ("libcurl.so.4",)  # opened when first needed, so the linker's list does not name them
SECONDS_MAX = 1200  # for all of it; a test that hangs is ended before
TEST_SECONDS_MAX = 600
MEMORY_MIB = 3072
# A process or processor that hangs in the kernel ends the machine, with a trace on the console.
HANGS = "hung_task_panic=1 softlockup_panic=1 sysctl.kernel.hung_task_timeout_secs=60"

# First it leaves the initial memory file system: no process may pivot_root out of that one.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir /new
/bin/busybox mount -t tmpfs -o mode=755 root /new
/bin/busybox cp -a /bin /lib /lib64 /usr /etc /tests /stage2 /new/
for top in {tops}; do /bin/busybox cp -a /$top /new/; done
exec /bin/busybox switch_root /new /stage2
"""
STAGE2 = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /tmp /run /root
chmod 1777 /tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t cgroup2 cgroup /sys/fs/cgroup
ifconfig lo 127.0.0.1 up
echo "vm: $(uname -r), controllers $(cat /sys/fs/cgroup/cgroup.controllers)"
. /tests
for group in /sys/fs/cgroup/subito-*; do [ ! -d "$group" ] || echo "vm: left $group"; done
echo "vm: end"
poweroff -f
"""


def fail(message):
    sys.exit(f"vm: {message}")


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        fail(f"run {' '.join(command)}: {done.stderr.strip() or done.returncode}")
    return done.stdout


def kernel(folder):
    """The newest kernel image of linux-image-cloud-amd64, unpacked."""
    package = re.search(r"Depends: (linux-image-\S+-cloud-amd64)",
                        run("apt-cache", "depends", "linux-image-cloud-amd64"))
    if not package:
        fail("find a kernel: linux-image-cloud-amd64 depends on none; run apt-get update")
    image = os.path.join(folder, "kernel", "boot", package[1].replace("linux-image", "vmlinuz"))
    if not os.path.exists(image):
        shutil.rmtree(os.path.join(folder, "kernel"), ignore_errors=True)
        os.makedirs(os.path.join(folder, "kernel"))
        subprocess.run(["apt-get", "-qq", "download", package[1]], cwd=folder, check=True,
                       stderr=subprocess.DEVNULL)
        file = next(f for f in os.listdir(folder) if f.startswith(package[1] + "_"))
        run("dpkg-deb", "-x", os.path.join(folder, file), os.path.join(folder, "kernel"))
        os.remove(os.path.join(folder, file))
        shutil.rmtree(os.path.join(folder, "kernel", "lib"), ignore_errors=True)
    return image


def libraries(program):
    """What the dynamic linker would load for it; nothing for a static binary."""
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(/\S+) \(0x", done.stdout)


def loaded(name):
    """Where the dynamic linker finds the library `name`."""
    match = re.search(rf"\b{re.escape(name)} \(.*x86-64.*\) => (/\S+)",
                      run("/sbin/ldconfig", "-p"))
    if not match:
        fail(f"find the library {name}: run ./dev setup")
    return match[1]


def write(path, text, mode):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def stage(root, build, tests):
    """A root folder with the tests at the paths they were built for."""
    shutil.rmtree(root, ignore_errors=True)
    for folder in ("bin", "lib", "lib64", "usr", "etc"):
        os.makedirs(os.path.join(root, folder))
    wanted = [os.path.join(build, "tests", name) for name in tests] + list(PROGRAMS)
    for folder in ("bin", "functions"):
        here = os.path.join(build, folder)
        wanted += [os.path.join(here, name) for name in sorted(os.listdir(here))]
    wanted = [path for path in wanted if os.path.isfile(path) and os.access(path, os.X_OK)]
    wanted += [loaded(name) for name in LOADED]
    files = sorted(set(wanted).union(*(libraries(path) for path in wanted)))
    for path in files:
        target = root + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy2(os.path.realpath(path), target)
        if path.startswith((f"{build}/tests/", f"{build}/bin/")):
            subprocess.run(["strip", "-g", target], check=True)
    shutil.copy2("/bin/busybox", os.path.join(root, "bin"))
    for name, mode, text in (("passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n"),
                             ("shadow", 0o600, "root:*:20000:0:99999:7:::\n"),
                             ("hostname", 0o644, "vm\n")):
        write(os.path.join(root, "etc", name), text, mode)
    tops = {path.split("/")[1] for path in files} - {"bin", "lib", "lib64", "usr", "etc"}
    lines = [f"echo vm: begin {name}\n/bin/busybox timeout -s KILL {TEST_SECONDS_MAX} "
             f"{build}/tests/{name} --gtest_color=no '--gtest_filter={tests[name]}'\n"
             f"echo vm: {name} exited $?\n" for name in tests]
    for name, text, mode in (("init", INIT.format(tops=" ".join(sorted(tops))), 0o755),
                             ("stage2", STAGE2, 0o755), ("tests", "".join(lines), 0o644)):
        write(os.path.join(root, name), text, mode)


def pack(root, archive):
    with open(archive, "wb") as out:
        find = subprocess.Popen(["find", "."], cwd=root, stdout=subprocess.PIPE)
        subprocess.run(["/bin/busybox", "cpio", "-o", "-H", "newc"], cwd=root, stdin=find.stdout,
                       stdout=out, stderr=subprocess.DEVNULL, check=True)


def boot(image, archive, log):
    """The machine's console, line by line, also kept in `log`; ended when its time is over."""
    # timeout has a process group of its own, so it is told when this script is killed.
    command = ["setpriv", "--pdeathsig", "TERM",
               "timeout", "-k", "5", str(SECONDS_MAX), "qemu-system-x86_64", "-accel", "tcg",
               "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MIB), "-display", "none",
               "-serial", "stdio", "-monitor", "none", "-no-reboot", "-net", "none",
               "-kernel", image, "-initrd", archive,
               "-append", f"console=ttyS0 panic=-1 quiet random.trust_cpu=on {HANGS}"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace")
    try:
        with open(log, "w", encoding="utf-8") as kept:
            for line in process.stdout:
                kept.write(line)
                yield line.rstrip("\r\n")
    finally:
        process.terminate()
        process.wait()


class Results:
    """What gtest says on the console."""

    def __init__(self):
        self.cases = {}  # name: (status, what it said)
        self.said, self.running, self.ended, self.faults = [], None, False, []
        self.begun = 0

    def read(self, line):
        if line.startswith("vm: "):
            self.control(line[4:])
        elif match := re.match(r"\[ RUN      \] (\S+)", line):
            self.running, self.said = match[1], []
        elif match := re.match(r"\[( +OK|  FAILED  |  SKIPPED )\s*\] (\S+?),? .*\(\d+ ms\)", line):
            status = {"OK": "run", "FAILED": "fail", "SKIPPED": "notrun"}[match[1].strip()]
            self.cases[match[2]] = (status, "\n".join(self.said))
            self.running = None
        else:
            self.said.append(line)

    def control(self, words):
        if words == "end":
            self.ended = True
        elif words.startswith("begin "):
            self.begun += 1
        elif words.startswith("left "):
            self.faults.append(f"cgroup {words[5:]} was left behind")
        elif match := re.match(r"(\S+) exited (\d+)", words):
            if self.running:
                said = "\n".join(self.said)
                self.cases[self.running] = ("fail", f"{said}\nit ended with its test")
                self.running = None
            elif match[2] not in ("0", "1"):
                self.faults.append(f"{match[1]} exited with status {match[2]}")

    def write(self, path):
        suite = ElementTree.Element("testsuite", name="vm", tests=str(len(self.cases)))
        for name, (status, said) in sorted(self.cases.items()):
            case = ElementTree.SubElement(suite, "testcase", name=name, status=status)
            said = re.sub(r"[^\n\t\x20-\x7e]", "?", said)
            ElementTree.SubElement(case, "system-out").text = said
            if status == "notrun":
                ElementTree.SubElement(case, "skipped", message=said.strip())
        ElementTree.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--filter", help="of the test cases, as of gtest")
    options = parser.parse_args()
    build = os.path.realpath(options.build)
    folder = os.path.join(os.path.dirname(build), "vm")
    os.makedirs(folder, exist_ok=True)
    tests = {name: options.filter or own for name, own in TESTS.items()}
    image = kernel(folder)
    stage(os.path.join(folder, "root"), build, tests)
    pack(os.path.join(folder, "root"), os.path.join(folder, "initrd"))
    results = Results()
    for line in boot(image, os.path.join(folder, "initrd"), os.path.join(folder, "console.log")):
        print(line, flush=True)
        results.read(line)
    results.write(os.path.join(folder, "junit.xml"))
    if not results.ended:
        results.faults.append(f"the machine did not come to its end within {SECONDS_MAX} s")
    failed = [name for name, (status, _) in results.cases.items() if status == "fail"]
    for fault in results.faults:
        print(f"vm: {fault}")
    print(f"vm: {len(results.cases)} tests, {len(failed)} failed")
    sys.exit(1 if failed or results.faults or not results.cases else 0)


if __name__ == "__main__":
    main()
