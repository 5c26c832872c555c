#!/usr/bin/env python3
"""Tells in one screen what ctest's JUnit files say: counts for each, what failed, and what was
skipped with the reason its test gave.

  .ci/summary.py NAME=FILE..."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import defaultdict


def reason_of(case):
    """What GTEST_SKIP() or unittest's skipTest() said, else what ctest says."""
    output = case.findtext("system-out") or ""
    said = re.search(r"^[^\n]*: Skipped\n(.+?)\n*(?=^\[|^\S+:\d+: |\Z)", output,
                     re.MULTILINE | re.DOTALL)
    if said and said.group(1).strip():
        return " ".join(said.group(1).split())
    if said := re.search(r"\.\.\. skipped ['\"](.+)['\"]$", output, re.MULTILINE):
        return said.group(1)
    skipped = case.find("skipped")
    return (skipped.get("message") if skipped is not None else "") or "no reason given"


def read(path):
    counts, failed, skipped = defaultdict(int), [], defaultdict(list)
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        status, name = case.get("status"), case.get("name").split("  # ")[0]
        if status == "notrun" and not name.endswith("_NOT_BUILT"):
            counts["skipped"] += 1
            skipped[reason_of(case)].append(name)
        elif status in ("run", "disabled"):
            counts["passed" if status == "run" else "disabled"] += 1
        else:
            counts["failed"] += 1
            failed.append(name)
    return counts, failed, skipped


def main(arguments):
    for argument in arguments:
        name, path = argument.split("=", 1)
        counts, failed, skipped = read(path)
        line = ", ".join(f"{counts[k]} {k}" for k in ("passed", "failed", "skipped"))
        print(f"{name}: {line}" + (f", {counts['disabled']} disabled" * (counts["disabled"] > 0)))
        for test in failed:
            print(f"  FAILED  {test}")
        for reason, tests in skipped.items():
            print(f"  SKIPPED {len(tests)}: {reason}")
            for test in tests:
                print(f"          {test}")


if __name__ == "__main__":
    main(sys.argv[1:])
