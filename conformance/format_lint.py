#!/usr/bin/env python3
"""Checks that every C++ source has the layout that clang-format gives it.

Usage: format_lint.py CLANG_FORMAT SOURCE_DIR

Exit 0 if all have, 1 otherwise, with the places and the command that mends them.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

FOLDERS = ["hostio", "alpha", "ref", "jit", "machine", "replaylog", "engines", "timeline", "conformance", "cli"]
FILES_AT_ONCE = 20


def sources(root):
    found = (path for folder in FOLDERS for path in (root / folder).rglob("*"))
    return sorted(path for path in found if path.suffix in {".h", ".cc"})


def complaints(command):
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    return result.stderr if result.returncode else ""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    clang_format, root = sys.argv[1], pathlib.Path(sys.argv[2])
    paths = sources(root)
    if not paths:
        sys.exit(f"{root} holds no sources in {', '.join(FOLDERS)}")
    commands = [
        [clang_format, "--dry-run", "-Werror", *paths[start : start + FILES_AT_ONCE]]
        for start in range(0, len(paths), FILES_AT_ONCE)
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = "".join(pool.map(complaints, commands))
    if found:
        sys.exit(f"{found}clang-format -i FILE... mends them")
    print(f"{len(paths)} files")


if __name__ == "__main__":
    main()
