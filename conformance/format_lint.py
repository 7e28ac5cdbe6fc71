#!/usr/bin/env python3
"""Checks that every C++ source has the layout that clang-format gives it.

Usage: python3 -m conformance.format_lint CLANG_FORMAT SOURCE_DIR

Exit 0 if all have, 1 otherwise, with the places and the command that mends them.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

from conformance.include_lint import sources

FILES_AT_ONCE = 20


def complaints(command):
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    return result.stderr if result.returncode else ""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    clang_format, root = sys.argv[1], pathlib.Path(sys.argv[2])
    paths = [path for path in sources(root) if path.suffix != ".inc"]  # tables, laid out by hand
    if not paths:
        sys.exit(f"{root} holds no sources")
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
