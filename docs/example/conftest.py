"""Builds the kernel; the rest comes from isochron's plugin, which pytest finds by itself."""

import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """The kernel of this project, linked to run in KSEG."""
    elf = tmp_path_factory.mktemp("kernel") / "kernel.elf"
    subprocess.run(
        ["alpha-linux-gnu-gcc", "-mcpu=ev67", "-nostdlib", "-static", "-no-pie"]
        + ["-Wl,--no-relax", "-Wl,--build-id=none", "-Wl,-Ttext-segment=0xfffffc0000310000"]
        + ["-o", elf, HERE / "kernel.S"],
        check=True,
    )
    return elf
