"""Counts where engine jit spends the host's instructions, for each program of `bench jit`; no clock plays a part.

Two runs of isochron give a program's figures: Linux boots, runs it and powers off, once by itself with --stats, for what the guest
does and how translated code is left, and once under valgrind's callgrind, for what the host does. Of both, what a boot without the
program takes is taken off; the row boot is that boot. Programs do a tenth of their rounds (long ones an eightieth), at least one,
all of them in one boot under callgrind. Needs valgrind.

The first columns are of a program as it was run: million guest instructions, and host instructions for each of them, in all and of

  code        translated code
  loop        what enters, leaves and links it, and calls of the interpreter from it (jit/jit_engine.cc)
  interpret   the interpreter and what translated code asks of it (ref/, alpha/)
  translate   the translator
  rest        devices, the board, the host's libraries

The others are counts for 1000 guest instructions: entries into translated code, how it was left (an exit not linked yet, an
instruction done by the interpreter, otherwise), and calls of the interpreter from it.
"""

import datetime
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from conformance.bench.common import PROMPT, BenchParser
from conformance.bench.jit_bench import BOOT, GROUPS, LONG, PATIENCE, QUICK, build, select_programs
from conformance.bench.native import native_program
from conformance.tree import ROOT, guest_path

# What callgrind begins another file at.
BOUNDARY = "isochron::cli::ScriptRunner::Begin(unsigned long)"
PARTS = ["code", "loop", "interpret", "translate", "rest"]
# Of --stats, and what a column calls it.
COUNTS = {
    "entries of host code": "entries",
    "left: not linked yet": "unlinked",
    "left: by an instruction": "golden",
    "left: otherwise": "otherwise",
    "golden function calls": "calls",
}
# The share of their rounds that programs do.
SHARE = 10


def parse_arguments():
    parser = BenchParser("profile", __doc__, runs=None)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", help=f"programs or groups ({', '.join(GROUPS)}); default: all")
    parser.add_argument("--guest", default="linux", help="kernel of build-guests (default: linux)")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each program")
    parser.add_argument("--engine", default="jit", help="(default: jit)")
    parser.add_json_flag()
    arguments = parser.parse_args()
    arguments.programs = select_programs(parser, arguments.programs)
    return arguments


def rounds_of(arguments):
    """By program; the source has the whole rounds."""
    listing = subprocess.run([str(native_program())], stdout=subprocess.PIPE, text=True, check=True).stdout
    rounds = {}
    for name, whole in re.findall(r"^(\w+) (\d+)$", listing, re.M):
        share = SHARE * QUICK if name in LONG else SHARE
        rounds[name] = arguments.rounds or max(1, int(whole) // share)
    return rounds


def command_of(arguments, commands, folder):
    script = pathlib.Path(folder) / "script"
    script.write_text("".join(f'expect "{PROMPT.decode()}"\nsend "{command}\\n"\n' for command in [*commands, "poweroff -f"]))
    return [
        arguments.isochron, "run", "--engine", arguments.engine, "--kernel", str(guest_path(arguments.guest) / "vmlinux"),
        "--initrd", str(guest_path("bench") / "initrd.cpio.gz"), "--append", "console=ttyS0", "--memory", "256M",
        "--console", "null", "--stats", "--script", str(script),
    ]  # fmt: skip


def run(command, what):
    try:
        finished = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"bench: {what} did not end within {PATIENCE} s")
    if finished.returncode != 0:
        sys.exit(f"bench: {what} ended with {finished.returncode}\n{finished.stderr}")
    return finished.stderr


def guest_counts(arguments, commands, folder):
    """Of --stats, by the names of its lines."""
    stats = run(command_of(arguments, commands, folder), f"isochron with {', '.join(commands) or 'a boot'}")
    return {name: int(value) for name, value in re.findall(r"^ *(.+?) +(\d+)$", stats, re.M)}


def part_of(object_file, source, function):
    """The part that host instructions belong to, by what callgrind says of their function."""
    if object_file == "???":
        return "code"
    if function.startswith("Xbyak::") or "xbyak" in source:
        return "translate"
    folder, _, file = source.rpartition("/")
    folder = folder.rpartition("/")[2]
    if folder == "jit":
        return "loop" if file in ("jit_engine.cc", "thunks.cc") else "translate"
    return "interpret" if folder in ("ref", "alpha") else "rest"


