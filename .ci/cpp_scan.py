"""Finds the functions of a C++ file without a parser: blanks out comments, strings and directives,
then matches braces. Made for code in our own style, formatted by clang-format; what it does not
understand it skips, so that it never invents a function. Used by tidy.py alone."""

import bisect
import re
from dataclasses import dataclass

# A literal may bear a prefix (u8, L, R ...); the apostrophe of 1'000'000 is no character.
_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*.*?\*/)
      | (?P<raw>\b(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<number>\b[0-9](?:'?[0-9a-zA-Z_.])*)
      | (?P<char>'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass
class Function:
    name: str
    first_line: int  # of the signature
    last_line: int  # of the closing brace
    complexity: int  # 1 + decisions, those of its lambdas included

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


def blank(text):
    """The same text, as long and with the same lines, comments and literals replaced by spaces;
    a string keeps its quotes."""

    def keep_shape(match):
        if match.lastgroup == "number" or match.group("number"):
            return match.group()
        hidden = re.sub(r"[^\n]", " ", match.group())
        if match.group("string") or match.group("raw"):
            return '"' + hidden[1:-1] + '"'
        return hidden

    return _TOKEN.sub(keep_shape, text)


def blank_directives(code):
    """Also blanks preprocessor lines with what they continue on, and all branches but the first,
    which would bring braces twice. Lines keep their numbers, not their length."""
    out, skipping, continued = [], [], False
    for line in code.split("\n"):
        directive = re.match(r"\s*#\s*(\w+)", line)
        if directive and not continued:
            word = directive.group(1)
            if word in ("if", "ifdef", "ifndef"):
                skipping.append(False)
            elif word in ("else", "elif") and skipping:
                skipping[-1] = True
            elif word == "endif" and skipping:
                skipping.pop()
        hide = continued or bool(directive) or any(skipping)
        continued = hide and line.endswith("\\")
        out.append("" if hide else line)
    return "\n".join(out)


_DECISION = re.compile(r"\b(?:if|for|while|case|catch)\b|(?<=\s)&&(?=\s)|\|\||\?")
_TYPE = re.compile(r"(?:^|[\s>\])])(?:class|struct|union|enum)\b(?![^<>]*>\s*\w+\s*\()")
_NAME = re.compile(r"((?:\w+::)*operator\s*(?:\(\)|[^\s(]+)|"
                   r"~?[A-Za-z_][\w:]*(?:<[^<>()]*>)?(?:::~?\w+)*)\s*\(")


def functions(text):
    code = blank_directives(blank(text))
    starts = [0] + [m.end() for m in re.finditer("\n", code)]
    found = []
    _walk(code, 0, found, lambda at: bisect.bisect_right(starts, at))
    return found


def _match(code, at):
    """Position of the brace that closes the one at `at`; the end of the text if there is none."""
    depth = 0
    for m in re.compile(r"[{}]").finditer(code, at):
        depth += 1 if m.group() == "{" else -1
        if depth == 0:
            return m.start()
    return len(code)


def _walk(code, at, found, line_of):
    """Reads declarations from `at` to the end of the scope; gives the position of its `}`."""
    begin = at
    stops = re.compile(r"[{};]|\b(?:public|private|protected)\s*:(?!:)|\(")
    while True:
        stop = stops.search(code, at)
        if not stop:
            return len(code)
        at = stop.end()
        kind = stop.group()
        if kind == "}":
            return stop.start()
        if kind == "(":
            at = _after_parenthesis(code, stop.start())
        elif kind == "{":
            at, begin = _open(code, begin, stop.start(), found, line_of)
        else:
            begin = at


def _after_parenthesis(code, at):
    depth = 0
    for m in re.compile(r"[()]").finditer(code, at):
        depth += 1 if m.group() == "(" else -1
        if depth == 0:
            return m.end()
    return len(code)


def _open(code, begin, brace, found, line_of):
    """Handles the brace at `brace` that ends the head from `begin`: where to go on, and where the
    next declaration begins."""
    kind = _kind(code[begin:brace])
    if kind == "scope":
        end = _walk(code, brace + 1, found, line_of)
        return end + 1, end + 1
    end = _match(code, brace)
    if kind == "initializer":
        return end + 1, begin  # the declaration goes on: "a_{1}, b_{2} {" or "x[] = {...};"
    # The body counts, and what the head decides: "f() : a_(b ? c : d)".
    first = begin + len(code[begin:brace]) - len(code[begin:brace].lstrip())
    found.append(Function(_name(code[begin:brace]), line_of(first), line_of(end),
                          1 + len(_DECISION.findall(code[begin:end]))))
    return end + 1, end + 1


def _flat(head):
    """The head without what stands in parentheses, and without template parameters."""
    flat, depth = [], 0
    for c in re.sub(r"\btemplate\s*<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>", " ", head):
        depth -= c == ")"
        if depth == 0:
            flat.append(c)
        depth += c == "("
    return "".join(flat).strip()


def _kind(head):
    flat = _flat(head)
    if re.match(r"(?:inline\s+)?namespace\b", flat) or re.match(r'extern\s*"\s*"$', flat):
        return "scope"
    if _TYPE.search(" " + flat) and not re.search(r"\w\s*\(\)", _without_attributes(flat)):
        return "scope"
    if re.search(r"(?<![=!<>+\-*/|&^%])=(?!=)", re.sub(r"operator\s*\S+", "", flat)):
        # A lambda that stands alone is a function; everything else is a value.
        return "function" if re.search(r"\[[^\]]*\]\s*(\(\)|$)[^=]*$", flat) else "initializer"
    if "(" not in flat:
        return "initializer"
    members = re.search(r"\)[^:()]*:(?!:)", flat.replace("::", "  "))
    if members and re.search(r"[\w>]$", flat):
        return "initializer"
    return "function"


def _without_attributes(flat):
    return re.sub(r"\b(?:alignas|__attribute__)\s*\(\)", "", flat)


def _name(head):
    test = re.search(r"\b(?:TYPED_)?TEST(?:_F|_P)?\s*\(\s*(\w+)\s*,\s*(\w+)", head)
    if test:
        return test.group(1) + "." + test.group(2)
    name = _NAME.search(re.sub(r"\b(?:alignas|decltype|noexcept|__attribute__)\s*\(", " ", head))
    if name:
        return re.sub(r"\s+", "", name.group(1))
    variable = re.search(r"(\w+)\s*=", head)
    return variable.group(1) if variable else "function"
