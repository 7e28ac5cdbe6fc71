"""Records and replays one guest with QEMU and with isochron, and prints what differs.

scripts/compare-qemu runs it and has the options.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from conformance.campaign.arguments import positive
from isochron import engines

# No input at all: what the guest does comes with its command line.
APPEND = (
    "console=ttyS0 rdinit=/bin/busybox -- sh -c "
    '"mount -t proc proc /proc; uname -a; date; seq 3000 | md5sum; '
    "awk 'BEGIN { for (i = 1; i < 9999; ++i) s += sin(i); print s }'; "
    'cat /proc/interrupts /proc/uptime; poweroff -f"'
)


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
        # sleep=off: an idle guest's virtual time does not follow the host's.
        icount = f"shift={options.shift},sleep=off,rr={mode},rrfile={log}"
        return [*fixed, "-icount", icount, "-serial", f"file:{console}"]

    return Machine(
        f"QEMU {number}, shift={options.shift}, sleep=off",
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


def run(command: list[str], patience: int) -> float | None:
    """Wall seconds; None, with the reason on standard error, when it fails or hangs."""
    start = time.monotonic()
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        print(f"compare-qemu: {command[0]} did not end within {patience} s", file=sys.stderr)
        return None
    seconds = time.monotonic() - start
    if done.returncode != 0:
        errors = done.stderr.decode(errors="replace")
        print(f"compare-qemu: {command[0]} ended with {done.returncode}: {errors}", file=sys.stderr)
        return None
    return seconds


def first_difference(files: list[pathlib.Path]) -> str:
    """The lowest byte at which any of them differs from the first."""
    contents = [path.read_bytes() for path in files]
    places: list[int] = []
    for other in contents[1:]:
        if other != contents[0]:
            pairs = zip(contents[0], other)
            same = min(len(contents[0]), len(other))
            places.append(next((i for i, (a, b) in enumerate(pairs) if a != b), same))
    return str(min(places)) if places else "none"


def span(numbers: list[int]) -> str:
    """A number, or the least and the greatest."""
    if not numbers:
        return "none"
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


@dataclasses.dataclass
class Column:
    """What came of a machine's runs; only those that ended well are measured."""

    plain: list[float] = dataclasses.field(default_factory=list)
    recording: list[float] = dataclasses.field(default_factory=list)
    replay: list[float] = dataclasses.field(default_factory=list)
    logs: list[pathlib.Path] = dataclasses.field(default_factory=list)
    transcripts: list[pathlib.Path] = dataclasses.field(default_factory=list)
    faithful: int = 0
    failed: list[int] = dataclasses.field(default_factory=lambda: [0, 0, 0])

    def rows(self) -> dict[str, str]:
        """The cells, from top to bottom."""
        return {
            "recordings": str(len(self.logs)),
            "failed: plain runs, recordings, replays": ", ".join(map(str, self.failed)),
            "distinct logs": str(len({path.read_bytes() for path in self.logs})),
            "distinct transcripts": str(len({path.read_bytes() for path in self.transcripts})),
            "first byte at which logs differ": first_difference(self.logs),
            "first byte at which transcripts differ": first_difference(self.transcripts),
            "replays that end well with the recorded transcript": str(self.faithful),
            "log, bytes": span([path.stat().st_size for path in self.logs]),
            "wall time of a plain run, s (median)": figure(middle(self.plain)),
            "wall time of a recording, s (median)": figure(middle(self.recording)),
            "wall time of a replay, s (median)": figure(middle(self.replay)),
            "recording / plain run": ratio(middle(self.recording), middle(self.plain)),
            "replay / recording": ratio(middle(self.replay), middle(self.recording)),
        }

    def against(self, other: "Column") -> dict[str, str]:
        """The cells that compare it with another one."""

        def size(column: Column) -> float | None:
            return middle([path.stat().st_size for path in column.logs])

        return {
            "log, bytes, of QEMU's": ratio(size(self), size(other), 3),
            "plain run, of QEMU's time": ratio(middle(self.plain), middle(other.plain)),
            "recording, of QEMU's time": ratio(middle(self.recording), middle(other.recording)),
            "replay, of QEMU's time": ratio(middle(self.replay), middle(other.replay)),
        }


def middle(numbers: list) -> float | None:
    """The median, if there is one."""
    return statistics.median(numbers) if numbers else None


def figure(number: float | None) -> str:
    """A cell."""
    return "none" if number is None else f"{number:.2f}"


def ratio(part: float | None, whole: float | None, places: int = 2) -> str:
    """Another one."""
    return "none" if part is None or whole is None else f"{part / whole:.{places}f}"


def measure(machine: Machine, options: argparse.Namespace, directory: pathlib.Path) -> Column:
    """Runs, records and replays a machine."""
    directory.mkdir()
    column = Column()

    def timed(command: list[str], times: list[float], kind: int) -> bool:
        seconds = run(command, options.patience)
        if seconds is None:
            column.failed[kind] += 1
        else:
            times.append(seconds)
        return seconds is not None

    replayed = directory / "replayed"
    for number in range(options.recordings):
        timed(machine.plain(directory / "plain"), column.plain, 0)
        log, transcript = directory / f"log{number}", directory / f"transcript{number}"
        if not timed(machine.record(log, transcript), column.recording, 1):
            continue
        column.logs.append(log)
        column.transcripts.append(transcript)
        replayed.unlink(missing_ok=True)
        if not timed(machine.replay(log, replayed), column.replay, 2):
            continue
        if replayed.exists() and replayed.read_bytes() == transcript.read_bytes():
            column.faithful += 1
        else:
            print(f"compare-qemu: {machine.name}: replay {number} wrote another transcript", file=sys.stderr)
    return column


def main() -> None:
    parser = argparse.ArgumentParser(prog="compare-qemu")
    parser.add_argument("--recordings", type=positive, default=10)
    parser.add_argument("--shift", default="1")
    parser.add_argument("--patience", type=positive, default=600)
    parser.add_argument("--engine", action="append")
    parser.add_argument("--isochron", required=True)
    parser.add_argument("--qemu", default="qemu-system-alpha")
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    options = parser.parse_args()
    options.isochron = os.path.abspath(options.isochron)
    if shutil.which(options.qemu) is None:
        parser.error(f"there is no program {options.qemu}")
    machines = [qemu(options)]
    machines += [isochron(options, name) for name in options.engine or engines(options.isochron)]
    columns: list[Column] = []
    with tempfile.TemporaryDirectory(prefix="compare-") as root:
        for number, machine in enumerate(machines):
            print(f"compare-qemu: {machine.name} ...", file=sys.stderr)
            columns.append(measure(machine, options, pathlib.Path(root) / str(number)))
        # The first is QEMU.
        cells = [column.rows() | column.against(columns[0]) for column in columns]
    print("| | " + " | ".join(machine.name for machine in machines) + " |")
    print("|---" * (len(cells) + 1) + "|")
    for row in cells[0]:
        print(f"| {row} | " + " | ".join(column[row] for column in cells) + " |")


if __name__ == "__main__":
    main()
