"""Measures a machine of several CPUs in host time, with the engine jit.

Linux for several CPUs runs programs of the guest "bench" (docs/benchmarks.md), each of them either once or on every CPU
at the same time. A program is timed from the arrival of the line "smp: NAME start" on the console to that of "smp: NAME
end", so that guest clocks play no part. One run is one boot that runs all programs; runs are interleaved.

  one      one CPU, which runs the program
  busy     four CPUs, each of which runs it
  idle     four CPUs, one of which runs it while the others have nothing to do
  record   as busy, recorded to a file
  qemu     as busy, by qemu-system-alpha -smp 4 -accel tcg,thread=single

Prints medians and, for each program and as geometric means, ratios of work in a second, which is the same as that of
instructions: busy and idle over one, busy over qemu; and the time of record over that of busy.
"""

import json
import pathlib
import re
import shlex
import sys
import tempfile
import time

from conformance.bench.common import PROMPT, BenchParser, Console, geometric_mean, measure, median
from conformance.tree import guest_path

MARK = re.compile(rb"^smp: (\w+) (start|end)", re.M)
CPUS = 4
# How many CPUs there are, and how many run the program.
WAYS = {"one": (1, 1), "busy": (CPUS, CPUS), "idle": (CPUS, 1), "record": (CPUS, CPUS), "qemu": (CPUS, CPUS)}
PROGRAMS = ["sort", "hash", "compress", "interpreter", "calls", "matrix"]
# Name: work in a second of the first over that of the second, or time of the first over that of the second.
RATIOS = {
    "busy / one": ("work", "busy", "one"),
    "idle / one": ("work", "idle", "one"),
    "busy / qemu": ("work", "busy", "qemu"),
    "record time": ("time", "record", "busy"),
}
# Seconds after which a run is killed.
PATIENCE = 1800


def parse_arguments():
    parser = BenchParser("smp", __doc__, runs=5)
    parser.add_argument(
        "programs", nargs="*", default=PROGRAMS, metavar="PROGRAM",
        help=f"programs of bench; default: {' '.join(PROGRAMS)}",
    )  # fmt: skip
    parser.add_argument("--ways", metavar="LIST", default=",".join(WAYS), help=f"of {','.join(WAYS)}; default: all")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each program, for short runs")
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall", help="wall time, or the process's CPU time")
    parser.add_argument("--qemu", default="qemu-system-alpha")
    parser.add_argument("--engine", default="jit", help="isochron's engine (default: jit)")
    parser.add_argument("--options", default="", metavar="TEXT", help="more for isochron, such as --quantum 10K; with one CPU too")
    parser.add_json_flag()
    arguments = parser.parse_args()
    arguments.ways = arguments.ways.split(",")
    if unknown := set(arguments.ways) - set(WAYS):
        parser.error(f"no way {min(unknown)}; ways: {', '.join(WAYS)}")
    return arguments


def shell_command(arguments, busy):
    """One line for the guest's shell: the programs one after the other, each on the first `busy` CPUs."""
    rounds = f"-r {arguments.rounds} " if arguments.rounds else ""
    masks = " ".join(f"{1 << cpu:x}" for cpu in range(busy))
    crowd = f"for m in {masks}; do taskset $m bench {rounds}$1 & done; wait"
    # The marks are not what the echo of this line has.
    all_of_them = f"for p in {' '.join(arguments.programs)}; do (b $p); done"
    return f"b() {{ echo smp: $1 start; {crowd}; echo smp: $1 end; }}; {all_of_them}; poweroff -f"


