"""Writes the test vectors of a guest as assembly: stubs, operands, expected results.

Expected values are computed here with Python integers and fractions, so that nothing under test
computes what it is compared with.

Usage, at the top of the tree: python3 -m conformance.guests.gen_vectors integer|byte|mvi|ieee|vax OUTPUT.S
"""

import sys

from conformance.guests import vectors_float, vectors_integer


def main():
    area, path = sys.argv[1:]
    text = vectors_integer.emit(area) if area in vectors_integer.AREAS else vectors_float.emit(area)
    with open(path, "w", encoding="ascii") as out:
        out.write(text)


if __name__ == "__main__":
    main()
