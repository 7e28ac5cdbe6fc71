"""This tree, and the guests that it has built."""

import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[1]


def guest_path(name):
    """Directory of a guest that scripts/build-guests has built."""
    found = subprocess.run(
        [str(ROOT / "scripts/build-guests"), "--path", name], stdout=subprocess.PIPE, text=True, check=True
    )
    return pathlib.Path(found.stdout.strip())
