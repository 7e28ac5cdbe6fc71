#!/usr/bin/python3
"""Records and replays one guest with QEMU and with isochron, and prints what differs.

scripts/compare-qemu runs it and has the options.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pytests"))

from isochron import engines  # noqa: E402  pylint: disable=wrong-import-position

# No input at all: what the guest does comes with its command line.
APPEND = (
    "console=ttyS0 rdinit=/bin/busybox -- sh -c "
    '"mount -t proc proc /proc; uname -a; date; seq 3000 | md5sum; '
    "awk 'BEGIN { for (i = 1; i < 9999; ++i) s += sin(i); print s }'; "
    'cat /proc/interrupts /proc/uptime; poweroff -f"'
)
HANG = 600  # wall seconds


@dataclasses.dataclass
class Run:
    """One recording."""

    log: pathlib.Path
    transcript: pathlib.Path
    seconds: float


@dataclasses.dataclass
class Machine:
    """How an emulator is told to run, record and replay; each returns a command line."""

    name: str
    plain: Callable[[pathlib.Path], list[str]]
    record: Callable[[pathlib.Path, pathlib.Path], list[str]]
    replay: Callable[[pathlib.Path, pathlib.Path], list[str]]


def qemu(options: argparse.Namespace) -> Machine:
    """The options of QEMU's functional test, with the clock as fixed as QEMU allows."""
    version = subprocess.run([options.qemu, "--version"], capture_output=True, text=True, check=True)
    number = re.search(r"version (\S+)", version.stdout)[1]
    fixed = [
        options.qemu, "-M", "clipper", "-m", "256", "-nodefaults", "-nographic", "-no-reboot",
        "-net", "none", "-rtc", "base=2010-01-01T00:00:00,clock=vm", "-seed", "1",
        "-kernel", options.kernel, "-initrd", options.initrd, "-append", APPEND,
    ]  # fmt: skip

    def with_log(mode: str, log: pathlib.Path, console: pathlib.Path) -> list[str]:
        icount = f"shift={options.shift},rr={mode},rrfile={log}"
        return [*fixed, "-icount", icount, "-serial", f"file:{console}"]

    return Machine(
        f"QEMU {number}, shift={options.shift}",
        lambda console: [*fixed, "-serial", f"file:{console}"],
        lambda log, console: with_log("record", log, console),
        lambda log, console: with_log("replay", log, console),
    )


def isochron(options: argparse.Namespace, engine: str) -> Machine:
    """The same guest here."""
    fixed = [
        "--memory", "256M", "--no-reboot", "--seed", "1", "--engine", engine,
        "--kernel", options.kernel, "--initrd", options.initrd, "--append", APPEND,
    ]  # fmt: skip
    program = options.isochron
    return Machine(
        f"Isochron, {engine}",
        lambda console: [program, "run", *fixed, "--console", f"file:{console}"],
        lambda log, console: [program, "record", "-o", f"{log}", *fixed, "--console", f"file:{console}"],
        lambda log, console: [program, "replay", f"{log}", "--engine", engine, "--console", f"file:{console}"],
    )


def run(command: list[str]) -> tuple[int, float]:
    """Exit code and wall seconds; says why when it fails."""
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, HANG
    seconds = time.monotonic() - start
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace")
        print(f"compare-qemu: {command[0]} ended with {done.returncode}: {errors}", file=sys.stderr)
    return done.returncode, seconds


def must(command: list[str], what: str) -> float:
    """Wall seconds of what has to work."""
    code, seconds = run(command)
    if code != 0:
        sys.exit(f"compare-qemu: {what} ended with {code}: {' '.join(command)}")
    return seconds


def first_difference(files: list[pathlib.Path]) -> str:
    """The lowest byte at which any of them differs from the first."""
    contents = [path.read_bytes() for path in files]
    places = []
    for other in contents[1:]:
        if other != contents[0]:
            pairs = zip(contents[0], other)
            same = min(len(contents[0]), len(other))
            places.append(next((i for i, (a, b) in enumerate(pairs) if a != b), same))
    return str(min(places)) if places else "none"


def span(numbers: list[float], form: str) -> str:
    """A number, or the least and the greatest."""
    low, high = (format(number, form) for number in (min(numbers), max(numbers)))
    return low if low == high else f"{low} to {high}"


def measure(machine: Machine, count: int, directory: pathlib.Path) -> dict[str, str]:
    """The rows of a machine's column."""
    directory.mkdir()
    plain, runs, replays, faithful = [], [], [], 0
    for number in range(count):
        plain.append(must(machine.plain(directory / "plain"), f"{machine.name}: a run"))
        log, transcript = directory / f"log{number}", directory / f"transcript{number}"
        seconds = must(machine.record(log, transcript), f"{machine.name}: a recording")
        runs.append(Run(log, transcript, seconds))
        code, seconds = run(machine.replay(log, directory / "replayed"))
        replays.append(seconds)
        same = (directory / "replayed").read_bytes() == transcript.read_bytes()
        if code == 0 and not same:
            print(f"compare-qemu: {machine.name}: replay {number} wrote another transcript", file=sys.stderr)
        faithful += code == 0 and same
    recording = [one.seconds for one in runs]
    logs, transcripts = [one.log for one in runs], [one.transcript for one in runs]
    middle = statistics.median
    return {
        "recordings": str(count),
        "distinct logs": str(len({path.read_bytes() for path in logs})),
        "distinct transcripts": str(len({path.read_bytes() for path in transcripts})),
        "first byte at which logs differ": first_difference(logs),
        "first byte at which transcripts differ": first_difference(transcripts),
        "replays that end well with the recorded transcript": str(faithful),
        "log, bytes": span([path.stat().st_size for path in logs], "d"),
        "wall time of a plain run, s (median)": f"{middle(plain):.2f}",
        "wall time of a recording, s (median)": f"{middle(recording):.2f}",
        "wall time of a replay, s (median)": f"{middle(replays):.2f}",
        "recording / plain run": f"{middle(recording) / middle(plain):.2f}",
        "replay / recording": f"{middle(replays) / middle(recording):.2f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="compare-qemu")
    parser.add_argument("--recordings", type=int, default=10)
    parser.add_argument("--shift", default="1")
    parser.add_argument("--engine", action="append")
    parser.add_argument("--isochron", required=True)
    parser.add_argument("--qemu", default="qemu-system-alpha")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    options = parser.parse_args()
    options.isochron = os.path.abspath(options.isochron)
    machines = [qemu(options)]
    machines += [isochron(options, name) for name in options.engine or engines(options.isochron)]
    columns = {}
    with tempfile.TemporaryDirectory(prefix="compare-") as root:
        for number, machine in enumerate(machines):
            print(f"compare-qemu: {machine.name} ...", file=sys.stderr)
            columns[machine.name] = measure(machine, options.recordings, pathlib.Path(root) / str(number))
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in next(iter(columns.values())):
        print(f"| {row} | " + " | ".join(column[row] for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
