"""Checks the C++ sources with clang-tidy, as .clang-tidy has it.

Run by scripts/tidy: the build directory holds a unity build, whose joined files take clang-tidy a quarter of the time of
single ones. Tests, which stay apart there, are left out. What passed is noted in the cache by the contents of all that
went in, and is not read again. Exit 0 if all passed, 1 otherwise.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys


# The commands are GCC's, and clang's own warnings are those that it has anyway.
CLANG_FLAGS = ["-Wno-unknown-warning-option", "-Wno-missing-field-initializers"]


def joined_files(build):
    """The files of the build's compilations, but for those of tests and of the planted faults."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    return sorted(
        (entry["file"], entry["command"])
        for entry in entries
        if not entry["file"].endswith("_test.cc")
        and "planted" not in entry["file"]
        and "embedded_" not in entry["file"]  # bytes of images
    )


def dependencies(build):
    """What each object file was made from, by ninja's notes."""
    notes = subprocess.run(["ninja", "-C", build, "-t", "deps"], stdout=subprocess.PIPE, text=True, check=True)
    found = {}
    for line in notes.stdout.splitlines():
        if not line:
            continue
        if line.startswith(" "):
            found[current].append(build / line.strip())
        else:
            current = line.split(":", 1)[0]
            found[current] = []
    return found


def key_of(command, inputs, config, version, root):
    """Of all that clang-tidy's answer depends on, wherever the tree stands; None when that is not known."""
    if not inputs or not all(path.exists() for path in inputs):
        return None
    # Joined files name the tree in what they include, and commands in their options.
    name = os.fsencode(root)
    texts = sorted((os.fsencode(path).replace(name, b""), path.read_bytes().replace(name, b"")) for path in inputs)
    digest = hashlib.sha256()
    for part in (version.encode(), config.encode(), command.encode().replace(name, b""), *(text for _, text in texts)):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def object_of(command):
    words = command.split()
    return words[words.index("-o") + 1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clang-tidy", default="clang-tidy-14")
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    root = pathlib.Path(__file__).resolve().parents[1]
    config = (root / ".clang-tidy").read_text(encoding="utf-8")
    version = subprocess.run([options.clang_tidy, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    made_from = dependencies(options.build)

    def check(entry):
        """What clang-tidy says of a file; nothing when all is well."""
        file, command = entry
        key = key_of(command, made_from.get(object_of(command), []), config, version, root)
        note = options.cache / key if key else None
        if note and note.exists():
            return ""
        result = subprocess.run(
            [options.clang_tidy, "--quiet", "-p", options.build, *(f"--extra-arg={flag}" for flag in CLANG_FLAGS), file],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if result.returncode == 0:
            if note:
                note.touch()
            return ""
        return result.stdout or result.stderr

    files = joined_files(options.build)
    if not files:
        sys.exit(f"{options.build} compiles nothing")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(check, files) if text]
    print("".join(found), end="")
    print(f"{len(files)} joined files, {len(found)} with findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
