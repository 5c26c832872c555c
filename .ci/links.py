"""Links of Markdown pages: that each leads to a file, and to a heading of it. Addresses of the
network are not looked at."""

import posixpath
import re

FENCED = re.compile(r"^```.*?^```\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]\n]*(?:\n[^\]\n]*)?\]\(([^)\s]+)\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")


def without_code(text):
    """Blocks of code are blank, so that lines keep their number."""
    return FENCED.sub(lambda block: "\n" * block.group().count("\n"), text)


def anchors_of(text):
    """The names of its headings, as GitHub makes them; a second one of a name gets -1."""
    names = set()
    for heading in HEADING.findall(without_code(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = 0
        while (name if number == 0 else f"{name}-{number}") in names:
            number += 1
        names.add(name if number == 0 else f"{name}-{number}")
    return names


def wrong_with(page, target, text_of, exists):
    """Why a link of a page leads nowhere, or None."""
    if re.match(r"[a-z][a-z+.-]*:", target):
        return None
    path, _, anchor = target.partition("#")
    there = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if not exists(there):
        return f"{target}: there is no {there}"
    if anchor and anchor not in anchors_of(text_of(there)):
        return f"{target}: {there} has no heading of that name"
    return None


def links_of(text):
    """[(line, target)]; what stands in code is no link."""
    prose = without_code(text)
    bare = SPAN.sub(lambda span: " " * len(span.group()), prose)
    return [(prose.count("\n", 0, found.start()) + 1, found.group(1) or found.group(2))
            for found in LINK.finditer(bare)]


def paths_of(text, folders):
    """[(line, path)] of code spans that name a file or folder from the root: `docs/cli.md`."""
    named = re.compile(rf"(?:{'|'.join(map(re.escape, folders))})/[\w./-]+")
    prose = without_code(text)
    return [(prose.count("\n", 0, found.start()) + 1, found.group(1).rstrip("/"))
            for found in SPAN.finditer(prose) if named.fullmatch(found.group(1))]
