"""Measures what recording costs: the same guest and script under `isochron run` and `isochron record`.

Two sessions in Linux: boot to power-off, and a shell that writes the same 64 MiB of memory again and again, the worst case
for the digests of checkpoints. Runs are interleaved; prints the medians of wall and CPU seconds and their ratios.
"""

import json
import pathlib
import sys
import tempfile

from conformance.bench.common import BenchParser, measure, median
from conformance.tree import guest_path

PROMPT = "# "
SESSIONS = {
    "boot": [],
    "64 MiB writer": [
        "yes isochron | head -c 1048576 > /tmp/a",
        "for i in $(seq 64); do cat /tmp/a; done > /tmp/source",
        *["dd if=/tmp/source of=/tmp/target bs=1M conv=notrunc 2>/dev/null"] * 8,
    ],
}


def parse_arguments():
    parser = BenchParser("record", __doc__, runs=7)
    parser.add_argument("--engine", default="ref", help="(default: ref)")
    parser.add_json_flag()
    return parser.parse_args()


def script(commands):
    lines = [f'expect "{PROMPT}"']
    for command in [*commands, "poweroff -f"]:
        escaped = command.replace("\\", "\\\\").replace('"', '\\"')
        lines += [f'send "{escaped}\\n"', f'expect "{PROMPT}" within 100G']
    return "\n".join(lines[:-1]) + "\n"


def compare(arguments, commands, folder):
    """Both ways of running one session: lists of measurements, and the size of the log."""
    script_file = folder / "script"
    script_file.write_text(script(commands))
    log = folder / "log"
    options = [
        "--kernel", str(guest_path("linux") / "vmlinux"), "--initrd", str(guest_path("initrd") / "initrd.cpio.gz"),
        "--append", "console=ttyS0", "--script", str(script_file), "--engine", arguments.engine,
    ]  # fmt: skip
    plain, recorded = [], []
    for number in range(arguments.runs):
        print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        read = lambda process: process.stdout.read()
        plain.append(measure([arguments.isochron, "run", *options], read))
        recorded.append(measure([arguments.isochron, "record", "-o", str(log), *options], read))
    return plain, recorded, log.stat().st_size


def main():
    arguments = parse_arguments()
    results = {}
    for name, commands in SESSIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            plain, recorded, log_bytes = compare(arguments, commands, pathlib.Path(folder))
        results[name] = {"log bytes": log_bytes}
        for what in ("wall seconds", "cpu seconds"):
            run, record = median(plain, what), median(recorded, what)
            results[name][what] = {"run": run, "record": record, "ratio": record / run}
    if arguments.json:
        print(json.dumps(results, indent=2))
        return
    print(f"medians of {arguments.runs} interleaved runs, engine {arguments.engine}")
    print(f"{'session':<16}{'':<14}{'run':>9}{'record':>9}{'ratio':>8}")
    for name, result in results.items():
        for what in ("wall seconds", "cpu seconds"):
            row = result[what]
            print(f"{name:<16}{what:<14}{row['run']:>9.3f}{row['record']:>9.3f}{row['ratio']:>8.3f}")
        print(f"{'':<16}{'log':<14}{'':>9}{result['log bytes']:>9} bytes")


if __name__ == "__main__":
    main()
