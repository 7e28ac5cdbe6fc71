"""The Debian package."""

import subprocess

from helpers.tree import HANG


def pack(build, directory):
    """Makes the Debian package of a build in a directory, and returns its path."""
    subprocess.run(
        ["cpack", "-G", "DEB", "-B", str(directory)],
        cwd=build, umask=0o022, stdout=subprocess.DEVNULL, timeout=HANG, check=True,
    )  # fmt: skip
    [archive] = directory.glob("*.deb")
    return archive
