#!/usr/bin/env python3
"""Writes the test vectors of a guest as assembly: stubs, operands, expected results.

Expected values are computed here with Python integers and fractions, so that nothing under test
computes what it is compared with.

Usage: gen_vectors.py integer|byte|mvi|ieee|vax OUTPUT.S
"""

import sys

import vectors_float
import vectors_integer


def main():
    area, path = sys.argv[1:]
    text = vectors_integer.emit(area) if area in vectors_integer.AREAS else vectors_float.emit(area)
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


if __name__ == "__main__":
    main()
