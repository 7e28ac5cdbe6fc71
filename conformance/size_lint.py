#!/usr/bin/env python3
"""Finds files and C++ functions that have outgrown a reader.

    size_lint.py TREE

A source file has at most 600 lines, a C++ function at most 60. Functions are found by the layout that clang-format gives:
one begins at the indentation of its scope and ends with a brace there. Tests of a scope (TEST, TEST_F, TEST_P) are functions
as others are. Exit code 1 when there is one, 0 otherwise.
"""

import pathlib
import re
import sys

MOST_LINES = 600
MOST_FUNCTION_LINES = 60
FOLDERS = (
    "alpha", "cli", "conformance", "debug", "engines", "hostio", "jit", "machine", "packaging", "pytests", "python",
    "ref", "replaylog", "scripts", "timeline",
)  # fmt: skip
SUFFIXES = {".cc", ".h", ".inc", ".py", ".S", ".c"}

SCOPE = re.compile(r"(?:template\b.*>\s*)?(?:class|struct|union|enum|namespace)\b|extern \"C\"")
CLOSING = re.compile(r"\};?|\}\(.*|\}.*;")


def blocks(lines, indent):
    """The blocks that begin at an indentation: (first line, number of lines, whether it is a scope)."""
    prefix = " " * indent
    start = None
    for number, line in enumerate(lines):
        if not line.startswith(prefix) or line[indent : indent + 1] in ("", " ", "#", "/"):
            continue
        text = line[indent:]
        if CLOSING.fullmatch(text) and start is not None:
            yield start, number - start + 1
            start = None
        elif not text.startswith(("}", "public:", "private:", "protected:")):
            if start is None or text[0] not in ")":
                start = start if start is not None and lines[start][indent:].startswith("template") else number
            if text.endswith(";") and "{" not in text:
                start = None


def functions(lines, first=1, indent=0):
    """The functions among lines of C++, of which the first has the number `first`: (line, name, length)."""
    for start, length in blocks(lines, indent):
        body = lines[start : start + length]
        head = next((line.strip() for line in body if not line.strip().startswith("template")), "")
        if SCOPE.match(head) and not head.endswith(";") and "(" not in head.split("{")[0].replace("alignas(", ""):
            yield from functions(body[1:-1], first + start + 1, indent + 2)
        elif "(" in "".join(body[:3]) and not re.match(r"(?:inline |static )?(?:constexpr|const) .*=", head):
            yield first + start, head, length


def faults(root, path):
    name = path.relative_to(root).as_posix()
    lines = path.read_text().splitlines()
    if len(lines) > MOST_LINES:
        yield f"{name}: {len(lines)} lines; a file has at most {MOST_LINES}"
    if path.suffix not in (".cc", ".h"):
        return
    for line, head, length in functions(lines):
        if length > MOST_FUNCTION_LINES:
            yield f"{name}:{line}: {length} lines; a function has at most {MOST_FUNCTION_LINES}: {head}"


def main():
    root = pathlib.Path(sys.argv[1])
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*")) if path.suffix in SUFFIXES]
    found = [fault for path in paths for fault in faults(root, path)]
    print("\n".join(found) or f"{len(paths)} files, none too long", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
