#!/usr/bin/env python3
"""Line coverage by house, from gcovr's summary; exits 1 if one is under the floor.

  .ci/coverage.py SUMMARY.json"""

import json
import re
import sys
from collections import defaultdict

HOUSES = ("runtime", "scheduler", "autoscaler", "deploy")
PERCENT_MIN = 80.0
WORST_SHOWN = 12

# Tests and what only tests use are not what is measured.
NOT_MEASURED = re.compile(r"_(?:test|fuzz)\.cc$|/(?:testing|test_\w+|fake_\w+)(?:/|\.\w+$)")


def percent(covered, total):
    return 100.0 * covered / total if total else 100.0


def main(path):
    with open(path, encoding="utf-8") as f:
        files = json.load(f)["files"]
    covered, total, worst = defaultdict(int), defaultdict(int), []
    for file in files:
        name = file["filename"]
        if NOT_MEASURED.search(name):
            continue
        parts = name.split("/")
        for key in {parts[0], "/".join(parts[:-1])}:
            covered[key] += file["line_covered"]
            total[key] += file["line_total"]
        worst.append((file["line_total"] - file["line_covered"], name))
    print(f"{'lines covered':32} {'percent':>8} {'covered':>8} {'of':>8}")
    for key in sorted(total):
        print(f"{'  ' * key.count('/') + key:32} {percent(covered[key], total[key]):8.1f} "
              f"{covered[key]:8} {total[key]:8}")
    print("most lines not covered:")
    for missing, name in sorted(worst, reverse=True)[:WORST_SHOWN]:
        if missing:
            print(f"  {missing:5} {name}")
    low = [h for h in HOUSES if total[h] == 0 or percent(covered[h], total[h]) < PERCENT_MIN]
    for house in low:
        print(f"coverage: {house} is under {PERCENT_MIN:.0f} %", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
