"""What users get: the manual page, the completion, and the driver with its example project, outside the tree."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import pexpect
import pytest

from conftest import HANG, ROOT
from isochron import engines
from test_cli_run import help_options, run


@pytest.fixture(scope="session")
def build(isochron):
    """The build that the program is of."""
    return pathlib.Path(isochron).resolve().parent.parent


@pytest.fixture(scope="session")
def generated(build):
    """Where the build puts manual page and completion."""
    return build / "generated"


def commands(isochron, *words):
    """All commands below one, from the program's own help."""
    text = run(isochron, *words, "--help").stdout.decode()
    if "Subcommands:\n" not in text:
        return [list(words)]
    names = re.findall(r"^  ([a-z]+) ", text.split("Subcommands:\n")[1], re.M)
    return [command for name in names for command in commands(isochron, *words, name)]


def complete(generated, *words):
    """What bash offers for the last word; FILES when it is to offer files."""
    script = (
        f'source {generated}/isochron.bash; compopt() {{ [[ $2 != default ]] || echo FILES; }}; '
        'COMP_WORDS=(isochron "$@"); COMP_CWORD=$#; _isochron; printf "%s\\n" "${COMPREPLY[@]}"'
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


def test_the_completion_knows_every_option(isochron, generated):
    assert complete(generated, "r") == {"run", "record", "replay"}
    assert complete(generated, "log", "d") == {"dump", "diff"}
    for command in commands(isochron):
        assert complete(generated, *command, "--") - {"--help"} == help_options(isochron, *command), command
        # After a flag, too.
        for flag in {"--stats", "--live", "--json", "--perf-map", "--no-reboot"} & help_options(isochron, *command):
            assert complete(generated, *command, flag, "--") == complete(generated, *command, "--"), flag
    assert complete(generated, "run", "--stats", "--ker") == {"--kernel"}
    assert complete(generated, "run", "--kernel", "a") == {"FILES"}
    assert complete(generated, "replay", "a") == {"FILES"}
    assert complete(generated, "replay", "--live", "a") == {"FILES"}
    names = engines(isochron)
    for words in (["--engine"], ["--engine", "="], ["--stats", "--engine", "="]):
        assert complete(generated, "run", *words, "r") == {"ref"}
        assert complete(generated, "run", *words, "") == set(names)
    assert complete(generated, "run", "--engine", "=") == set(names)
    assert complete(generated, "run", "--engine", "jit", ":") == set()
    assert complete(generated, "conform", "--engines", "") == {f"{one},{other}" for one in names for other in names}
    assert {"header", "output", "checkpoint"} <= complete(generated, "log", "dump", "--type", "")
    assert complete(generated, "run", "--console", "n") == {"null"}
    assert complete(generated, "run", "--console", "file", ":", "a") == {"FILES"}
    assert complete(generated, "run", "--memory", "1") == set()


@pytest.mark.parametrize("typed, completed", [
    ("isochron replay --stats my", "isochron replay --stats my\\ session.log "),
    ("isochron replay 'my", "isochron replay 'my session.log' "),
    ("isochron run --initrd=my", "isochron run --initrd=my\\ session.log "),
    ("isochron run --console file", "isochron run --console file:"),
    ("isochron run --engine=r", "isochron run --engine=ref "),
])  # fmt: skip
def test_the_completion_in_bash(generated, tmp_path, typed, completed):
    (tmp_path / "my session.log").touch()
    bash = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(tmp_path), timeout=HANG,
        env={"PS1": "ready> ", "TERM": "dumb", "PATH": os.environ["PATH"], "INPUTRC": "/dev/null"},
    )  # fmt: skip
    bash.expect_exact("ready> ")
    bash.sendline(f"source {generated}/isochron.bash; bind 'set enable-bracketed-paste off'")
    bash.expect_exact("ready> ")
    bash.send(f"{typed}\t")
    bash.expect_exact(completed)
    bash.close(force=True)


@pytest.fixture(params=["/usr", "/usr/local", "/opt/isochron"])
def installed(request, build, tmp_path):
    """(root, prefix) of an installation."""
    subprocess.run(
        ["cmake", "--install", build, "--prefix", request.param],
        env={**os.environ, "DESTDIR": str(tmp_path)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return tmp_path, request.param


def test_the_target_installable_is_all_that_is_installed_and_no_more(build):
    """Which is what README and scripts/demo build: cpack has to find everything after it."""
    rules = (build / "packaging/cmake_install.cmake").read_text()
    files = set(re.findall(rf'FILES "{re.escape(str(build))}/([^"]+)"', rules))
    assert files >= {"cli/isochron", "generated/isochron.1"}
    steps = subprocess.run(
        ["ninja", "-C", build, "-t", "commands", "installable"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    for file in files - {"generated/README.md"}:  # configuring writes that one
        assert re.search(rf"[ /]{re.escape(file)}\s", steps), file
    assert "_test.cc" not in steps


def test_an_installation(installed):
    root, prefix = installed
    below = root / prefix[1:]
    assert {str(path.relative_to(below)) for path in below.rglob("isochron*") if "docs" not in path.parts} >= {
        "bin/isochron", "share/man/man1/isochron.1", "share/bash-completion/completions/isochron", "share/doc/isochron",
    }  # fmt: skip
    documentation = below / "share/doc/isochron"
    page = (below / "share/man/man1/isochron.1").read_text()
    assert f"\nThe documentation in {prefix}/share/doc/isochron, first" in page

    # Debian's python3 finds the driver by itself below its own prefixes.
    [driver] = below.glob("lib/python3*/dist-packages/isochron")
    sought = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", "import site; print(*site.getsitepackages())"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = "/" + str(driver.parent.relative_to(root))
    assert found in sought if prefix != "/opt/isochron" else found == f"{prefix}/lib/python3/dist-packages"
    assert {path.name for path in driver.iterdir()} >= {"__init__.py", "pytest_plugin.py", "py.typed"}

    assert (documentation / "docs/example/kernel.S").is_file()
    check_links(documentation)


def test_links_between_pages():
    check_links(ROOT, "README.md", "docs/**/*.md")


def check_links(folder, *patterns):
    """Every link of these pages that names a file names one that is there."""
    pages = [page for pattern in patterns or ["**/*.md"] for page in folder.glob(pattern)]
    assert len(pages) > 10
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), f"{page}: {link}"


@pytest.fixture(scope="session")
def package(build, tmp_path_factory):
    """What the Debian package puts below /."""
    directory = tmp_path_factory.mktemp("package")
    subprocess.run(
        ["cpack", "-G", "DEB", "-B", str(directory)],
        cwd=build, stdout=subprocess.DEVNULL, timeout=HANG, check=True,
    )  # fmt: skip
    [archive] = directory.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(directory / "root")], timeout=HANG, check=True)
    return directory / "root"


def test_the_example_of_the_package_passes_outside_the_tree(package, tmp_path):
    """With nothing but what the package brings, as its README says."""
    project = tmp_path / "project"
    shutil.copytree(package / "usr/share/doc/isochron/docs/example", project)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env={
            "PATH": f"{package}/usr/bin:{os.environ['PATH']}",
            "PYTHONPATH": f"{package}/usr/lib/python3/dist-packages",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d passed in", done.stdout)


def test_annotations_of_the_driver(tmp_path):
    """They are for users' type checkers, too: py.typed is installed."""
    checked = subprocess.run(
        ["mypy", "--strict", f"--cache-dir={tmp_path}", "isochron"],
        cwd=ROOT / "pytests", capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


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
