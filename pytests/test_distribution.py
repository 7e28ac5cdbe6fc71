"""The driver as a distribution: what pip and pytest know of one that is installed, and its wheel."""

import os
import re
import subprocess
import sys
import zipfile

import pytest

from helpers.commands import run
from helpers.tree import DRIVER, HANG, ROOT
from isochron import __version__, engines


@pytest.fixture
def installed_python(isochron, package, tmp_path):
    """installed_python(ARGUMENT...): Python in the test's directory, with the driver of the Debian package."""

    def run_python(*arguments):
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": f"{package}/usr/lib/python3/dist-packages",
                "PYTHONDONTWRITEBYTECODE": "1",
                "ISOCHRON": isochron,
            },
            capture_output=True, text=True, timeout=HANG, check=False,
        )  # fmt: skip

    return run_python


def version_of(isochron):
    return run(isochron, "--version").stdout.decode().split()[1].strip(",;")


def test_pip_lists_it(isochron, installed_python):
    listed = installed_python("-m", "pip", "list", "--disable-pip-version-check")
    assert listed.returncode == 0, listed.stderr
    assert re.findall(r"^isochron +(\S+)$", listed.stdout, re.M) == [version_of(isochron)]
    shown = installed_python("-m", "pip", "show", "--files", "isochron")
    assert "Summary: Drives the Alpha emulator" in shown.stdout


def test_its_version_is_the_programs(isochron, installed_python):
    program = "import importlib.metadata, isochron; print(isochron.__version__, importlib.metadata.version('isochron'))"
    said = installed_python("-c", program)
    assert said.stdout.split() == [version_of(isochron)] * 2 == [__version__] * 2, said.stderr


def test_pytest_knows_its_options(isochron, installed_python):
    said = installed_python("-m", "pytest", "--help").stdout
    for option in ("--isochron=PATH", "--engine=NAME", "--keep-logs=DIR"):
        assert said.count(f"  {option}") == 1
    header = installed_python("-m", "pytest", "-p", "no:cacheprovider").stdout
    assert re.search(rf"^plugins: .*\bisochron-{re.escape(version_of(isochron))}\b", header, re.M), header
    without = installed_python("-m", "pytest", "-p", "no:isochron", "--help")
    assert without.returncode == 0 and "--keep-logs" not in without.stdout


@pytest.mark.parametrize(
    "arguments, conftest",
    [
        ([], ""),
        (["-p", "isochron.pytest_plugin"], ""),
        (["-p", "isochron"], ""),
        ([], 'pytest_plugins = ["isochron.pytest_plugin"]'),
        (["-p", "isochron.pytest_plugin"], 'pytest_plugins = ["isochron.pytest_plugin"]'),
    ],
)
def test_the_plugin_is_taken_once(isochron, installed_python, tmp_path, arguments, conftest):
    """However a project names it, and when it does not."""
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_it.py").write_text("def test_it(engine, machine):\n    assert 0\n")
    done = installed_python("-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "--keep-logs=kept", "test_it.py")
    assert done.returncode == 1 and not done.stderr, done.stdout + done.stderr
    assert f"\n{len(engines(isochron))} failed in " in done.stdout


def test_the_tests_of_this_tree_take_its_own_driver(installed_python):
    """Though another one is installed, and pytest knows its plugin."""
    tests = str(ROOT / "pytests/test_log_format.py")
    said = installed_python("-m", "pytest", "-p", "no:cacheprovider", "--collect-only", "--trace-config", tests).stdout
    paths = re.findall(r"^ +isochron\S*\s*: (/.*)$", said, re.M)
    assert [os.path.realpath(path) for path in paths] == [str(DRIVER / "isochron/pytest_plugin.py")]


def make_distribution(directory, version, **options):
    return subprocess.run(
        ["/usr/bin/python3", "-B", str(ROOT / "packaging/python_distribution.py"), "--version", version]
        + ["--date", "1000000000", "--dist-info", f"isochron-{version}.dist-info", str(DRIVER)],
        cwd=directory, capture_output=True, text=True, timeout=HANG, check=False, **options,
    )  # fmt: skip


def test_the_wheel_is_whole_and_the_same_bytes_whoever_makes_it(tmp_path):
    wheels = []
    for umask in (0o022, 0o077):
        directory = tmp_path / oct(umask)
        directory.mkdir()
        made = make_distribution(directory, __version__, umask=umask)
        assert made.returncode == 0, made.stderr
        [wheel] = directory.glob("*.whl")
        wheels.append(wheel)
    assert wheels[0].read_bytes() == wheels[1].read_bytes()
    with zipfile.ZipFile(wheels[0]) as archive:
        files = {name for name in archive.namelist() if name.startswith("isochron/")}
    sources = {*(DRIVER / "isochron").rglob("*.py"), DRIVER / "isochron/py.typed"}
    assert files == {str(path.relative_to(DRIVER)) for path in sources}
    assert not [*DRIVER.glob("*.egg-info"), *DRIVER.glob("build")]


def test_pip_installs_the_wheel_of_the_build(isochron, build, tmp_path):
    [wheel] = (build / "python").glob("*.whl")
    options = ["--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check", "--root-user-action=ignore"]
    done = subprocess.run(
        ["/usr/bin/python3", "-m", "pip", "install", *options, "--target", str(tmp_path), str(wheel)],
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"isochron-{version_of(isochron)}" in done.stdout
    assert (tmp_path / "isochron/py.typed").is_file()


def test_a_driver_of_another_version_makes_none(tmp_path):
    made = make_distribution(tmp_path, "9.9")
    assert made.returncode == 1 and made.stderr.count("\n") == 1
    assert f"the program is version 9.9, the driver makes isochron-{__version__}-" in made.stderr
    assert not [*tmp_path.glob("*.whl"), *tmp_path.glob("*.dist-info")]
