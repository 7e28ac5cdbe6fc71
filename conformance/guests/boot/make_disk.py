"""Makes a disk that a console boots from: `make_disk.py PRIMARY SECOND DISK` of two boot programs as bytes."""

import pathlib
import struct
import sys

BLOCK = 512
#: Blocks, as console.h has them.
PRIMARY, SECOND, SECOND_BLOCKS, PATTERN, PATTERN_BLOCKS = 2, 40, 8, 60, 100


def boot_block(first: int, count: int) -> bytes:
    """The block that SRM looks for: where the bootstrap is, how long, and the sum of what stands before it."""
    words = [0] * 60 + [count, first, 0]
    return struct.pack("<64Q", *words, sum(words) & 0xFFFF_FFFF_FFFF_FFFF)


def pattern(first: int, blocks: int) -> bytes:
    """What the bootstrap expects to read from there."""
    words = range(first * BLOCK // 8, (first + blocks) * BLOCK // 8)
    return b"".join(struct.pack("<Q", word * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF) for word in words)


def make_disk(primary: bytes, second: bytes) -> bytes:
    """The bytes of the disk."""
    blocks = -(-len(primary) // BLOCK)
    if PRIMARY + blocks > SECOND or len(second) > SECOND_BLOCKS * BLOCK:
        raise ValueError("a boot program is too large for its place on the disk")
    disk = bytearray((PATTERN + PATTERN_BLOCKS) * BLOCK)
    for place, content in (
        (0, boot_block(PRIMARY, blocks)),
        (PRIMARY, primary),
        (SECOND, second),
        (PATTERN, pattern(PATTERN, PATTERN_BLOCKS)),
    ):
        disk[place * BLOCK : place * BLOCK + len(content)] = content
    return bytes(disk)


if __name__ == "__main__":
    first_stage, second_stage, output = map(pathlib.Path, sys.argv[1:])
    output.write_bytes(make_disk(first_stage.read_bytes(), second_stage.read_bytes()))
