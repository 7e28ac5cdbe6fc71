"""Times programs in a Linux guest on isochron's engines and on qemu-system-alpha, in host time.

The programs are those of the guest "bench" (docs/benchmarks.md), and the boot to power-off. A program is timed from the
arrival of its line "bench: NAME start" to that of its line "bench: NAME end CHECKSUM" on the console, so that guest clocks play
no part. The checksums must agree everywhere. One run is one boot that runs all programs; runs are interleaved. Prints
medians, how many times as fast as QEMU, what recording costs, how many times as long as the same C compiled for the host, and
geometric means.

Ways to run: ref, jit (isochron run), ref-record, jit-record (isochron record), qemu (plain), qemu-rr (rr=record, icount), native
(the programs that ask nothing of a kernel, compiled for the host). With --baseline also ref-base, jit-base: another build of
isochron, such as one from before a change.
"""

import dataclasses
import json
import pathlib
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

from conformance.bench.common import PROMPT, BenchParser, Console, geometric_mean, measure
from conformance.bench.native import native_program
from conformance.tree import ROOT, guest_path

MARK = re.compile(rb"bench: (\w+) (start|end)")
BOOT = "boot"
GROUPS = {
    "integer": [
        "sieve", "sort", "hash", "compress", "search", "interpreter", "calls", "chase", "bignum",
        "core", "records", "objects", "streams", "branches",
    ],
    "float": ["matrix", "fft", "nbody", "mandelbrot", "loops", "single"],
    "system": [
        BOOT, "syscalls", "forkexec", "shell", "pagefault",
        "stat", "pipe", "fork", "mmap", "signal", "storm",
    ],
    "tools": ["awk", "textsort", "gzip", "sha512"],
}  # fmt: skip
WAYS = ["ref", "ref-base", "ref-record", "jit", "jit-base", "jit-record", "qemu", "qemu-rr", "native"]
DEFAULT_WAYS = ["ref", "jit", "jit-record", "qemu", "qemu-rr", "native"]
# What the others do is the kernel's, or BusyBox's.
NATIVE = [*GROUPS["integer"], *GROUPS["float"]]
# The programs of which some ways do an eighth of the rounds (bench -q), and how much longer all of them would take.
LONG = GROUPS["float"]
QUICK = 8
BASELINE_WAYS = ["ref", "ref-base", "jit", "jit-base"]
# Seconds after which a run is killed: an interpreter may be many times slower than QEMU.
PATIENCE = 3600


def parse_arguments():
    parser = BenchParser("jit", __doc__, runs=5)
    parser.add_argument(
        "programs", nargs="*", metavar="PROGRAM",
        help=f"programs or groups ({', '.join(GROUPS)}); default: all",
    )  # fmt: skip
    parser.add_argument(
        "--ways", metavar="LIST", help=f"of {','.join(WAYS)}; default: {','.join(DEFAULT_WAYS)}, where there"
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each program, for short runs")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall",
        help="seconds of wall time, or of CPU time of the whole process, which a loaded host disturbs less",
    )  # fmt: skip
    parser.add_argument("--json", metavar="FILE", help="writes all figures there, too; - is standard output, instead of the table")
    parser.add_argument(
        "--qemu", default="qemu-system-alpha", metavar="PROGRAM", help="any version, which the table names (default: qemu-system-alpha)"
    )
    parser.add_argument("--baseline", metavar="PROGRAM", help="another isochron; default ways: both engines of both")
    parser.add_argument("--guest", default="linux", help="kernel of build-guests (default: linux)")
    parser.add_argument("--options", default="", metavar="TEXT", help="more options for isochron")
    arguments = parser.parse_args()
    arguments.programs = select_programs(parser, arguments.programs)
    return parser, arguments


def select_programs(parser, words):
    known = [program for group in GROUPS.values() for program in group]
    chosen = set()
    for word in words or GROUPS:
        if word not in GROUPS and word not in known:
            parser.error(f"no program or group {word}; programs: {', '.join(known)}")
        chosen.update(GROUPS.get(word, [word]))
    return [program for program in known if program in chosen]


def build(arguments):
    """Builds what is not there."""
    subprocess.run([str(ROOT / "scripts/build-guests"), arguments.guest, "bench"], check=True)
    if not pathlib.Path(arguments.isochron).exists():
        step = f". {shlex.quote(str(ROOT / 'scripts/lib.sh'))} && build_preset release isochron"
        subprocess.run(["bash", "-euc", step], check=True)


