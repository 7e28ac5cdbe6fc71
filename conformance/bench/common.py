"""What the benchmarks share: their options, and timing whole runs."""

import argparse
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from conformance.tree import ROOT

# Seconds after which a run is killed.
HANG = 300
# Of the guests' shell.
PROMPT = b"~ # "


class BenchParser(argparse.ArgumentParser):
    """Arguments of `bench NAME`, which all benchmarks have: how often each thing is run (None: once), and on which program."""

    def __init__(self, name, description, runs):
        super().__init__(
            prog=f"bench {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if runs is not None:
            self.add_argument("--runs", type=int, default=runs, metavar="N", help=f"runs of each (default: {runs})")
        self.add_argument("--isochron", default=str(ROOT / "build/release/cli/isochron"))

    def add_json_flag(self):
        self.add_argument("--json", action="store_true", help="prints the figures as JSON")

    def parse_args(self, *words):
        arguments = super().parse_args(*words)
        if getattr(arguments, "runs", 1) < 1:
            self.error("--runs must be at least 1")
        return arguments


def measure(command, converse, patience=HANG, last=b"reboot: Power down"):
    """One run, killed after `patience` seconds: wall and CPU seconds, peak resident bytes, what it wrote.

    Ends the program where `last` is not in what it said.
    """
    with tempfile.TemporaryFile() as errors:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        )
        watchdog = threading.Timer(patience, process.kill)
        watchdog.start()
        transcript = converse(process)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        watchdog.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdin.close()
        process.stdout.close()
        errors.seek(0)
        report = errors.read().decode(errors="replace")
    if wall >= patience:
        sys.exit(f"bench: {command[0]} did not end within {patience} s\n{report}")
    if process.returncode != 0 or last not in transcript:
        sys.exit(f"bench: {command[0]} ended with {process.returncode}\n{report}")
    return {
        "wall seconds": wall,
        "cpu seconds": usage.ru_utime + usage.ru_stime,
        "peak bytes": usage.ru_maxrss << 10,
        "report": report,
    }


def median(runs, name):
    return statistics.median(run[name] for run in runs)


def geometric_mean(values):
    values = [value for value in values if value]
    return math.exp(statistics.fmean(map(math.log, values))) if values else None


def cpu_seconds(pid):
    """CPU time of all threads of a process."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except FileNotFoundError:  # it has ended meanwhile
            pass
    return total / 1e9


class Console:
    """Reads a guest's console, types the one command if nobody else does, and notes when marks arrive.

    `mark` is compiled and has two groups, a name and "start" or "end". Each program's checksums are those of its lines
    "bench: NAME end CHECKSUM".
    """

    def __init__(self, mark, clock, command):
        self.mark = mark
        self.clock = clock
        self.command = command  # None: a script types it
        self.marks = {}
        self.checksums = {}

    def __call__(self, process):
        transcript, searched = b"", 0
        while data := os.read(process.stdout.fileno(), 65536):
            now = time.monotonic() if self.clock == "wall" else cpu_seconds(process.pid)
            transcript += data
            if self.command is not None and PROMPT in transcript:
                process.stdin.write(self.command.encode() + b"\n")
                process.stdin.flush()
                self.command = None
            while mark := self.mark.search(transcript, searched):
                searched = mark.end()
                self.marks[mark[1].decode(), mark[2].decode()] = now
        for name, checksum in re.findall(rb"bench: (\w+) end ([0-9a-f]{16})", transcript):
            self.checksums.setdefault(name.decode(), []).append(checksum.decode())
        return transcript
