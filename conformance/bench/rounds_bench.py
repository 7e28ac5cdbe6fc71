"""Measures how much the CPUs of one machine have to do with one another, and what running them at once would come to.

Records loads of Linux on a machine of four CPUs, for each length of turns (--quanta) anew, and replays a part of each log
instruction by instruction (round_study): what each turn of a CPU has read and written of what turns before it in the same
round have written. From that a model (conformance/bench/rounds_model.py) says how many times as fast as one core several of
the host would be that run the turns of a round at the same time and give the same logs. What it needs of the host it
measures (host_costs), or takes from --costs. docs/smp.md has results.

Prints two tables. The first has, of the turns that are not the first of their round, the share that would have to be run
again, by what is compared, and that accesses a device; and what a turn reads and writes. The second has the speed over that
of one core with turns of 65,536 cycles, or the longest that are measured, on 4 and on 2 cores; "most" is that of a round that
takes no longer than its longest turn.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

from conformance.bench.common import PROMPT, BenchParser
from conformance.bench.rounds_model import DESIGNS, GRAINS, figures_of, rounds_of, time_of
from conformance.bench.smp_bench import command_of, shell_command

# Programs of the guest "bench", which four CPUs run at the same time: how often each does what it does, and how many
# instructions are not measured at the beginning, in which the programs start.
PROGRAMS = {
    "hash": (20, 50_000_000), "sort": (2, 50_000_000), "compress": (10, 50_000_000),
    "syscalls": (3, 0), "pagefault": (10, 0), "forkexec": (50, 0), "shell": (2, 0),
}  # fmt: skip
# Name: what the console shows before and after it, and what is not measured.
LOADS = {"boot": ("node, 4 CPUs", PROMPT.decode(), 0)}
LOADS |= {name: (f"smp: {name} start", f"smp: {name} end", skip) for name, (_, skip) in PROGRAMS.items()}
QUANTA = [1024, 4096, 16384, 65536, 262144]
DEFAULT_QUANTUM = 65536
CORES = (4, 2)
# Seconds after which a run is killed.
PATIENCE = 3600


def parse_arguments():
    parser = BenchParser("rounds", __doc__, runs=3)
    parser.add_argument("loads", nargs="*", default=list(LOADS), metavar="LOAD", help=f"of {', '.join(LOADS)}; default: all")
    parser.add_argument("--quanta", default=",".join(map(str, QUANTA)), metavar="LIST", help="cycles (default: %(default)s)")
    parser.add_argument(
        "--instructions", type=int, default=100_000_000, metavar="N", help="measured of each load (default: %(default)s)"
    )
    parser.add_argument("--costs", metavar="FILE", help="what host_costs has printed, in place of measuring")
    parser.add_argument("--keep", metavar="DIR", help="leave what round_study writes there, or take it from there")
    parser.add_json_flag()
    arguments = parser.parse_args()
    arguments.quanta = sorted(map(int, arguments.quanta.split(",")))
    if unknown := set(arguments.loads) - set(LOADS):
        parser.error(f"no load {min(unknown)}; loads: {', '.join(LOADS)}")
    return arguments


def output_of(command):
    result = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False
    )
    if result.returncode != 0:
        sys.exit(f"bench: {command[0]} ended with {result.returncode}\n{result.stderr}")
    return result.stdout


def output_of_tool(arguments, name, *words):
    """What a program says that is of the same build as isochron."""
    return json.loads(output_of([str(pathlib.Path(arguments.isochron).resolve().parents[1] / "conformance" / name), *words]))


def record(load, quantum, arguments, folder):
    """Makes folder/log."""
    guest = argparse.Namespace(
        isochron=arguments.isochron, engine="jit", options=f"--quantum {quantum}",
        programs=[load], rounds=PROGRAMS[load][0] if load in PROGRAMS else None,
    )  # fmt: skip
    command = "poweroff -f" if load == "boot" else shell_command(guest, 4)
    script = folder / "script"
    script.write_text(f'expect "{PROMPT.decode()}"\nsend "{command}\\n"\n')
    output_of(command_of("record", guest, folder, script))


def study(load, quantum, arguments):
    """What round_study says of a load, with "plain seconds": of CPU time, for the same part of the run by the engine."""
    kept = pathlib.Path(arguments.keep or ".", f"{load}-{quantum}.json")
    if arguments.keep and kept.exists():
        return json.loads(kept.read_text())
    print(f"{load}, turns of {quantum} cycles", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record(load, quantum, arguments, folder)
        begin, end, skip = LOADS[load]
        words = [str(folder / "log"), "--from", begin, "--to", end, "--skip", str(skip)]
        words += ["--instructions", str(arguments.instructions)]
        found = output_of_tool(arguments, "round_study", *words)
        plain = [output_of_tool(arguments, "round_study", *words, "--time") for _ in range(arguments.runs)]
    found["plain seconds"] = min(run["seconds"] for run in plain)
    if arguments.keep:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    return found


def figures(load, arguments, costs):
    """By quantum."""
    result = {}
    baseline = DEFAULT_QUANTUM if DEFAULT_QUANTUM in arguments.quanta else arguments.quanta[-1]
    for quantum in sorted(arguments.quanta, key=lambda quantum: quantum != baseline):
        found = study(load, quantum, arguments)
        rounds = rounds_of(found)
        nanoseconds = 1e9 * found["plain seconds"] / found["instructions"]
        if quantum == baseline:
            alone = nanoseconds
        result[quantum] = {"nanoseconds an instruction": nanoseconds, **figures_of(rounds)}
        serial = alone * sum(turn.instructions for turns in rounds for turn in turns)
        result[quantum]["speed"] = {
            f"{design}, {cores} cores": serial / time_of(rounds, design, cores, costs, nanoseconds)
            for design in DESIGNS
            for cores in CORES
        }
    return dict(sorted(result.items()))


def tables(result):
    costs = ", ".join(f"{name} {value:.4g}" for name, value in result["costs"].items())
    lines = [f"host: {costs} (nanoseconds)"]
    head = f"{'load':<10}{'quantum':>8}"
    counts = {
        "turns": "turns a round", "insns": "instructions a turn",
        "pages r": "pages read a turn", "w": "pages written a turn",
        "blocks r": "blocks read a turn", "w ": "blocks written a turn",
    }  # fmt: skip
    lines.append(head + "".join(f"{name:>8}" for name in [*GRAINS, "device", *counts]))
    for load, quanta in result["loads"].items():
        for quantum, those in quanta.items():
            cells = [f"{those['run again'][grain]:>8.3f}" for grain in GRAINS] + [f"{those['with device']:>8.3f}"]
            cells += [f"{those[name]:>8.1f}" for name in counts.values()]
            lines.append(f"{load:<10}{quantum:>8}" + "".join(cells))
    speeds = [f"{design}, {cores} cores" for cores in CORES for design in DESIGNS]
    lines.append(head + f"{'ns/insn':>8}{'most':>7}" + "".join(f"{name:>22}" for name in speeds))
    for load, quanta in result["loads"].items():
        for quantum, those in quanta.items():
            cells = "".join(f"{those['speed'][name]:>22.2f}" for name in speeds)
            lines.append(f"{load:<10}{quantum:>8}{those['nanoseconds an instruction']:>8.2f}{those['most']:>7.2f}{cells}")
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    if arguments.costs:
        costs = json.loads(pathlib.Path(arguments.costs).read_text())
    else:
        costs = output_of_tool(arguments, "host_costs")
    result = {"costs": costs, "instructions": arguments.instructions}
    result["loads"] = {load: figures(load, arguments, costs) for load in arguments.loads}
    print(json.dumps(result, indent=2) if arguments.json else tables(result))


if __name__ == "__main__":
    main()
