"""The pytest plugin, in projects of its own: options, fixtures, and what failures leave behind."""

import os
import pathlib
import re
import subprocess

import pytest

from helpers.tree import HANG
from isochron import engines


def sections(done):
    """The files that each report names, in order."""
    assert "INTERNALERROR" not in done.stdout + done.stderr
    _, *found = re.split(r"^-+ isochron files -+\n", done.stdout, flags=re.M)
    return [re.match(r"((/|not all).*\n)*", text)[0].splitlines() for text in found]


PHASES = """
import pytest

def leave(name):
    open(name, "w").write("left")

@pytest.fixture
def broken(machine, request):
    leave("setup")
    assert not "in setup"

@pytest.fixture
def breaking(machine):
    yield
    leave("teardown")
    assert not "in teardown"

def test_setup(broken):
    pass

def test_teardown(breaking):
    leave("call")

def test_both(breaking):
    leave("call")
    assert not "in call"

def test_neither(machine):
    leave("call")
"""


def test_failures_in_all_phases_keep_files_once(pytest_in, tmp_path):
    done = pytest_in(PHASES, "--keep-logs=kept")
    kept = tmp_path / "kept"
    assert sorted(sections(done)) == [
        [f"{kept}/test_it.py_test_both/call"],
        [f"{kept}/test_it.py_test_both/teardown"],
        [f"{kept}/test_it.py_test_setup/setup"],
        [f"{kept}/test_it.py_test_teardown/call", f"{kept}/test_it.py_test_teardown/teardown"],
    ]
    assert all(pathlib.Path(path).read_text() == "left" for section in sections(done) for path in section)
    assert not (kept / "test_it.py_test_neither").exists()


def test_names_of_what_is_kept(pytest_in, tmp_path):
    names = ["a/b", "a_b", "a:b", "x" * 400, "x" * 401, "ü", "é"]
    text = f"""
import pytest

@pytest.mark.parametrize("name", {names!r}, ids=str)
def test_it(name, tmp_path):
    (tmp_path / "file").write_text(name)
    assert 0
"""
    done = pytest_in(text, "--keep-logs=kept")
    kept = [pathlib.Path(path) for section in sections(done) for path in section]
    assert len(set(kept)) == len(names) and sorted(path.read_text() for path in kept) == sorted(names)


def test_a_test_that_only_runs_leaves_a_bundle(isochron, pytest_in, tmp_path, console_guest):
    text = f"""
def test_it(machine):
    guest = machine(kernel={str(console_guest)!r})
    for _ in range(2):
        with guest.run() as session:
            session.expect("ready")
            assert session.stop().log is None
    assert 0
"""
    ((*paths,),) = sections(pytest_in(text, "--keep-logs=kept"))
    bundles = [path for path in paths if path.endswith(".bundle")]
    assert [os.path.basename(path) for path in bundles] == ["run-1.log.bundle", "run-2.log.bundle"]
    for bundle in bundles:
        replayed = subprocess.run([isochron, "replay", bundle], capture_output=True, timeout=HANG, check=False)
        assert replayed.returncode == 0 and b"ready" in replayed.stdout, replayed.stderr
    ((*paths,),) = sections(pytest_in(text))
    assert [os.path.basename(path) for path in paths] == ["transcript-1"]


def test_tracebacks_show_the_test_and_not_the_driver(pytest_in, console_guest):
    text = f"""
def test_it(machine):
    with machine(kernel={str(console_guest)!r}).run() as session:
        session.expect("never", within=1e6)
"""
    done = pytest_in(text)
    assert "ExpectError" in done.stdout and 'session.expect("never"' in done.stdout
    assert "session.py" not in done.stdout, done.stdout
    assert "session.py" in pytest_in(text, "--full-trace").stdout


