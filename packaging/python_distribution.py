#!/usr/bin/python3
"""Makes the Python distribution of the driver: its wheel, and the dist-info that an installation by CMake has of it.

Works on a copy, because setuptools writes beside what it reads. Fails when the driver's version is not the program's.
"""

import argparse
import contextlib
import io
import os
import pathlib
import shutil
import sys
import zipfile

from setuptools import build_meta


def copy_sources(source: pathlib.Path, target: pathlib.Path) -> None:
    """What the wheel is made of, and nothing that an earlier build has left."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
    # The wheel records modes, which here are those of somebody's umask.
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def build_wheel(source: pathlib.Path, output: pathlib.Path) -> pathlib.Path:
    """Path of the wheel of `source`. What setuptools says is shown when it fails."""
    said = io.StringIO()
    before = pathlib.Path.cwd()
    os.chdir(source)
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return output / build_meta.build_wheel(str(output))
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise
    finally:
        os.chdir(before)


def unpack_metadata(wheel: pathlib.Path, target: pathlib.Path) -> None:
    """The dist-info of a wheel, as distributions have it: without RECORD, which is for pip to uninstall by."""
    shutil.rmtree(target, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            folder, _, file = name.partition("/")
            if folder == target.name and file != "RECORD":
                archive.extract(name, target.parent)
    (target / "INSTALLER").write_text("cmake\n")
    for path in target.iterdir():
        path.chmod(0o644)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", required=True, help="the program's")
    parser.add_argument("--date", required=True, help="seconds since 1970, of the files in the wheel")
    parser.add_argument("--dist-info", required=True, type=pathlib.Path, help="directory; the wheel goes beside it")
    parser.add_argument("source", type=pathlib.Path, help="directory of pyproject.toml")
    options = parser.parse_args()
    # The wheel is the same bytes whoever makes it.
    os.umask(0o022)
    os.environ.setdefault("SOURCE_DATE_EPOCH", options.date)
    output = options.dist_info.absolute().parent
    output.mkdir(parents=True, exist_ok=True)
    copy_sources(options.source, output / "source")
    wheel = build_wheel(output / "source", output)
    if wheel.name != f"isochron-{options.version}-py3-none-any.whl":
        wheel.unlink()
        sys.exit(f"python_distribution: the program is version {options.version}, the driver makes {wheel.name}")
    unpack_metadata(wheel, options.dist_info.absolute())


if __name__ == "__main__":
    main()
