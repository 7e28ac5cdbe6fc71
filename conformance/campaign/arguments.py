"""What the arguments of the scripts have in common."""

import argparse


def positive(text: str) -> int:
    """An argument that is at least 1."""
    if (number := int(text)) < 1:
        raise ValueError(text)
    return number


def parse_seeds(text: str) -> tuple[int, int]:
    """The first and the last of a range FIRST-LAST, or of a single seed."""
    first, _, last = text.partition("-")
    try:
        seeds = int(first), int(last or first)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not FIRST-LAST") from None
    if not 0 <= seeds[0] <= seeds[1]:
        raise argparse.ArgumentTypeError(f"'{text}' is not FIRST-LAST")
    return seeds
