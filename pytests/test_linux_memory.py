"""How much memory Linux needs: what docs/firmware.md says of it is where it begins to work."""

import gzip
import math
import re
import stat
import subprocess

from conformance.tree import guest_path
from conformance.witness.guest_archive import Archive
from helpers.commands import run, write
from helpers.linux_guest import boot_arguments

MIB = 1 << 20
PAGE = 1 << 13
FAILURE = b"Initramfs unpacking failed: write error"


def unpacked_bytes(archive):
    """What the files of an archive (cpio, newc) take in whole pages."""
    total, at = 0, 0
    while at < len(archive):
        if archive[at : at + 6] != b"070701":
            at += 1  # padding between archives
            continue
        mode, size, name_size = (int(archive[at + field : at + field + 8], 16) for field in (14, 54, 94))
        if stat.S_ISREG(mode):
            total += math.ceil(size / PAGE) * PAGE
        at += (110 + name_size + 3 & ~3) + (size + 3 & ~3)
    return total


def test_the_least_memory_for_an_initrd_that_unpacks_large(isochron, tmp_path):
    extra = Archive()
    extra.file("zeros", bytes(12 * MIB))
    base = (guest_path("initrd") / "initrd.cpio.gz").read_bytes()
    initrd = tmp_path / "initrd.cpio.gz"
    initrd.write_bytes(base + gzip.compress(extra.finish(), mtime=0))
    arguments = boot_arguments(initrd=initrd)
    headers = subprocess.run(
        ["alpha-linux-gnu-readelf", "-lW", arguments[1]], capture_output=True, text=True, check=True
    ).stdout
    kernel = sum(int(size, 16) for size in re.findall(r"LOAD .* (0x[0-9a-f]+) +RW?E", headers))
    unpacked = unpacked_bytes(gzip.decompress(initrd.read_bytes()))
    least = ((768 << 10) + kernel + initrd.stat().st_size + 2 * unpacked) * 64 / 63
    script = write(tmp_path / "script", 'expect "# "\nstop\n')

    def boot(memory):
        result = run(isochron, "run", *arguments, "--memory", f"{memory}M", "--script", script)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert FAILURE not in boot(math.ceil(least / MIB))
    assert FAILURE in boot(math.floor(least * 31 / 32 / MIB)), "there is a bound, and it is near"


def test_the_program_promises_no_more_than_it_knows(isochron):
    result = run(isochron, "run", *boot_arguments(), "--memory", "20M")
    assert result.returncode == 2
    least = re.search(rb"to load kernel and initrd takes at least --memory (\d+)M, and to unpack", result.stderr)[1]
    assert run(isochron, "run", *boot_arguments(), "--memory", f"{int(least) - 1}M").returncode == 2
    arguments = ["--memory", f"{int(least)}M", "--max-cycles", "1M"]
    assert run(isochron, "run", *boot_arguments(), *arguments).returncode == 5