def costs(lines):
    """Object, source, function and host instructions of each place, of a file of callgrind with whole names and lines."""
    at = {"ob": "", "fl": "", "fn": ""}
    is_call = False
    for line in lines:
        name, equals, value = line.rstrip("\n").partition("=")
        if equals:
            is_call = is_call or name == "calls"
            if name in at:
                at[name] = value
        elif re.match(r"\d+ \d+$", line):
            # What was called is told where it is.
            if not is_call:
                yield at["ob"], at["fl"], at["fn"], int(line.split()[1])
            is_call = False


def host_instructions(files):
    """By part, and by function."""
    parts, functions = dict.fromkeys(PARTS, 0), {}
    for file in files:
        with file.open(errors="replace") as lines:
            for object_file, source, function, cost in costs(lines):
                parts[part_of(object_file, source, function)] += cost
                functions[function] = functions.get(function, 0) + cost
    return parts, functions


def host_counts(arguments, commands, folder):
    """One entry a command, and one of the boot: host instructions by part and by function."""
    out = pathlib.Path(folder) / "callgrind"
    valgrind = [
        "valgrind", "--tool=callgrind", "--smc-check=all", f"--callgrind-out-file={out}", f"--dump-before={BOUNDARY}",
        "--compress-strings=no", "--compress-pos=no",
    ]  # fmt: skip
    run([*valgrind, *command_of(arguments, commands, folder)], "valgrind")
    # It begins when the script is read, and behind each command of it: first the boot, then each command that was sent and
    # what came of it until the next prompt. The last was sent to power off, as a boot does.
    files = [*(pathlib.Path(f"{out}.{number}") for number in range(2, 2 * len(commands) + 4)), out]
    if not all(file.exists() for file in files):
        sys.exit(f"bench: callgrind has not seen {BOUNDARY} {len(files)} times")
    found = [host_instructions([files[0], *files[-2:]])]
    for number in range(1, len(files) - 2, 2):
        found.append(host_instructions(files[number : number + 2]))
    return found


def figures(arguments, folder):
    rounds = rounds_of(arguments)
    programs = [program for program in arguments.programs if program != BOOT]
    commands = [f"bench -r {rounds[program]} {program}" for program in programs]
    boot = guest_counts(arguments, [], folder)
    guest = {BOOT: boot}
    for program, command in zip(programs, commands):
        counts = guest_counts(arguments, [command], folder)
        guest[program] = {name: counts[name] - boot.get(name, 0) for name in counts}
    host = dict(zip([BOOT, *programs], host_counts(arguments, commands, folder)))
    found = {}
    for program in arguments.programs:
        instructions = guest[program]["instructions"]
        parts, functions = host[program]
        first = sorted(functions.items(), key=lambda item: -item[1])[:12]
        found[program] = {
            "guest instructions": instructions,
            "host instructions": {part: parts[part] / instructions for part in PARTS},
            "for 1000 instructions": {column: guest[program].get(name, 0) * 1000 / instructions for name, column in COUNTS.items()},
            "counts": guest[program],
            "functions": {name: cost / instructions for name, cost in first},
        }
    return found


def table(found):
    """In Markdown."""
    names = ["program", "million", "host / guest", *PARTS, *COUNTS.values()]
    lines = ["| " + " | ".join(names) + " |", "|---" * len(names) + "|"]
    for program, row in found.items():
        host = row["host instructions"]
        cells = [program, f"{row['guest instructions'] / 1e6:.1f}", f"{sum(host.values()):.2f}"]
        cells += [f"{host[part]:.2f}" for part in PARTS]
        cells += [f"{value:.2f}" for value in row["for 1000 instructions"].values()]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def commit():
    said = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], stdout=subprocess.PIPE, text=True, check=False)
    return said.stdout.strip() or "no commit"


def main():
    arguments = parse_arguments()
    if not shutil.which("valgrind"):
        sys.exit("bench: there is no valgrind, which counts the host's instructions; Debian has it in package valgrind")
    build(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found = figures(arguments, folder)
    made = {"date": str(datetime.date.today()), "commit": commit(), "guest": arguments.guest}
    if arguments.json:
        print(json.dumps({**made, "programs": found}, indent=2))
    else:
        print(f"{made['commit']}, {made['date']}, guest {made['guest']}\n\n{table(found)}")


if __name__ == "__main__":
    main()
