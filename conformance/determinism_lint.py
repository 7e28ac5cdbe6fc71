#!/usr/bin/env python3
"""Checks rule 2 of determinism: no host clock and no random source below cli/.

Usage: determinism_lint.py SOURCE_DIR

Reads the sources of the folders that make up the machine and reports every use of a host clock, a random source, the
environment, thread or process identity. Exit 0 if there is none, 1 otherwise.
"""

import pathlib
import re
import sys

FOLDERS = ["alpha", "ref", "jit", "machine", "replaylog", "timeline"]

FORBIDDEN = {
    r"\bstd::chrono\b|<chrono>": "host clock",
    r"\b(clock_gettime|gettimeofday|timespec_get|clock|times|getrusage|ftime)\s*\(": "host clock",
    r"(?<![\w.>])time\s*\(\s*(NULL|nullptr|0|&)": "host clock",
    r"\babsl::(Now|GetCurrentTimeNanos|SleepFor)\b": "host clock",
    r"\b__rdtscp?\b|\b_rdtsc\b|\brdtscp?\b": "host clock",
    r"\bstd::this_thread::sleep|\b(usleep|nanosleep|sleep)\s*\(": "host time",
    r"\bstd::random_device\b|<random>|\b(rand|srand|random|arc4random|drand48|getrandom)\s*\(": "random source",
    r"\babsl::(BitGen|InsecureBitGen|Uniform)\b": "random source",
    r"/dev/u?random": "random source",
    r"\b(std::)?getenv\s*\(|\bsecure_getenv\b": "environment",
    r"\b(getpid|gettid|pthread_self)\s*\(|\bstd::this_thread::get_id\b": "identity of the process",
    r"\bstd::hash<[^>]*\*>": "host addresses",
    r"\babsl::(flat|node)_hash_(map|set)\b": "an iteration order that differs from run to run",
}


def strip_comments(line):
    return line.split("//", 1)[0]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    found = 0
    files = 0
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix not in {".h", ".cc", ".inc"} or "test" in path.name or "fuzz" in path.parts:
                continue
            files += 1
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                code = strip_comments(line)
                for pattern, what in FORBIDDEN.items():
                    if re.search(pattern, code):
                        print(f"{path.relative_to(root)}:{number}: {what}: {line.strip()}")
                        found += 1
    if files == 0:
        sys.exit(f"{root} holds none of {', '.join(FOLDERS)}")
    print(f"{files} files, {found} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
