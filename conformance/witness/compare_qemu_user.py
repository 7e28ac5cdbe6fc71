"""Runs random user-mode sequences under qemu-alpha and in our Linux guest, and explains every difference.

scripts/compare-qemu-user runs it.

The same program runs the same sequences in both places (guests/user/run_sequences.c). Where they end differently, the first
instruction after which the states differ is looked up, and must be explained by a rule of user_sequence_rules.py. Then the
instruction becomes a NOP, in both places, and the sequence runs again, until nothing differs.

Exit code 0: no difference, or all explained. 2: usage, or something needed is missing. 3: a difference that no rule explains,
or one between engines of ours.
"""

import argparse
import collections
import dataclasses
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

from conformance.campaign.arguments import parse_seeds
from conformance.tree import ROOT, guest_path
from conformance.witness import user_sequence_rules as rules
from conformance.witness.guest_archive import Archive
from isochron import engines

EQUAL, USAGE, DIFFERENT = 0, 2, 3
WINDOW_QUADS, WORDS = 128, 64
HEADER = struct.Struct("<8sQQ")
RECORD = struct.Struct(f"<5Q32Q32Q{WORDS}I")
STEP = struct.Struct("<QQ")
ROUNDS = 60  # at most this many differences a sequence
HANG = 3600  # wall seconds
NOP = 0x47FF041F


class Trouble(Exception):
    """Something that keeps the comparison from being made."""


class EnginesDiffer(Exception):
    """Two engines of ours do not print the same."""


@dataclasses.dataclass
class Sequence:
    """One sequence, and what has been explained in it."""

    seed: int
    control: int
    fpcr: int
    slot: int
    r: list
    f: list
    words: list
    explained: int = 0
    can_be_interrupted: bool = False

    def pack(self):
        padded = self.words + [0] * (WORDS - len(self.words))
        return RECORD.pack(self.seed, self.control, self.fpcr, len(self.words), self.slot, *self.r, *self.f, *padded)


def read_sequences(contents):
    """(initial window, sequences) of a file that random_sequences has written."""
    _, count, quads = HEADER.unpack_from(contents)
    start = HEADER.size + 8 * quads
    sequences = []
    for record in RECORD.iter_unpack(contents[start:]):
        words = list(record[69 : 69 + record[3]])
        sequence = Sequence(record[0], record[1], record[2], record[4], list(record[5:37]), list(record[37:69]), words)
        # STx_C (AHB 4.2.5) and RC and RS (4.11) show whether there was an interrupt.
        sequence.can_be_interrupted = any(word >> 26 in (0x2E, 0x2F, 0x18) for word in words)
        sequences.append(sequence)
    assert len(sequences) == count
    return contents[HEADER.size : start], sequences


def run(command, **options):
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG, check=False, **options)
    if done.returncode:
        errors = (done.stderr or done.stdout).decode(errors="replace")[-1000:]
        raise Trouble(f"{command[0]} ended with {done.returncode}: {errors}")
    return done.stdout.decode(errors="replace").replace("\r", "")


def lines_of(text):
    """The program's lines, by kind and sequence."""
    found = {"q": {}, "d": {}, "s": {}}
    for kind, index, rest in re.findall(r"^([qds]) (\d+) (.*)$", text, re.M):
        if kind == "s":
            found[kind][(int(index), int(rest.split()[0]))] = rest.split()[1:]
        else:
            found[kind][int(index)] = rest.split()
    end = re.search(r"^end (\d+)$", text, re.M)
    if not end or not found["s"] and len(found["q"]) != int(end[1]):
        raise Trouble("run_sequences did not print every line: " + text[-1000:])
    return found


