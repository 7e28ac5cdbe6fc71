"""Where the program is."""

from __future__ import annotations

import os
import shutil

from isochron.errors import IsochronError, hide

__tracebackhide__ = hide


def find_program() -> str:
    """The program: $ISOCHRON, a path or a name on PATH, else isochron on PATH. Raises IsochronError."""
    named = os.environ.get("ISOCHRON")
    found = shutil.which(named or "isochron") or named
    if not found:
        raise IsochronError("no program isochron: it is not on PATH and $ISOCHRON is not set")
    return found
