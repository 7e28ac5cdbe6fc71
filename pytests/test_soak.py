"""The long-running checks in their short forms, and that they can fail."""

import contextlib
import os
import pathlib
import re
import select
import signal
import subprocess
import time

import pytest

from conformance.campaign.soak import can_page_out, own_copy, page_out
from helpers.tree import HANG, ROOT

# Wall seconds for a script: more than the patience that it has with one thing after the other.
SCRIPT_HANG = 2 * HANG


def script(name, *args):
    return subprocess.run(
        [str(ROOT / "scripts" / name), *args],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SCRIPT_HANG, check=False,
    )  # fmt: skip


def test_a_disturbed_host_makes_one_log(isochron, locales):
    result = script("soak", "6", "--isochron", isochron, "--locales", str(locales))
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.match(r"6 recordings on .*: one log of \d+ bytes, SHA-256 [0-9a-f]{64} ", result.stdout)
    assert "no locales" not in result.stderr


def test_a_disturbed_host_makes_one_log_of_a_disk(isochron, locales):
    result = script("soak", "2", "--disk", "ide", "--files", "100", "--isochron", isochron, "--locales", str(locales))
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.match(r"2 recordings on .*: one log of ", result.stdout)


def test_a_disturbed_host_makes_one_log_of_several_cpus(isochron, locales):
    options = ["--cpus", "2", "--schedule", "random:7:20K-90K", "--engine", "jit"]
    result = script("soak", "2", *options, "--isochron", isochron, "--locales", str(locales))
    assert result.returncode == 0, result.stdout + result.stderr
    assert re.match(r"2 recordings on jit: one log of ", result.stdout)


def test_pages_are_taken_away(tmp_path):
    if why := can_page_out():
        pytest.skip(f"not allowed here: {why}")
    program = own_copy("/bin/cat", tmp_path / "cat")

    def file_pages(pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"^RssFile:\s+(\d+)", status, re.MULTILINE)[1])

    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(b"x")
        process.stdin.flush()
        assert process.stdout.read(1) == b"x"  # it runs
        before = file_pages(process.pid)
        # Those that the kernel is just busy with stay for a while.
        while file_pages(process.pid) >= before:
            page_out(process.pid)
        process.stdin.close()
        assert process.wait(HANG) == 0


@pytest.fixture
def wrapped(isochron, tmp_path):
    """wrapped(TEXT): a program that obeys the shell script TEXT in place of recording; first() is true once."""

    def wrap(text):
        program = tmp_path / "wrapped"
        program.write_text(
            f"""#!/bin/sh
[ "$1" = record ] || exec {isochron} "$@"
shift
first() {{ mkdir {tmp_path}/begun 2>/dev/null; }}
{text.replace("ISOCHRON", isochron)}
exec {isochron} record "$@"
"""
        )
        program.chmod(0o755)
        return str(program)

    return wrap


@pytest.fixture
def soak(tmp_path, locales):
    """soak(PROGRAM, COUNT...): its standard output, after it has found something; and the names of what it kept."""

    def run(program, *args):
        result = script("soak", *args, "--isochron", program, "--keep", str(tmp_path / "kept"), "--seed", "1",
                        "--locales", str(locales))  # fmt: skip
        assert result.returncode == 3, result.stdout + result.stderr
        return result.stdout, sorted(path.name for path in (tmp_path / "kept").iterdir())

    return run


def test_soak_finds_logs_that_differ(wrapped, soak):
    said, kept = soak(wrapped("first && set -- --rtc 2010-01-01T00:00:01 \"$@\""), "3")
    assert said.startswith("3 recordings, 2 different logs, 0 failed (seed 1)\n2 times exit code 0, ")
    # In this order also when standard output is a pipe.
    assert said.index("\nlog diff ") < said.index("headers") < said.index("\nreplay --engine ")
    assert said.endswith("events are equal\n")
    assert len([name for name in kept if name.endswith(".log")]) == 2


def test_soak_reports_a_recording_that_fails(wrapped, soak):
    said, kept = soak(wrapped("first && set -- --max-cycles 300M \"$@\""), "2")
    assert said.startswith("2 recordings, 2 different logs, 1 failed (seed 1)\n1 times exit code ")
    assert "1 times exit code 5, " in said and "--max-cycles reached" in said
    assert "\nlog diff " in said
    assert len(kept) == 4 and any(re.fullmatch(r"\d-\w+-exit-5\.log", name) for name in kept), kept


