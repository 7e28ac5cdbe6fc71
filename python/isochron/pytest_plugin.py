"""A pytest plugin for tests of guests. pytest loads it by itself where the package is installed, and by
`-p isochron.pytest_plugin`, or by `pytest_plugins` in a conftest.py, where it is only on PYTHONPATH.

Options: `--isochron=PATH`, `--engine=NAME` (may be given again), `--keep-logs=DIR`. Fixtures:

isochron   path of the program: --isochron, else $ISOCHRON, else isochron; a name without a slash is looked for on PATH
engine     each engine in turn that the program was built with, or those of --engine
guest      guest("linux") is the directory of a guest that scripts/build-guests made, in $ISOCHRON_CACHE; its kernel is
           vmlinux, its initrd initrd.cpio.gz. Without it the test is skipped
machine    machine(kernel=..., ...) is a Machine with that program and, if the test has it, that engine. It takes the
           test to its tmp_path: logs with relative paths go there, as transcripts do. A relative `kernel` or `initrd`
           still counts from the directory in which the test was before

The files in the tmp_path of a test that fails, in setup and teardown, too, are named in its report. --keep-logs copies
them to a directory, each log also as a bundle with its images, LOG.bundle, which `isochron replay` runs on any host. With
it Machine.run() records, too, to run-N.log, so that there is something to keep.

Tracebacks leave out the frames of this package when the error is one of its own.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from isochron.errors import IsochronError, hide
from isochron.machine import Machine, engines
from isochron.program import find_program
from isochron.script import printable
from isochron.session import Session

__tracebackhide__ = hide

# Wall seconds for one answer; only a hang reaches them, also on a slow host under a sanitizer.
PATIENCE = 600

_DIRECTORY = pytest.StashKey[pathlib.Path]()
_NAMED = pytest.StashKey[set[pathlib.Path]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("isochron")
    group.addoption("--isochron", metavar="PATH", help="the program to test: a path, or a name on PATH")
    group.addoption(
        "--engine",
        action="append",
        metavar="NAME",
        help="run tests of all engines on this one only; may be given again",
    )
    group.addoption(
        "--keep-logs",
        metavar="DIR",
        help="copy logs, as bundles that replay anywhere, too, and transcripts of tests that fail to a directory",
    )


def pytest_sessionstart(session: pytest.Session) -> None:
    """Judges --engine, once for all tests."""
    for chosen in session.config.getoption("--engine") or ():
        built = _built_engines(session.config)
        if chosen not in built:
            raise pytest.UsageError(f"--engine: there is no engine {chosen!r}; built are {', '.join(built)}")


def program_of(config: pytest.Config) -> str:
    """The program to test."""
    try:
        given = config.getoption("--isochron") or find_program()
    except IsochronError as error:
        raise pytest.UsageError(f"{error}; give --isochron=PATH") from error
    path = config.invocation_params.dir / given
    if not path.is_file() and not os.path.dirname(given):
        path = pathlib.Path(shutil.which(given) or path)
    path = path.resolve()
    if not path.is_file():
        raise pytest.UsageError(f"{path} is not built")
    if not os.access(path, os.X_OK):
        raise pytest.UsageError(f"{path} is not executable")
    return str(path)


def _built_engines(config: pytest.Config) -> tuple[str, ...]:
    try:
        return engines(program_of(config))
    except IsochronError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.fixture(scope="session")
def isochron(request: pytest.FixtureRequest) -> str:
    """Path of the program."""
    return program_of(request.config)


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> str:
    """Each engine in turn that the program was built with, or those of --engine."""
    if not hasattr(request, "param"):
        raise pytest.UsageError("a test that wants the fixture engine must have it as an argument")
    name: str = request.param
    return name


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "engine" not in metafunc.fixturenames or _parametrizes(metafunc, "engine"):
        return
    chosen = metafunc.config.getoption("--engine") or _built_engines(metafunc.config)
    metafunc.parametrize("engine", list(dict.fromkeys(chosen)), indirect=True, scope="session")


def _parametrizes(metafunc: pytest.Metafunc, name: str) -> bool:
    """Whether a test has values of its own for an argument."""
    marks = metafunc.definition.iter_markers("parametrize")
    names = (mark.args[0] if mark.args else mark.kwargs["argnames"] for mark in marks)
    return any(name in (re.split(r"[,\s]+", given) if isinstance(given, str) else given) for given in names)


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


@dataclasses.dataclass
class _RecordingMachine(Machine):
    """A machine all of whose runs leave a log in a directory."""

    directory: pathlib.Path = pathlib.Path()

    def run(self) -> Session:
        """Boots the guest, as without a log."""
        number = 1 + len(list(self.directory.glob("run-*.log*.images")))
        log = self.directory / f"run-{number}.log"
        arguments = ["-o", os.fspath(log), *self.machine_arguments(), *self.options]
        return self._start("record", arguments, tells_log=False)


@pytest.fixture
def machine(
    request: pytest.FixtureRequest, isochron: str, tmp_path: pathlib.Path
) -> Iterator[Callable[..., Machine]]:
    """Makes machines whose logs and transcripts go to the test's directory."""
    engine_name = request.getfixturevalue("engine") if "engine" in request.fixturenames else None
    before = os.getcwd()
    made = 0

    def make(**fields: Any) -> Machine:
        nonlocal made
        made += 1
        defaults: dict[str, Any] = {
            "program": isochron,
            "engine": engine_name,
            "patience": PATIENCE,
            "transcript": tmp_path / f"transcript-{made}",
        }
        for name in ("kernel", "initrd"):
            if fields.get(name) is not None:
                fields[name] = os.path.join(before, fields[name])
        if not request.config.getoption("--keep-logs"):
            return Machine(**defaults | fields)
        return _RecordingMachine(**defaults | fields, directory=tmp_path)

    os.chdir(tmp_path)
    yield make
    os.chdir(before)


