"""Measures how long Linux takes from power-on to power-off on isochron and on qemu-system-alpha.

Both get the same kernel, the same initrd and the same conversation at the shell's prompt; the runs are interleaved, so
that what else the host does meets both. Prints medians and judges nothing. QEMU has no network card and no graphics
(their option ROMs are not in every installation); its memory is as large as isochron's.

Times: wall seconds, and CPU seconds in user and kernel mode, which a loaded host disturbs less. Memory is the peak
resident set of the isochron process against the guest's pages touched, when `isochron run --stats` says how many.
"""

import json
import os
import re
import statistics
import sys
import tempfile

from conformance.bench.common import BenchParser, measure, median
from conformance.tree import guest_path

PROMPT = b"~ # "
COMMANDS = ["uname -a", "cat /proc/cpuinfo", "ls -l /bin /sbin", "poweroff -f"]
# Peak memory may exceed the guest's touched pages by this much.
MEMORY_ALLOWANCE = 64 << 20


def parse_arguments():
    parser = BenchParser("boot", __doc__, runs=7)
    parser.add_argument("--qemu", default="qemu-system-alpha")
    parser.add_argument("--engine", default="ref", help="isochron's engine (default: ref)")
    parser.add_argument("--memory", type=int, default=256, metavar="MIB", help="(default: 256)")
    parser.add_argument("--guest", default="linux", help="kernel of build-guests (default: linux)")
    parser.add_json_flag()
    return parser.parse_args()


def answer(process):
    """Holds the conversation with a guest whose console is a process's pipes; returns all that it wrote."""
    transcript, answered, pending = b"", 0, list(COMMANDS)
    while data := os.read(process.stdout.fileno(), 65536):
        transcript += data
        prompt = transcript.find(PROMPT, answered)
        if pending and prompt >= 0:
            answered = prompt + len(PROMPT)
            process.stdin.write(pending.pop(0).encode() + b"\n")
            process.stdin.flush()
    return transcript


def script():
    """The same conversation in isochron's control language."""
    lines = []
    for command in COMMANDS:
        lines += [f'expect "{PROMPT.decode()}"', f'send "{command}\\n"']
    return "\n".join(lines) + "\n"


def isochron_command(arguments, kernel, initrd, script_file):
    return [
        arguments.isochron, "run", "--kernel", str(kernel), "--initrd", str(initrd),
        "--append", "console=ttyS0", "--memory", f"{arguments.memory}M",
        "--engine", arguments.engine, "--script", script_file, "--stats",
    ]  # fmt: skip


def qemu_command(arguments, kernel, initrd):
    return [
        arguments.qemu, "-M", "clipper", "-m", str(arguments.memory), "-nographic",
        "-vga", "none", "-nic", "none", "-kernel", str(kernel), "-initrd", str(initrd),
        "-append", "console=ttyS0",
    ]  # fmt: skip


def statistic(runs, name):
    """Median of a line of --stats over the runs; None if there is no such line."""
    found = [re.search(rf"^{re.escape(name)} +([\d.]+)$", run["report"], re.M) for run in runs]
    return statistics.median(float(match[1]) for match in found) if all(found) else None


def figures(arguments, ours, theirs):
    """What the runs say, by name."""
    instructions = statistic(ours, "instructions")
    touched = statistic(ours, "guest memory touched (KiB)")
    result = {
        "runs": arguments.runs,
        "engine": arguments.engine,
        "isochron": {name: median(ours, name) for name in ("wall seconds", "cpu seconds", "peak bytes")},
        "qemu": {name: median(theirs, name) for name in ("wall seconds", "cpu seconds", "peak bytes")},
        "wall samples": {
            "isochron": [run["wall seconds"] for run in ours],
            "qemu": [run["wall seconds"] for run in theirs],
        },
        "instructions": instructions,
        "instructions per wall second": instructions / median(ours, "wall seconds"),
        "instructions per cpu second": instructions / median(ours, "cpu seconds"),
        "guest bytes touched": None if touched is None else touched * 1024,
    }
    for name in ("wall", "cpu"):
        key = name + " seconds"
        result[name + " ratio"] = result["isochron"][key] / result["qemu"][key]
    if touched is not None:
        result["memory limit"] = touched * 1024 + MEMORY_ALLOWANCE
    return result


def table(result):
    mib = 1 << 20
    ours, theirs = result["isochron"], result["qemu"]
    rows = [
        ("", f"isochron {result['engine']}", "qemu", "ratio"),
        ("wall seconds", f"{ours['wall seconds']:.3f}", f"{theirs['wall seconds']:.3f}", f"{result['wall ratio']:.2f}"),
        ("CPU seconds", f"{ours['cpu seconds']:.3f}", f"{theirs['cpu seconds']:.3f}", f"{result['cpu ratio']:.2f}"),
        ("peak memory (MiB)", f"{ours['peak bytes'] / mib:.1f}", f"{theirs['peak bytes'] / mib:.1f}", ""),
    ]
    lines = [f"medians of {result['runs']} interleaved runs, boot to power-off"]
    lines += [f"{name:<20}{a:>14}{b:>10}{ratio:>8}" for name, a, b, ratio in rows]
    lines.append(
        f"isochron: {result['instructions'] / 1e6:.1f} million instructions,"
        f" {result['instructions per wall second'] / 1e6:.1f} million a wall second,"
        f" {result['instructions per cpu second'] / 1e6:.1f} million a CPU second"
    )
    if result["guest bytes touched"] is not None:
        lines.append(
            f"isochron: the guest touched {result['guest bytes touched'] / mib:.1f} MiB;"
            f" with 64 MiB more that is {result['memory limit'] / mib:.1f} MiB"
        )
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    kernel, initrd = guest_path(arguments.guest) / "vmlinux", guest_path("initrd") / "initrd.cpio.gz"
    ours, theirs = [], []
    with tempfile.NamedTemporaryFile("w", suffix=".script") as script_file:
        script_file.write(script())
        script_file.flush()
        isochron = isochron_command(arguments, kernel, initrd, script_file.name)
        qemu = qemu_command(arguments, kernel, initrd)
        for number in range(arguments.runs):
            print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
            theirs.append(measure(qemu, answer))
            ours.append(measure(isochron, lambda process: process.stdout.read()))
    result = figures(arguments, ours, theirs)
    print(json.dumps(result, indent=2) if arguments.json else table(result))


if __name__ == "__main__":
    main()
