"""The programs of the guest "bench", compiled for the host by its own compiler with -O2 and nothing for its kind of processor."""

import hashlib
import os
import pathlib
import subprocess
import tempfile

from conformance.tree import ROOT

SOURCES = ROOT / "conformance/guests/linux/bench"
OPTIONS = ["-O2", "-ffp-contract=off", "-D_GNU_SOURCE"]
COMPILERS = {".c": ["gcc", "-std=gnu17"], ".cc": ["g++", "-std=gnu++20", "-fno-exceptions", "-fno-rtti"]}


def cache():
    """The directory of scripts/lib.sh."""
    home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("ISOCHRON_CACHE") or pathlib.Path(home) / "isochron")


def key(sources):
    """A hash of what goes into the program."""
    digest = hashlib.sha256(repr((OPTIONS, COMPILERS)).encode())
    for compiler in COMPILERS.values():
        digest.update(subprocess.run([compiler[0], "--version"], stdout=subprocess.PIPE, check=True).stdout)
    for source in sources:
        digest.update(source.name.encode() + source.read_bytes())
    return digest.hexdigest()[:12]


def native_program():
    """The program's path; it is compiled if it is not in the cache."""
    sources = sorted(path for path in SOURCES.iterdir() if path.suffix in (".c", ".cc", ".h"))
    program = cache() / "native" / f"bench-{key(sources)}"
    if program.exists():
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        objects = []
        for source in sources:
            if source.suffix in COMPILERS:
                objects.append(f"{folder}/{source.stem}.o")
                subprocess.run([*COMPILERS[source.suffix], *OPTIONS, "-c", "-o", objects[-1], str(source)], check=True)
        made = pathlib.Path(folder) / "bench"
        subprocess.run(["gcc", "-o", str(made), *objects, "-lm"], check=True)
        made.replace(program)
    return program