def test_soak_ends_a_recording_that_hangs(wrapped, soak):
    said, kept = soak(wrapped("echo half >log.partial; exec sleep 100000"), "1", "--patience", "2")
    assert said.startswith("1 recordings, 1 different logs, 1 failed (seed 1)\n1 times exit code -9, ")
    assert "did not end within 2 s" in said
    assert len(kept) == 2 and any(name.endswith(".log.partial") for name in kept), kept


def test_soak_reports_when_nothing_works(soak):
    said, kept = soak("/bin/false", "2", "--engine", "ref")
    assert said.startswith("2 recordings, 0 different logs, 2 failed (seed 1)\n2 times exit code 1, no log ")
    assert kept == ["0-ref-exit-1.errors"]


def test_soak_compares_what_the_guest_wrote(wrapped, soak):
    said, _ = soak(wrapped("echo noise"), "1")
    assert "1 recordings, 1 different logs, 0 failed" in said
    assert re.search(r"its console has \d+ bytes, its log \d+, of which the first 0 are equal", said)


@pytest.mark.parametrize(
    "args", [["0"], ["-1"], ["many"], ["1", "--jobs", "0"], ["1", "--isochron", "/no/such/program"]]
)
def test_soak_refuses(args):
    result = script("soak", "--isochron", "/bin/false", *args)
    assert (result.returncode, result.stdout) == (2, "") and "soak: error: " in result.stderr


@pytest.mark.parametrize(
    "args, why",
    [
        (["--schedule", "random:1"], "give --cpus of 2 or more with it"),
        (["--cpus", "1", "--schedule", "random:1"], "give --cpus of 2 or more with it"),
        (["--disk", "ide", "--schedule", "random:1"], "give --cpus of 2 or more with it"),
        (["--cpus", "2", "--mib", "3"], "--mib says what is written to a disk: give --disk with it"),
        (["--files", "3"], "--files says what is written to a disk: give --disk with it"),
        (["--disk", "ide", "--mib", "3", "--files", "3"], "give one of them"),
    ],
)
def test_soak_refuses_options_that_would_do_nothing(args, why):
    result = script("soak", "1", "--isochron", "/bin/true", *args)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith("soak: error: ") and result.stderr.endswith(f"{why}\n")


def descendants(pid):
    """Processes that a process and its threads have started."""
    found = []
    for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_soak_outlives_it(isochron, tmp_path, locales, number):
    with subprocess.Popen(
        [str(ROOT / "scripts/soak"), "50", "--isochron", isochron, "--locales", str(locales)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        deadline = time.monotonic() + HANG
        while not any(tmp_path.glob("soak-*/[0-9]*/**/log.partial")):
            assert process.poll() is None and time.monotonic() < deadline
        begun = set()
        for child in descendants(process.pid):
            with contextlib.suppress(ProcessLookupError):  # of those before it
                begun.add(os.pidfd_open(child))
        assert len(begun) > len(os.sched_getaffinity(0))
        process.send_signal(number)
        assert process.wait(HANG) == (128 + number if number == signal.SIGTERM else -number)
    for child in begun:
        assert select.select([child], [], [], HANG)[0], "a process still runs"
        os.close(child)
    assert number == signal.SIGKILL or not any(tmp_path.iterdir())


def test_comparison_with_qemu(isochron):
    result = script("compare-qemu", "--recordings", "2", "--patience", "120", "--isochron", isochron)
    assert result.returncode == 0, result.stderr
    rows = [line.strip("| ").split(" | ") for line in result.stdout.splitlines()]
    # How QEMU fares is its own affair.
    table = {row[0]: row[2:] for row in rows}
    assert table["log, bytes, of QEMU's"]
    for row, cell in {
        "recordings": "2",
        "failed: plain runs, recordings, replays": "0, 0, 0",
        "distinct logs": "1",
        "distinct transcripts": "1",
        "replays that end well with the recorded transcript": "2",
        "first byte at which logs differ": "none",
    }.items():
        assert table[row] == [cell] * len(table["recordings"]), row


def test_comparison_with_a_program_that_fails(isochron, tmp_path):
    qemu = tmp_path / "qemu"
    qemu.write_text('#!/bin/sh\n[ "$1" = --version ] && echo QEMU version 0.0 || exit 7\n')
    qemu.chmod(0o755)
    result = script(
        "compare-qemu", "--recordings", "1", "--patience", "120", "--isochron", isochron, "--engine", "ref",
        "--qemu", str(qemu),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "| recordings | 0 | 1 |" in result.stdout
    assert "| failed: plain runs, recordings, replays | 1, 1, 0 | 0, 0, 0 |" in result.stdout