def command_of(way, arguments, folder, script, guest="bench"):
    cpus, _ = WAYS[way]
    kernel, initrd = guest_path("linux-smp") / "vmlinux", guest_path(guest) / "initrd.cpio.gz"
    if way == "qemu":
        return [
            arguments.qemu, "-M", "clipper", "-m", "256", "-nographic", "-vga", "none", "-nic", "none",
            "-smp", str(cpus), "-accel", "tcg,thread=single",
            "-kernel", str(kernel), "-initrd", str(initrd), "-append", "console=ttyS0",
        ]  # fmt: skip
    how = ["record", "-o", str(folder / "log")] if way == "record" else ["run"]
    return [
        arguments.isochron, *how, "--kernel", str(kernel), "--initrd", str(initrd), "--append", "console=ttyS0",
        "--memory", "256M", "--engine", arguments.engine, "--cpus", str(cpus), "--script", str(script),
        *shlex.split(arguments.options),
    ]  # fmt: skip


def run_once(way, arguments, folder):
    """Seconds by program, and checksums."""
    _, busy = WAYS[way]
    command = shell_command(arguments, busy)
    script = folder / "script"
    script.write_text(f'expect "{PROMPT.decode()}"\nsend "{command}\\n"\n')
    console = Console(MARK, arguments.clock, command if way == "qemu" else None)
    measure(command_of(way, arguments, folder, script), console, PATIENCE)
    for program in arguments.programs:
        if len(console.checksums.get(program, [])) != busy:
            sys.exit(f"bench: {way}: {program} has not ended {busy} times")
    return {name: console.marks[name, "end"] - console.marks[name, "start"] for name in arguments.programs}, console.checksums


def run_all(arguments):
    """By way: a list of seconds by program."""
    samples = {way: [] for way in arguments.ways}
    checksums = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.runs):
            print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
            # Who comes first changes, so that what else the host does meets all.
            turn = number % len(arguments.ways)
            for way in arguments.ways[turn:] + arguments.ways[:turn]:
                seconds, found = run_once(way, arguments, pathlib.Path(folder))
                samples[way].append(seconds)
                for name, sums in found.items():
                    checksums.setdefault(name, set()).update(sums)
    if wrong := [name for name, sums in checksums.items() if len(sums) != 1]:
        sys.exit(f"bench: the checksums of {', '.join(wrong)} are not the same everywhere")
    return samples


def figures(arguments, samples):
    result = {"runs": arguments.runs, "clock": arguments.clock, "engine": arguments.engine, "options": arguments.options}
    result["programs"] = {}
    for program in arguments.programs:
        seconds = {way: median(runs, program) for way, runs in samples.items()}
        # How many times a second the program is run.
        work = {way: WAYS[way][1] / value for way, value in seconds.items() if value}
        ratios = {}
        for name, (what, above, below) in RATIOS.items():
            values = work if what == "work" else seconds
            if above in values and values.get(below):
                ratios[name] = values[above] / values[below]
        result["programs"][program] = {"seconds": seconds, "ratios": ratios}
    result["samples"] = samples
    result["geometric means"] = {}
    for name in RATIOS:
        those = [program["ratios"].get(name) for program in result["programs"].values()]
        if all(those):
            result["geometric means"][name] = geometric_mean(those)
    return result


def table(result, ways):
    lines = [
        f"medians of {result['runs']} interleaved runs, {CPUS} CPUs, engine {result['engine']} {result['options']}".rstrip()
        + f", {result['clock']} seconds"
    ]
    lines.append(f"{'':<12}" + "".join(f"{way:>9}" for way in ways) + "".join(f"{name:>13}" for name in RATIOS))
    rows = [*result["programs"].items(), ("mean", {"seconds": {}, "ratios": result["geometric means"]})]
    for name, row in rows:
        cells = [f"{row['seconds'][way]:>9.3f}" if way in row["seconds"] else f"{'':>9}" for way in ways]
        cells += [f"{row['ratios'][ratio]:>13.3f}" if ratio in row["ratios"] else f"{'':>13}" for ratio in RATIOS]
        lines.append(f"{name:<12}" + "".join(cells))
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    result = figures(arguments, run_all(arguments))
    print(json.dumps(result, indent=2) if arguments.json else table(result, arguments.ways))


if __name__ == "__main__":
    main()