@pytest.hookimpl(hookwrapper=True)  # type: ignore[misc]
def pytest_fixture_setup(fixturedef: Any, request: pytest.FixtureRequest) -> Iterator[None]:
    """Remembers the directories of tests: of those that fail in setup nothing else tells them."""
    outcome: Any = yield
    if fixturedef.argname == "tmp_path" and outcome.excinfo is None:
        request.node.stash[_DIRECTORY] = outcome.get_result()


@pytest.hookimpl(hookwrapper=True)  # type: ignore[misc]
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Names what a failed test left behind."""
    outcome: Any = yield
    report = outcome.get_result()
    directory = item.stash.get(_DIRECTORY, None)
    if not report.failed or directory is None:
        return
    # A test can fail again, in its teardown.
    nothing: set[pathlib.Path] = set()
    named = item.stash.setdefault(_NAMED, nothing)
    files = [path for path in _files_in(directory) if path not in named]
    named.update(files)
    lines = []
    keep = item.config.getoption("--keep-logs")
    if keep and files:
        # The test may have gone to another directory.
        target = item.config.invocation_params.dir / keep / _directory_name(item.nodeid)
        error = _copy(directory, target)
        if error is not None:
            lines.append(f"not all could be kept in {target}: {error}")
        kept = {path: target / path.relative_to(directory) for path in files}
        bundles, errors = _bundle(program_of(item.config), kept)
        lines += errors
        files = [kept[path] if os.path.exists(kept[path]) else path for path in files] + bundles
    if files:
        names = [printable(line).replace("\n", "\\n") for line in (*lines, *map(str, files))]
        report.sections.append(("isochron files", "\n".join(names)))


def _files_in(directory: pathlib.Path) -> list[pathlib.Path]:
    """All files that are not empty. Others may be deleting them."""
    found = []
    for folder, _, names in os.walk(directory):
        for path in (pathlib.Path(folder, name) for name in names):
            try:
                status = path.stat()
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode) and status.st_size > 0:
                found.append(path)
    return sorted(found)


def _directory_name(nodeid: str) -> str:
    """A name for what a test leaves; no two tests have the same."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", nodeid)
    if re.fullmatch(r"[A-Za-z0-9_.-]+\.py::[A-Za-z0-9_]+", nodeid) and len(name) <= 200:
        return name
    digest = hashlib.sha256(nodeid.encode(errors="backslashreplace")).hexdigest()
    return f"{name[:180]}-{digest[:12]}"


def _copy(source: pathlib.Path, target: pathlib.Path) -> str | None:
    """Copies a directory as far as it can be copied. Returns what went wrong."""
    try:
        shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True, ignore=_special_files)
    except shutil.Error as error:
        return "; ".join(str(why) for _, _, why in error.args[0])
    except OSError as error:
        return str(error)
    return None


def _bundle(program: str, kept: dict[pathlib.Path, pathlib.Path]) -> tuple[list[pathlib.Path], list[str]]:
    """Packs each log with its images beside its copy. Returns the bundles, and what went wrong."""
    bundles, errors = [], []
    for sidecar in (path for path in kept if path.suffix == ".images"):
        whole = sidecar.with_suffix("")
        log = next((path for path in (whole, pathlib.Path(f"{whole}.partial")) if path.is_file()), None)
        bundle = kept[sidecar].with_suffix(".bundle")
        if log is None or not bundle.parent.is_dir():
            continue
        packed = subprocess.run(
            [program, "log", "bundle", log, "-o", bundle],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        if packed.returncode == 0:
            bundles.append(bundle)
        else:
            errors.append(f"not bundled: {packed.stderr.decode(errors='replace').strip()}")
    return bundles, errors


def _special_files(directory: str, names: list[str]) -> list[str]:
    """What copying would block on, or fail at: pipes and sockets."""
    return [
        name
        for name in names
        if not os.path.isdir(os.path.join(directory, name))
        and not os.path.isfile(os.path.join(directory, name))
    ]
