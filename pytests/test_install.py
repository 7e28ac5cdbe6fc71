"""What users get: the manual page, the completion, and the driver with its example project, outside the tree."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT
from test_cli_run import HANG, help_options, run


@pytest.fixture(scope="session")
def generated(isochron):
    """Where the build puts manual page and completion."""
    return pathlib.Path(isochron).resolve().parent.parent / "generated"


def commands(isochron, *words):
    """All commands below one, from the program's own help."""
    text = run(isochron, *words, "--help").stdout.decode()
    if "Subcommands:\n" not in text:
        return [list(words)]
    names = re.findall(r"^  ([a-z]+) ", text.split("Subcommands:\n")[1], re.M)
    return [command for name in names for command in commands(isochron, *words, name)]


def complete(generated, *words):
    """What bash offers for the last word."""
    script = (
        f"source {generated}/isochron.bash; compopt() {{ :; }}; COMP_WORDS=(isochron \"$@\"); COMP_CWORD=$#; _isochron; "
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "-c", script, "bash", *words], stdout=subprocess.PIPE, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_manual_page_has_every_option(isochron, generated):
    page = (generated / "isochron.1").read_text().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS isochron (.+)\n((?:(?!\.S[SH]).*\n)*)", page, re.M))
    assert len(sections) == len(commands(isochron)) > 5
    for command in commands(isochron):
        options = set(re.findall(r"\\fB(--[a-z-]+)\\fR", sections[" ".join(command)]))
        assert options == help_options(isochron, *command), command
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", generated / "isochron.1"], capture_output=True, text=True, check=True
    )
    assert shown.stderr == "" and "isochron - a deterministic DEC Alpha computer" in shown.stdout


def test_the_completion_knows_every_option(isochron, generated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.log").touch()
    assert complete(generated, "r") == {"run", "record", "replay"}
    assert complete(generated, "log", "d") == {"dump", "diff"}
    for command in commands(isochron):
        assert complete(generated, *command, "--") - {"--help"} == help_options(isochron, *command), command
    assert complete(generated, "run", "--kernel", "a") == {"a.log"}
    assert complete(generated, "replay", "a") == {"a.log"}
    assert "ref" in complete(generated, "run", "--engine", "")
    assert complete(generated, "run", "--console", "n") == {"null"}
    assert complete(generated, "run", "--memory", "1") == set()


def test_the_example_passes_outside_the_tree(isochron, tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "docs/example", project, ignore=shutil.ignore_patterns("__pycache__"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--isochron={isochron}"],
        cwd=project,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "pytests")},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d passed in", done.stdout)


FAILING = '''
def test_fails(machine):
    with machine(kernel="{kernel}").record("some.log") as session:
        session.expect("ready")
        session.stop()
    assert not "a failure"
'''


def test_what_a_failure_leaves_is_kept_and_named(isochron, console_guest, tmp_path):
    (tmp_path / "test_it.py").write_text(FAILING.format(kernel=console_guest))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "isochron.pytest_plugin"]
        + [f"--isochron={isochron}", "--keep-logs=kept", "--rootdir=.", "test_it.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "pytests")},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    kept = tmp_path / "kept/test_it.py_test_fails"
    assert f"{kept}/some.log" in done.stdout and (kept / "some.log").is_file()
    assert (kept / "transcript-1").read_bytes() == b"ready\r\n"
    assert run(isochron, "log", "verify", str(kept / "some.log")).returncode == 0
