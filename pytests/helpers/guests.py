"""Guests: kernels that tests build, and those of the build."""

import pathlib
import subprocess

from helpers.tree import ROOT


def build_kernel(kernel, sources, *flags):
    """Makes a guest kernel of sources, which are named from the top of the tree; returns its path as a string."""
    subprocess.run(
        ["alpha-linux-gnu-gcc", "-mcpu=ev67", f"-I{ROOT}", *flags, "-nostdlib", "-static", "-no-pie"]
        + ["-Wl,--no-relax", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"]
        + ["-T", f"{ROOT}/conformance/guests/guest.ld", "-o", str(kernel)]
        + [str(ROOT / source) for source in sources],
        check=True,
    )
    return str(kernel)


def assemble_console_guest(directory, edits):
    """Path of the kernel of guests/console.S, in which each text of `edits` is replaced by another one."""
    text = (ROOT / "pytests/guests/console.S").read_text()
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (directory / "console.S").write_text(text)
    return build_kernel(directory / "console.elf", [directory / "console.S"])


def own_guest(isochron, name):
    """A guest kernel of conformance/guests, from the build that the program is of."""
    return str(pathlib.Path(isochron).resolve().parent.parent / "guests" / f"{name}.elf")