class Emulators:
    """Runs files of sequences in both places."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.file, self.trace = scratch / "sequences", scratch / "trace"

    def write(self, window, sequences):
        self.file.write_bytes(
            HEADER.pack(b"isousr01", len(sequences), WINDOW_QUADS) + window + b"".join(s.pack() for s in sequences)
        )

    def qemu(self, *arguments):
        command = [self.options.qemu, "-cpu", "ev67", self.options.runner, str(self.file), *map(str, arguments)]
        return run(command)

    def guest(self, engine, with_trace):
        archive = Archive()
        archive.directory("dev")
        archive.device("dev/console", 5, 1)
        archive.file("init", pathlib.Path(self.options.runner).read_bytes())
        archive.file("sequences", self.file.read_bytes())
        if with_trace:
            archive.file("expected", self.trace.read_bytes())
        initrd = self.scratch / "initrd"
        archive.write(initrd)
        command = [self.options.isochron, "run", "--engine", engine, "--kernel", self.options.kernel, "--memory", "1G"]
        text = run(command + ["--initrd", str(initrd), "--append", "console=ttyS0 quiet"])
        return lines_of(text)

    def guests(self, with_trace=False):
        """The first engine's lines; the others must print the same."""
        first, *others = self.options.engine
        found = self.guest(first, with_trace)
        for engine in others:
            other = self.guest(engine, with_trace)
            for kind in "qd":
                for index, words in found[kind].items():
                    if other[kind].get(index) != words:
                        raise EnginesDiffer(
                            f"engines {first} and {engine} print different lines: "
                            f"{kind} {index} {words} and {other[kind].get(index)}"
                        )
        return found


class Comparison:
    """One file of sequences, from the first run to the last difference."""

    def __init__(self, emulators, window, sequences, report):
        self.emulators, self.window, self.report = emulators, window, report
        self.active = sequences

    def compare(self):
        self.emulators.write(self.window, self.active)
        theirs = lines_of(self.emulators.qemu())["q"]
        ours = self.emulators.guests()["q"]
        different = []
        for index, sequence in enumerate(self.active):
            self.report.sequences += 1
            self.report.instructions += len(sequence.words)
            self.check_own(sequence, ours[index])
            if theirs[index][3] != "0":
                self.report.unexplained.append(f"seed {sequence.seed}: repetitions under QEMU ended otherwise\n")
            if rules.same_fpcr(*(int(line[1], 16) for line in (ours[index], theirs[index]))) and (
                ours[index][0] == theirs[index][0]
            ):
                self.report.equal += 1
            else:
                different.append(sequence)
        for _ in range(ROUNDS):
            if not different:
                return
            different = self.round(different)
        for sequence in different:
            self.report.unexplained.append(f"seed {sequence.seed}: more than {ROUNDS} differences\n")

    def check_own(self, sequence, line):
        """What a run in the guest says for itself."""
        odd = int(line[3])
        if odd and not sequence.can_be_interrupted:
            self.report.unexplained.append(f"seed {sequence.seed}: {odd} repetitions ended otherwise\n")
        self.report.interrupted += bool(odd)
        fpcr = int(line[1], 16)
        if fpcr != rules.whole_fpcr(fpcr, sequence.control):
            self.report.unexplained.append(
                f"seed {sequence.seed}: FPCR {fpcr:016x} with control word {sequence.control:x}\n"
            )

    def round(self, sequences):
        """Explains one difference in each sequence; returns those that still may have some."""
        self.emulators.write(self.window, sequences)
        self.emulators.qemu("--trace", self.emulators.trace)
        found = self.emulators.guests(with_trace=True)
        steps = self.emulators.trace.read_bytes()
        wanted = []
        for index, words in sorted(found["d"].items()):
            k = int(words[0])
            wanted += [f"{index} {k - 1}"] if k else []
            wanted.append(f"{index} {k}")
        listing = self.emulators.scratch / "list"
        listing.write_text("\n".join(wanted) + "\n")
        states = lines_of(self.emulators.qemu("--states", listing))["s"] if wanted else {}
        left = []
        for index, sequence in enumerate(sequences):
            line = found["q"][index]
            self.check_own(sequence, line)
            words = found["d"].get(index)
            if words is None:
                digest, fpcr = STEP.unpack_from(steps, STEP.size * (index * (WORDS + 1) + len(sequence.words)))
                if digest != int(line[0], 16) or not rules.same_fpcr(fpcr, int(line[1], 16)):
                    self.report.unexplained.append(
                        f"seed {sequence.seed}: differs as a whole, and not when it is cut off after any instruction\n"
                    )
                elif sequence.explained:
                    self.report.explained += 1
                elif sequence.can_be_interrupted:
                    self.report.repeated += 1
                else:
                    self.report.unexplained.append(f"seed {sequence.seed}: did not differ when it was run again\n")
                continue
            if self.explain(sequence, int(words[0]), words[1:], states, index):
                left.append(sequence)
        return left

    def explain(self, sequence, k, values, states, index):
        """Names the rule and takes the instruction out."""
        after = rules.State(states[index, k])
        if k == 0:
            self.report.unexplained.append(f"seed {sequence.seed}: the states at the start differ\n")
            return False
        before = rules.State(states[index, k - 1])
        ours = before.changed(values)
        word = sequence.words[k - 1]
        case = rules.Case(word, sequence.control, before, ours, after)
        names = case.explain()
        if names is None:
            self.report.unexplained.append(f"seed {sequence.seed}, instruction {k - 1}: {case.describe()}")
            return False
        for name in names:
            self.report.rules[name] += 1
        sequence.explained += 1
        if case.only_status():
            sequence.fpcr |= case.status_difference()
        else:
            sequence.words[k - 1] = NOP
        return True


