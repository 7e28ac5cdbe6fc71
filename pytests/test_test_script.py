"""scripts/test goes on after a part that failed, a build too, with what can be run without it."""

import os
import shutil
import subprocess

import pytest

from helpers.tree import HANG, ROOT

# A compiler and a test runner that tell what they were asked, and fail where they are to.
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
case "$*" in *"$FAILING"*) exit 1 ;; esac
"""


@pytest.fixture
def tree(tmp_path):
    """Its scripts in a tree of their own, in which the longer parts do nothing."""
    scripts = tmp_path / "tree/scripts"
    scripts.mkdir(parents=True)
    for name in ("test", "lib.sh"):
        shutil.copy(ROOT / "scripts" / name, scripts)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in [tools / "cmake", tools / "ctest"] + [
        scripts / name for name in ("setup", "build-guests", "tidy", "plain-builds", "fuzz")
    ]:
        tool.write_text(TOOL)
        tool.chmod(0o755)
    return tmp_path


def parts(tree, failing, *arguments):
    """The exit code, what was said, and the calls of tools."""
    environment = os.environ | {
        "PATH": f"{tree}/tools:{os.environ['PATH']}",
        "ISOCHRON_CACHE": str(tree / "cache"),
        "CALLS": str(tree / "calls"),
        "FAILING": failing,
    }
    result = subprocess.run(
        [str(tree / "tree/scripts/test"), *arguments],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    return result.returncode, result.stderr, (tree / "calls").read_text().replace(f"{tree}/tree", "")


def test_everything_passes(tree):
    code, said, calls = parts(tree, "nothing")
    assert code == 0 and "everything passed" in said, said
    for build in ("release", "asan", "tsan"):
        assert f"ctest --test-dir /build/{build} " in calls


def test_a_build_that_fails_is_a_part_that_failed(tree):
    code, said, calls = parts(tree, f"--build {tree}/tree/build/asan")
    assert code == 1 and said.endswith("test: FAILED: build, asan\n"), said
    assert "ctest --test-dir /build/release " in calls and "ctest --test-dir /build/tsan " in calls
    assert "ctest --test-dir /build/asan " not in calls
    assert "plain-builds" in calls and "fuzz --check" in calls


def test_nothing_runs_what_was_not_built(tree):
    code, said, calls = parts(tree, f"--build {tree}/tree/build/release", "--no-asan")
    assert code == 1 and said.endswith("test: FAILED: build, release\n"), said
    assert "ctest" not in calls and "fuzz --check" in calls


def test_parts_that_fail_are_named_at_the_end(tree):
    code, said, _ = parts(tree, "--test-dir")
    assert code == 1 and said.endswith("test: FAILED: ctest, release; ctest, asan; ctest, tsan\n"), said
