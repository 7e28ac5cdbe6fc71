"""The long-running checks in their short forms, and that they can fail."""

import re
import subprocess

import pytest

from conftest import ROOT
from test_cli_run import HANG


def script(name, *args):
    return subprocess.run(
        [str(ROOT / "scripts" / name), *args],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip


def test_a_disturbed_host_makes_one_log(isochron):
    result = script("soak", "6", "--isochron", isochron)
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.match(r"6 recordings on .*: one log of \d+ bytes, SHA-256 [0-9a-f]{64} ", result.stdout)


@pytest.fixture
def fickle(isochron, tmp_path):
    """A program whose recordings differ."""
    program = tmp_path / "fickle"
    program.write_text(
        f"""#!/bin/sh
[ "$1" = record ] || exec {isochron} "$@"
shift
echo >>{tmp_path}/count
exec {isochron} record --rtc 2010-01-01T00:00:0$(($(wc -l <{tmp_path}/count) % 2)) "$@"
"""
    )
    program.chmod(0o755)
    return str(program)


def test_soak_finds_logs_that_differ(fickle, tmp_path):
    result = script("soak", "3", "--isochron", fickle, "--keep", str(tmp_path / "kept"), "--seed", "1")
    assert result.returncode == 3, result.stdout + result.stderr
    assert result.stdout.startswith("3 recordings, 2 different logs (seed 1)\n2 times ")
    assert "headers" in result.stdout
    assert len(list((tmp_path / "kept").iterdir())) == 2


def test_comparison_with_qemu(isochron):
    result = script("compare-qemu", "--recordings", "2", "--isochron", isochron)
    assert result.returncode == 0, result.stderr
    rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()]
    table = {row[0]: row[1:] for row in rows}
    ours = len(table["recordings"])
    assert table["distinct logs"][1:] == ["1"] * (ours - 1)
    assert table["distinct transcripts"][1:] == ["1"] * (ours - 1)
    assert table["replays that end well with the recorded transcript"][1:] == ["2"] * (ours - 1)
    assert table["first byte at which logs differ"][1:] == ["none"] * (ours - 1)
