"""Measures how much the CPUs of one machine have to do with one another, and what running them at once would come to.

Records loads of Linux on a machine of four CPUs, for each length of turns (--quanta) anew, and replays a part of each log
instruction by instruction (round_study): what each turn of a CPU has read and written of what turns before it in the same
round have written. From that a model (conformance/bench/rounds_model.py) says how many times as fast as one core several of
the host would be that run the turns of a round at the same time and give the same logs. What it needs of the host it
measures (host_costs), or takes from --costs. docs/smp.md has results.

Prints two tables. The first has, of the turns that are not the first of their round, the share that would have to be run
again, by what is compared, and that accesses a device; and what a turn reads and writes. The second has what an instruction
takes on one core, and the speed of 4 and of 2 cores over that; "most" is the speed if a round took no longer than its longest turn.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

from conformance.bench.common import PROMPT, BenchParser
from conformance.bench.rounds_model import DESIGNS, GRAINS, figures_of, rounds_of, time_of
from conformance.bench.smp_bench import command_of, shell_command


class Load(typing.NamedTuple):
    """What runs in the guest `initrd`, between two texts on the console; how many instructions are not measured at first, and
    how many are then at most."""

    initrd: str
    command: str
    begin: str
    end: str
    skip: int = 0
    most: int = 40_000_000


def program(name, rounds, skip=0):
    """A program of the guest "bench", which four CPUs run at the same time. They start in what is not measured."""
    guest = argparse.Namespace(programs=[name], rounds=rounds)
    return Load("bench", shell_command(guest, 4), f"smp: {name} start", f"smp: {name} end", skip)


def meeting(name, times, skip):
    """A load of the guest "smp-load", whose processes or threads have to do with one another, so many times."""
    command = f"b() {{ echo smp: $1 start; for i in $2; do smp-load $1; done; echo smp: $1 end; }}"
    numbers = " ".join(map(str, range(times)))
    return Load("smp-load", f"{command}; b {name} '{numbers}'; poweroff -f", f"smp: {name} start", f"smp: {name} end", skip)


# What is not measured at the beginning, where programs start and nothing has been translated yet.
COLD = 50_000_000
LOADS = {
    "hash": program("hash", 20, COLD),
    "sort": program("sort", 2, COLD),
    "boot": Load("bench", "poweroff -f", "node, 4 CPUs", PROMPT.decode()),
    "forkexec": program("forkexec", 100, COLD),
    "jobs": meeting("jobs", 1, COLD),
    "groups": meeting("groups", 6, COLD),
    # One thing after the other: all of it.
    "threads": meeting("threads", 1, 0)._replace(most=400_000_000),
    "pipes": meeting("pipes", 8, COLD),
    "futexes": meeting("futexes", 8, COLD),
}
QUANTA = [1024, 4096, 16384, 65536, 262144]
CORES = (4, 2)
# Seconds after which a run is killed.
PATIENCE = 3600


def parse_arguments():
    parser = BenchParser("rounds", __doc__, runs=3)
    parser.add_argument("loads", nargs="*", default=list(LOADS), metavar="LOAD", help=f"of {', '.join(LOADS)}; default: all")
    parser.add_argument("--engine", default="jit", help="for where nothing is measured (default: jit)")
    parser.add_argument("--quanta", default=",".join(map(str, QUANTA)), metavar="LIST", help="cycles (default: %(default)s)")
    parser.add_argument(
        "--instructions", type=int, metavar="N", help="measured of each load at most (default: 40 million, of threads 400)"
    )
    parser.add_argument("--costs", metavar="FILE", help="what host_costs has printed, in place of measuring")
    parser.add_argument("--keep", metavar="DIR", help="leave what round_study writes there, or take it from there")
    parser.add_json_flag()
    arguments = parser.parse_args()
    if not re.fullmatch(r"\d+(,\d+)*", arguments.quanta):
        parser.error(f"--quanta is a list of cycles, as 4096,65536, not '{arguments.quanta}'")
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
    script = folder / "script"
    script.write_text(f'expect "{PROMPT.decode()}"\nsend "{load.command}\\n"\n')
    how = argparse.Namespace(isochron=arguments.isochron, engine=arguments.engine, options=f"--quantum {quantum}")
    output_of(command_of("record", how, folder, script, load.initrd))


def study(load, quantum, arguments):
    """What round_study says of a load; under "plain" what it says of all of it when the engine runs it and nothing is measured."""
    kept = pathlib.Path(arguments.keep or ".", f"{load}-{quantum}.json")
    asked = {"load": LOADS[load]._asdict(), "instructions": arguments.instructions, "engine": arguments.engine}
    if arguments.keep and kept.exists():
        found = json.loads(kept.read_text())
        if found.get("asked") == asked:
            return found
    print(f"{load}, turns of {quantum} cycles", file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        record(LOADS[load], quantum, arguments, folder)
        _, _, begin, end, skip, most = LOADS[load]
        words = [str(folder / "log"), "--engine", arguments.engine, "--from", begin, "--to", end, "--skip", str(skip)]
        found = output_of_tool(arguments, "round_study", *words, "--instructions", str(arguments.instructions or most))
        plain = [output_of_tool(arguments, "round_study", *words, "--time") for _ in range(arguments.runs)]
    found["asked"] = asked
    found["plain"] = min(plain, key=lambda run: run["seconds"])
    if arguments.keep:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    return found


def figures(load, quantum, arguments, costs):
    found = study(load, quantum, arguments)
    rounds = rounds_of(found)
    nanoseconds = 1e9 * found["plain"]["seconds"] / found["plain"]["instructions"]
    result = {"nanoseconds an instruction": nanoseconds, **figures_of(rounds)}
    alone = nanoseconds * sum(turn.instructions for turns in rounds for turn in turns)
    result["speed"] = {
        f"{design}, {cores} cores": alone / time_of(rounds, design, cores, costs, nanoseconds)
        for design in DESIGNS
        for cores in CORES
    }
    return result


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
    result = {"costs": costs, "loads": {}}
    for load in arguments.loads:
        result["loads"][load] = {quantum: figures(load, quantum, arguments, costs) for quantum in arguments.quanta}
    print(json.dumps(result, indent=2) if arguments.json else tables(result))


if __name__ == "__main__":
    main()
