"""What the benchmarks share: their options, and timing whole runs."""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from conformance.tree import ROOT

# Seconds after which a run is killed.
HANG = 300


class BenchParser(argparse.ArgumentParser):
    """Arguments of `bench NAME`, which all benchmarks have: how often each thing is run, and on which program."""

    def __init__(self, name, description, runs):
        super().__init__(
            prog=f"bench {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        self.add_argument("--runs", type=int, default=runs, metavar="N", help=f"runs of each (default: {runs})")
        self.add_argument("--isochron", default=str(ROOT / "build/release/cli/isochron"))

    def add_json_flag(self):
        self.add_argument("--json", action="store_true", help="prints the figures as JSON")

    def parse_args(self, *words):
        arguments = super().parse_args(*words)
        if arguments.runs < 1:
            self.error("--runs must be at least 1")
        return arguments


def measure(command, converse, patience=HANG):
    """One run, killed after `patience` seconds: wall and CPU seconds, peak resident bytes, what it wrote."""
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
    if process.returncode != 0 or b"reboot: Power down" not in transcript:
        sys.exit(f"bench: {command[0]} ended with {process.returncode}\n{report}")
    return {
        "wall seconds": wall,
        "cpu seconds": usage.ru_utime + usage.ru_stime,
        "peak bytes": usage.ru_maxrss << 10,
        "report": report,
    }


def median(runs, name):
    return statistics.median(run[name] for run in runs)