@dataclasses.dataclass
class Report:
    """Counts, and texts of what is not explained."""

    sequences: int = 0
    instructions: int = 0
    equal: int = 0
    explained: int = 0
    repeated: int = 0
    interrupted: int = 0
    rules: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    unexplained: list = dataclasses.field(default_factory=list)

    def print(self):
        print(f"{'sequences':<54} {self.sequences:8}")
        print(f"{'instructions in them':<54} {self.instructions:8}")
        print(f"{'equal at once':<54} {self.equal:8}")
        print(f"{'equal but for explained differences':<54} {self.explained:8}")
        print(f"{'equal when run again (STx_C, RC or RS interrupted)':<54} {self.repeated:8}")
        print(f"{'with repetitions that were interrupted there':<54} {self.interrupted:8}")
        print(f"{'not explained':<54} {len(self.unexplained):8}")
        print()
        print("explained differences, by rule")
        for rule in rules.RULES:
            print(f"  {self.rules[rule.name]:8}  {rule.name}: {rule.reason} [{rule.source}]")
        for text in self.unexplained[:20]:
            print("\nNOT EXPLAINED:", text, end="")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="compare-qemu-user", description=__doc__.splitlines()[0])
    build = ROOT / "build/release"
    parser.add_argument("--seeds", type=parse_seeds, default=(1, 300), help="FIRST-LAST (default: 1-300)")
    parser.add_argument("--batch", type=int, default=5000, help="sequences a boot (default: %(default)s)")
    parser.add_argument("--engine", action="append", help="of isochron; may be given again (default: all)")
    parser.add_argument("--isochron", default=str(build / "cli/isochron"))
    parser.add_argument("--program", default=str(build / "conformance/random_sequences"))
    parser.add_argument("--runner", default=str(build / "guests/run_sequences"))
    parser.add_argument("--kernel", help="default: Linux 6.1 of scripts/build-guests")
    parser.add_argument("--qemu", default="qemu-alpha")
    return parser.parse_args()


def main():
    options = parse_arguments()
    report = Report()
    try:
        if not shutil.which(options.qemu):
            raise Trouble(f"{options.qemu} is not installed; scripts/setup installs it (package qemu-user)")
        for path in (options.isochron, options.program, options.runner):
            if not pathlib.Path(path).exists():
                raise Trouble(f"{path} is not there; build it first")
        options.engine = options.engine or engines(options.isochron)
        if not options.kernel:
            options.kernel = str(guest_path("linux") / "vmlinux")
        first, last = options.seeds
        with tempfile.TemporaryDirectory(prefix="witness-") as directory:
            emulators = Emulators(options, pathlib.Path(directory))
            for start in range(first, last + 1, options.batch):
                end = min(last, start + options.batch - 1)
                run([options.program, "--seeds", f"{start}-{end}", "--emit-user", str(emulators.file)])
                Comparison(emulators, *read_sequences(emulators.file.read_bytes()), report).compare()
                print(f"compare-qemu-user: seeds {start}-{end} done, {len(report.unexplained)} not explained",
                      file=sys.stderr)
    except (Trouble, OSError, subprocess.SubprocessError) as error:
        print(f"compare-qemu-user: {error}", file=sys.stderr)
        return USAGE
    except EnginesDiffer as error:
        print(f"compare-qemu-user: {error}", file=sys.stderr)
        return DIFFERENT
    report.print()
    return DIFFERENT if report.unexplained else EQUAL


if __name__ == "__main__":
    sys.exit(main())