def test_logs_that_cannot_be_kept(pytest_in, tmp_path):
    (tmp_path / "kept").write_text("no directory")
    text = """
import os

def test_it(tmp_path):
    (tmp_path / "file").write_text("left")
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert 0
"""
    done = pytest_in(text, "--keep-logs=kept")
    ((reason, path),) = sections(done)
    assert re.fullmatch(r"not all could be kept in .*/kept/test_it.py_test_it: .*Not a directory.*", reason)
    assert pathlib.Path(path).read_text() == "left"


def test_files_that_vanish(pytest_in):
    text = """
import pathlib

def test_it(tmp_path):
    (tmp_path / "stays").write_text("left")
    (tmp_path / "goes").write_text("left")
    stat = pathlib.Path.stat

    def vanishing(path, **options):
        status = stat(path, **options)
        if path.name == "goes":
            path.unlink()
        return status

    pathlib.Path.stat = vanishing
    assert 0
"""
    (paths,) = sections(pytest_in(text, "--keep-logs=kept"))
    assert any(path.endswith("/kept/test_it.py_test_it/stays") for path in paths)


def test_relative_kernels_count_from_where_pytest_was(pytest_in, tmp_path, console_guest):
    (tmp_path / "console.elf").symlink_to(console_guest)
    text = """
import os

def test_it(machine, tmp_path):
    assert os.getcwd() == str(tmp_path)
    with machine(kernel="console.elf").record("log") as session:
        session.send("q")
        assert session.finish().exit_code == 0
    assert (tmp_path / "log").exists()
"""
    done = pytest_in(text)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("given", ["option", "variable"])
def test_a_program_that_is_a_name(pytest_in, tmp_path, isochron, given):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/alpha-machine").symlink_to(isochron)
    environment = {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "ISOCHRON": "alpha-machine"}
    text = f"""
def test_it(isochron):
    assert isochron == {os.path.realpath(isochron)!r}
"""
    program = {"option": "alpha-machine", "variable": ""}[given]
    done = pytest_in(text, program=program, **environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_programs_that_are_none(pytest_in, tmp_path):
    (tmp_path / "text").write_text("no program")
    text = "def test_it(isochron): pass"
    assert "/missing is not built" in pytest_in(text, program="missing").stdout
    assert "/text is not executable" in pytest_in(text, program="./text").stdout


ENGINES = """
import pytest

def test_each(engine, machine):
    assert machine(kernel="/dev/null").engine == engine
    print("each", engine)

@pytest.mark.parametrize("number, engine", [(1, "mine"), (2, "yours")])
def test_own(engine, number, machine):
    assert machine(kernel="/dev/null").engine == engine
    print("own", engine)

@pytest.fixture(scope="session")
def once(engine):
    print("once", engine)
    return engine

def test_session(once, engine):
    assert once == engine

def test_without(machine):
    assert machine(kernel="/dev/null").engine is None
"""


def test_engines(pytest_in, isochron):
    built = engines(isochron)
    done = pytest_in(ENGINES, "-s")
    assert done.returncode == 0, done.stdout
    ran = re.findall(r"(each|own|once) (\w+)", done.stdout)
    assert sorted(ran) == sorted(
        [(kind, name) for kind in ("each", "once") for name in built] + [("own", "mine"), ("own", "yours")]
    )
    done = pytest_in(ENGINES, "-s", "--engine=ref", "--engine=ref")
    assert re.findall(r"(each|once) (\w+)", done.stdout) == [("each", "ref"), ("once", "ref")], done.stdout


def test_an_engine_that_there_is_not(pytest_in):
    done = pytest_in(ENGINES, "--engine=bogus")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert (done.stdout + done.stderr).count("there is no engine 'bogus'; built are ref") == 1


def test_fixtures_are_listed(pytest_in):
    listed = pytest_in("", "--fixtures").stdout
    for name in ("isochron", "engine", "guest", "machine"):
        assert re.search(rf"^{name}\b.*pytest_plugin", listed, flags=re.M), listed
