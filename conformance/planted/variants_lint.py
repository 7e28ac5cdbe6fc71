#!/usr/bin/env python3
"""Checks that planted faults are in the programs that are to have them, and in no other.

Usage: variants_lint.py SOUND PLANTED

Both are programs with their symbols. SOUND must have neither a symbol of what plants faults nor the name of a fault;
PLANTED must have all of them, so that neither check can pass for the wrong reason. Exit 0 if so, 1 otherwise.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What the headers of sites and the engines with faults define.
SYMBOLS = ["running_bug", "planted_break", "FindFaultyEngine", "FaultyInterpreter"]


def fault_names():
    """The names of faults that are found nowhere but in the list of them: those of several words."""
    names = re.findall(r'BUG\(k\w+, "([^"]+)"\)', (ROOT / "jit/planted_bugs.h").read_text(encoding="utf-8"))
    return [name for name in names if "-" in name]


def faults_of(program, planted):
    symbols = subprocess.run(["nm", "-C", program], capture_output=True, check=True, text=True).stdout
    if "isochron::" not in symbols:
        return [f"{program} has no symbols"]
    contents = pathlib.Path(program).read_bytes()
    has = {symbol: symbol in symbols for symbol in SYMBOLS}
    has |= {name: b"\0" + name.encode() + b"\0" in contents for name in fault_names()}
    word = "no" if planted else "the"
    return [f"{program} has {word} {what}" for what, there in has.items() if there != planted]


def main():
    if len(sys.argv) != 3 or not fault_names():
        sys.exit(__doc__)
    faults = faults_of(sys.argv[1], False) + faults_of(sys.argv[2], True)
    for fault in faults:
        print(fault)
    print(f"{len(SYMBOLS)} symbols, {len(fault_names())} names, {len(faults)} findings")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