def select_ways(parser, arguments):
    # Options are checked before files are looked for.
    refusal = subprocess.run(
        [arguments.isochron, "run", "--engine", "jit", "--kernel", "no/such/kernel"], stderr=subprocess.PIPE, text=True
    ).stderr
    has_jit = "no/such/kernel" in refusal
    if arguments.ways is None:
        ways = BASELINE_WAYS if arguments.baseline else DEFAULT_WAYS
        return [way for way in ways if has_jit or not way.startswith("jit")]
    ways = arguments.ways.split(",")
    for way in ways:
        if way not in WAYS:
            parser.error(f"no way {way}; ways: {', '.join(WAYS)}")
        if way.endswith("-base") and not arguments.baseline:
            parser.error(f"{way} needs --baseline")
        if way.startswith("jit") and not has_jit:
            parser.error(f"{arguments.isochron} has no engine jit")
    return [way for way in WAYS if way in ways]


def command_of(way, arguments, folder, script):
    kernel = ["-kernel", str(guest_path(arguments.guest) / "vmlinux")]
    initrd = ["-initrd", str(guest_path("bench") / "initrd.cpio.gz")]
    append = ["-append", "console=ttyS0"]
    if way.startswith("qemu"):
        command = [arguments.qemu, "-M", "clipper", "-m", "256", "-nographic", "-vga", "none", "-nic", "none"]
        if way == "qemu-rr":
            command += ["-icount", f"shift=1,rr=record,rrfile={folder}/rr"]
        return command + kernel + initrd + append
    engine, _, kind = way.partition("-")
    program = arguments.baseline if kind == "base" else arguments.isochron
    command = [program, *(["record", "-o", f"{folder}/log"] if kind == "record" else ["run"])]
    command += [f"-{word}" if word.startswith("-") else word for word in kernel + initrd + append]
    return command + ["--memory", "256M", "--engine", engine, "--script", str(script), *shlex.split(arguments.options)]


def is_quick(way, arguments):
    """Whether a way does fewer rounds of the long programs than others."""
    return way.startswith(("ref", "qemu")) and not arguments.rounds


@dataclasses.dataclass
class Result:
    """Samples of a program, by way, and its checksums: of all rounds, and of the fewer of a quick way."""

    seconds: dict = dataclasses.field(default_factory=dict)
    checksums: dict = dataclasses.field(default_factory=dict)

    def add(self, way, seconds):
        self.seconds.setdefault(way, []).append(seconds)

    def check(self, name, way, quick, checksum):
        """Ends the program where another way has another checksum."""
        first = self.checksums.setdefault(quick and name in LONG, (way, checksum))
        if first[1] != checksum:
            sys.exit(f"bench: {name}: checksum {checksum} on {way}, {first[1]} on {first[0]}")

    @property
    def checksum(self):
        """That of all rounds, where there is one."""
        found = self.checksums.get(False) or self.checksums.get(True)
        return found and found[1]

    def median(self, way):
        return statistics.median(self.seconds[way]) if way in self.seconds else None

    def ratio(self, above, below):
        if above not in self.seconds or below not in self.seconds:
            return None
        # Nought: both marks came at once.
        return self.median(above) / self.median(below) if self.median(below) else None


def session(way, arguments, folder, command):
    """One boot that runs `command` at the shell's prompt and powers off: the measurement and the console."""
    command += "poweroff -f"
    script = pathlib.Path(folder) / "script"
    script.write_text(f'expect "{PROMPT.decode()}"\nsend "{command}\\n"\n')
    console = Console(MARK, arguments.clock, command if way.startswith("qemu") else None)
    run = measure(command_of(way, arguments, folder, script), console, PATIENCE)
    return run, console


def run_programs(way, arguments, folder, programs, quick):
    """The console of one run of all these programs."""
    words = [*(["-q"] if quick else []), *(["-r", str(arguments.rounds)] if arguments.rounds else []), *programs]
    if way == "native":
        console = Console(MARK, arguments.clock, None)
        measure([str(native_program()), *words], console, PATIENCE, last=b"bench: ")
    else:
        _, console = session(way, arguments, folder, f"bench {' '.join(words)}; ")
    for program in programs:
        if program not in console.checksums:
            sys.exit(f"bench: {program} did not end on {way}")
    return console


def programs_of(way, programs):
    return [program for program in programs if program != BOOT and (way != "native" or program in NATIVE)]


def run_once(way, arguments, folder, results):
    if BOOT in arguments.programs and way != "native":
        run, _ = session(way, arguments, folder, "")
        results[BOOT].add(way, run[f"{arguments.clock} seconds"])
    programs, quick = programs_of(way, arguments.programs), is_quick(way, arguments)
    if not programs:
        return
    console = run_programs(way, arguments, folder, programs, quick)
    for program in programs:
        seconds = console.marks[program, "end"] - console.marks[program, "start"]
        results[program].add(way, seconds * QUICK if quick and program in LONG else seconds)
        results[program].check(program, way, quick, console.checksums[program][-1])


