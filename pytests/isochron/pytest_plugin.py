"""A pytest plugin for tests of guests: `pytest -p isochron.pytest_plugin`, or `pytest_plugins` in a conftest.py.

Options: `--isochron=PATH`, `--engine=NAME` (may be given again), `--keep-logs=DIR`. Fixtures:

isochron   path of the program: --isochron, else $ISOCHRON, else the one on PATH
engine     each engine in turn that the program was built with, or those of --engine
guest      guest("linux") is the directory of a guest that scripts/build-guests made, in $ISOCHRON_CACHE; its kernel is
           vmlinux, its initrd initrd.cpio.gz. Without it the test is skipped
machine    machine(kernel=..., ...) is a Machine with that program and, if the test has it, that engine. Logs with relative
           paths and transcripts go to the test's tmp_path; they are named when the test fails
"""

from __future__ import annotations

import os
import pathlib
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from isochron.machine import Machine, engines, find_program
from isochron.session import IsochronError

# Wall seconds for one answer; only a hang reaches them, also on a slow host under a sanitizer.
PATIENCE = 600


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("isochron")
    group.addoption("--isochron", metavar="PATH", help="the program to test")
    group.addoption(
        "--engine",
        action="append",
        metavar="NAME",
        help="run tests of all engines on this one only; may be given again",
    )
    group.addoption(
        "--keep-logs",
        metavar="DIR",
        help="copy logs and transcripts of tests that fail to a directory",
    )


def program_of(config: pytest.Config) -> str:
    """The program to test."""
    given = config.getoption("--isochron")
    try:
        path = pathlib.Path(given or find_program()).resolve()
    except IsochronError as error:
        raise pytest.UsageError(f"{error}; give --isochron=PATH") from error
    if not path.is_file():
        raise pytest.UsageError(f"{path} is not built")
    return str(path)


@pytest.fixture(scope="session")
def isochron(request: pytest.FixtureRequest) -> str:
    """Path of the program."""
    return program_of(request.config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" in metafunc.fixturenames:
        built = metafunc.config.getoption("--engine") or engines(program_of(metafunc.config))
        metafunc.parametrize("engine", built, scope="session")


@pytest.fixture(scope="session")
def guest() -> Callable[[str], pathlib.Path]:
    """Finds guests in the cache of scripts/build-guests."""
    cache = os.environ.get("ISOCHRON_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "isochron"
    )

    def find(name: str) -> pathlib.Path:
        found = [
            path
            for path in pathlib.Path(cache, "guests").glob(f"{name}-*")
            if re.fullmatch(rf"{re.escape(name)}-[0-9a-f]{{12}}", path.name)
        ]
        if not found:
            pytest.skip(f"guest {name} is not built: scripts/build-guests {name}")
        return max(found, key=lambda path: path.stat().st_mtime)

    return find


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, isochron: str, tmp_path: pathlib.Path
) -> Iterator[Callable[..., Machine]]:
    """Makes machines whose logs and transcripts go to the test's directory."""
    engine = request.getfixturevalue("engine") if "engine" in request.fixturenames else None
    made = 0

    def make(**fields: Any) -> Machine:
        nonlocal made
        made += 1
        defaults: dict[str, Any] = {
            "program": isochron,
            "engine": engine,
            "patience": PATIENCE,
            "transcript": tmp_path / f"transcript-{made}",
        }
        for name in ("kernel", "initrd"):
            if fields.get(name) is not None:
                fields[name] = os.path.abspath(fields[name])
        return Machine(**defaults | fields)

    before = os.getcwd()
    os.chdir(tmp_path)
    yield make
    os.chdir(before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Names what a failed test left behind."""
    outcome: Any = yield
    report = outcome.get_result()
    directory = getattr(item, "funcargs", {}).get("tmp_path")
    if not report.failed or report.when != "call" or directory is None:
        return
    files = sorted(path for path in directory.rglob("*") if path.is_file() and path.stat().st_size)
    keep = item.config.getoption("--keep-logs")
    if keep:
        # The test may have gone to another directory.
        target = item.config.invocation_params.dir / keep / re.sub(r"[^\w.-]+", "_", item.nodeid)
        shutil.copytree(directory, target, dirs_exist_ok=True, symlinks=True, ignore=_special_files)
        files = [target / path.relative_to(directory) for path in files]
    if files:
        report.sections.append(("isochron files", "\n".join(map(str, files))))


def _special_files(directory: str, names: list[str]) -> list[str]:
    """What copying would block on, or fail at: pipes and sockets."""
    return [
        name
        for name in names
        if not os.path.isdir(os.path.join(directory, name))
        and not os.path.isfile(os.path.join(directory, name))
    ]