def compare_quick(ways, arguments, folder, results):
    """Runs the fewer rounds of quick ways on the others, too, for their checksums."""
    programs = [program for program in arguments.programs if program in LONG]
    if not programs or not any(is_quick(way, arguments) for way in ways):
        return
    for way in ways:
        if is_quick(way, arguments) or way.endswith("-record"):
            continue
        console = run_programs(way, arguments, folder, programs, quick=True)
        for program in programs:
            results[program].check(program, way, True, console.checksums[program][-1])


def ratios_of(result, engine):
    """Named ratios of a program; None where a way was not run."""
    return {
        "speed against qemu": result.ratio("qemu", engine),
        "recording": result.ratio(f"{engine}-record", engine),
        "speed against ref": result.ratio("ref", engine),
        "speed against baseline": result.ratio(f"{engine}-base", engine),
        "speed of ref against baseline": result.ratio("ref-base", "ref"),
        "time over native": result.ratio(engine, "native"),
    }


def qemu_version(arguments):
    said = subprocess.run([arguments.qemu, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return said.splitlines()[0]


def figures(arguments, ways, results):
    engine = "jit" if "jit" in ways else "ref"
    programs = {}
    for name, result in results.items():
        programs[name] = {
            "checksum": result.checksum,
            "medians": {way: result.median(way) for way in ways},
            "samples": result.seconds,
            "ratios": ratios_of(result, engine),
        }
    means = {}
    for group, names in GROUPS.items():
        members = [programs[name]["ratios"] for name in names if name in programs]
        if members:
            means[group] = {ratio: geometric_mean([member[ratio] for member in members]) for ratio in members[0]}
    return {
        "runs": arguments.runs,
        "clock": arguments.clock,
        "guest": arguments.guest,
        "options": arguments.options,
        "ways": ways,
        "qemu": qemu_version(arguments) if any(way.startswith("qemu") for way in ways) else None,
        "engine of ratios": engine,
        "programs": programs,
        "geometric means": means,
    }


# A column of the table each, and what it says of the engine of the ratios.
COLUMNS = {
    "speed against qemu": ("x qemu", "how many times as fast as qemu"),
    "recording": ("recording", "time of recording over that of running"),
    "speed against ref": ("x ref", "how many times as fast as ref"),
    "speed against baseline": ("x base", "how many times as fast as the baseline's"),
    "speed of ref against baseline": ("ref x base", "how many times as fast ref is as the baseline's"),
    "time over native": ("/ native", "how many times as long as on the host itself"),
}


def cells(values, pattern):
    return "".join(f"{'-' if value is None else format(value, pattern):>11}" for value in values)


def table(figures):
    ways, programs, means = figures["ways"], figures["programs"], figures["geometric means"]
    ratios = [name for name in COLUMNS if any(row["ratios"][name] for row in programs.values())]
    lines = [f"medians of {figures['runs']} interleaved runs, {figures['clock']} seconds; {figures['qemu'] or 'no QEMU'}"]
    lines.append(f"{'program':<12}" + "".join(f"{name:>11}" for name in [*ways, *(COLUMNS[name][0] for name in ratios)]))
    for name, program in programs.items():
        found = [program["ratios"][ratio] for ratio in ratios]
        lines.append(f"{name:<12}" + cells(program["medians"].values(), ".3f") + cells(found, ".3f"))
    lines.append("geometric means")
    for group, mean in means.items():
        lines.append(f"{group:<12}" + " " * (11 * len(ways)) + cells([mean[ratio] for ratio in ratios], ".3f"))
    lines += [f"{COLUMNS[name][0]}: {figures['engine of ratios']}, {COLUMNS[name][1]}" for name in ratios]
    return "\n".join(lines)


def main():
    parser, arguments = parse_arguments()
    build(arguments)
    ways = select_ways(parser, arguments)
    results = {program: Result() for program in arguments.programs}
    with tempfile.TemporaryDirectory() as folder:
        compare_quick(ways, arguments, folder, results)
        for number in range(arguments.runs):
            # Another order each time: no way always comes behind the same one.
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                print(f"run {number + 1} of {arguments.runs}: {way}", file=sys.stderr)
                run_once(way, arguments, folder, results)
    found = figures(arguments, ways, results)
    if arguments.json not in (None, "-"):
        pathlib.Path(arguments.json).write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2) if arguments.json == "-" else table(found))


if __name__ == "__main__":
    main()
