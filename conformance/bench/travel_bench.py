"""Measures going through a long recording.

The guest is Linux, which boots, sets its host name and computes for more than 20 billion cycles. Ratios are to a whole
replay of the recording, or to going forward over the same distance, in the same run. QEMU goes back in its own recording of
the same guest, over a distance that it can go.
"""

import json
import pathlib
import random
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from conformance.bench import qemu_reverse
from conformance.bench.common import BenchParser, cpu_seconds
from conformance.tree import guest_path
from isochron.remote import Stub

PROMPT = "~ # "
PROGRAMS = "sieve sort hash compress search interpreter calls chase bignum"
# Of the kernel: called when the host name is set, by init and by the command.
LANDMARK = "sys_sethostname"
# What it writes: before the programs compute, so that nearly all of the recording is searched for it.
HOST_NAME = "init_uts_ns:256"
BILLION = 1_000_000_000
STEPS = 20
# Of the guest, on both machines.
APPEND = "console=ttyS0"
NAME_COMMAND = "hostname isochron"
BENCH_COMMAND = f"bench {PROGRAMS}; poweroff -f"


def parse_arguments():
    parser = BenchParser("travel", __doc__, runs=5)
    parser.add_argument("--engine", default="jit", help="(default: jit)")
    parser.add_argument("--log", metavar="LOG", help="goes through this recording of the session instead of making one")
    parser.add_argument(
        "--clock", choices=["wall", "cpu"], default="wall",
        help="seconds of wall time, or of CPU time of the whole process, which a loaded host disturbs less; beside QEMU always wall",
    )  # fmt: skip
    parser.add_argument("--qemu", default="qemu-system-alpha", help="(default: qemu-system-alpha)")
    parser.add_argument("--seed", type=int, default=1, help="of the random places (default: 1)")
    parser.add_json_flag()
    return parser.parse_args()


def make_recording(arguments, folder):
    script = folder / "script"
    script.write_text(
        f'expect "{PROMPT}"\nsend "{NAME_COMMAND}\\n"\n'
        f'expect "{PROMPT}"\nsend "{BENCH_COMMAND}\\n"\n'
    )
    log = folder / "log"
    subprocess.run(
        [
            arguments.isochron, "record", "-o", str(log), "--kernel", str(guest_path("linux") / "vmlinux"),
            "--initrd", str(guest_path("bench") / "initrd.cpio.gz"), "--append", APPEND, "--memory", "256M",
            "--engine", arguments.engine, "--script", str(script), "--snapshot-every", "1G", "--console", "null",
        ],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return log


def symbol(name):
    listing = subprocess.run(
        ["alpha-linux-gnu-nm", str(guest_path("linux") / "vmlinux")], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    return int(re.search(rf"^([0-9a-f]+) T {name}$", listing, re.M)[1], 16)


def ended_seconds(clock):
    """Of processes that have ended; what matters is the difference of two."""
    if clock == "wall":
        return time.monotonic()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def timed(command, clock):
    began = ended_seconds(clock)
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    seconds = ended_seconds(clock) - began
    if run.returncode != 0:
        sys.exit(f"bench: {' '.join(command)}\n{run.stderr}")
    return seconds, run.stderr


def seconds_of(now, function, *arguments):
    """How far `now` goes on while the function is called."""
    began = now()
    function(*arguments)
    return now() - began


class Travel:
    """One recording, opened again and again."""

    def __init__(self, arguments, log, bare):
        self.arguments = arguments
        self.log, self.bare = log, bare
        self.landmark = symbol(LANDMARK)

    def open(self, log):
        return Stub([self.arguments.isochron, "replay", str(log), "--gdb", "-", "--engine", self.arguments.engine])

    def now(self, stub):
        return time.monotonic() if self.arguments.clock == "wall" else cpu_seconds(stub.pid)

    def seconds(self, stub, function, *arguments):
        return seconds_of(lambda: self.now(stub), function, *arguments)

    @staticmethod
    def cycle(stub):
        return int(re.search(r"cycle (\d+)", stub.monitor("when"))[1])

    @staticmethod
    def instruction(stub):
        return int(re.search(r"instruction (\d+)", stub.monitor("when"))[1])

    def open_at_the_landmark(self):
        """Where the command comes to it, with no breakpoint."""
        stub = self.open(self.bare)
        stub.request(f"Z0,{self.landmark:x},4")
        for _ in range(2):
            stub.resume("vCont;c")
        stub.request(f"z0,{self.landmark:x},4")
        return stub

    def whole(self):
        seconds, report = timed(
            [self.arguments.isochron, "replay", str(self.log), "--console", "null", "--engine", self.arguments.engine],
            self.arguments.clock,
        )
        self.cycles = int(re.search(r"at cycle (\d+)", report)[1])
        return seconds

    def profile(self):
        command = [self.arguments.isochron, "profile", str(self.bare), "--engine", self.arguments.engine]
        return timed(command, self.arguments.clock)[0]

    def last_write(self, *jobs):
        """Who set the host name."""
        command = [self.arguments.isochron, "query", str(self.log), "last-write", HOST_NAME, "--engine", self.arguments.engine]
        return timed([*command, *jobs], self.arguments.clock)[0]

    def by_two_machines(self):
        command = [self.arguments.isochron, "replay", str(self.log), "--jobs", "2", "--engine", self.arguments.engine]
        return timed(command, self.arguments.clock)[0]

    def under_the_debugger(self):
        """From power-on to the end with nobody looking, start and end of the program included, as in a replay."""
        began = ended_seconds(self.arguments.clock)
        stub = self.open(self.bare)
        reply, _ = stub.resume("vCont;c")
        stub.close()
        assert "replaylog:end" in reply
        return ended_seconds(self.arguments.clock) - began

    def somewhere(self, cycle):
        """To stand at a cycle, start of the program included; and the steps back from there."""
        began = time.monotonic() if self.arguments.clock == "wall" else 0
        stub = self.open(self.log)
        stub.monitor(f"goto cycle {cycle}")
        seconds = self.now(stub) - began
        stub.monitor("step exact")
        steps = [self.seconds(stub, stub.resume, "bs") for _ in range(STEPS)]
        stub.close()
        return seconds, steps

    def back_to_the_landmark(self):
        """From a billion cycles behind it: backwards, and forwards over the same distance."""
        stub = self.open_at_the_landmark()
        there = self.cycle(stub)
        forward = self.seconds(stub, stub.monitor, f"goto cycle {there + BILLION}")
        stub.request(f"Z0,{self.landmark:x},4")
        back = self.seconds(stub, stub.resume, "bc")
        assert self.cycle(stub) == there
        stub.close()
        return forward, back

    def near_the_landmark(self):
        """What QEMU can do, too: steps back a little behind the landmark, and back to it."""
        stub = self.open_at_the_landmark()
        there = self.instruction(stub)
        stub.monitor(f"goto instruction {there + qemu_reverse.NEAR}")
        stub.monitor("step exact")
        steps = [seconds_of(time.monotonic, stub.resume, "bs") for _ in range(STEPS)]
        stub.request(f"Z0,{self.landmark:x},4")
        back = seconds_of(time.monotonic, stub.resume, "bc")
        assert self.instruction(stub) == there
        stub.close()
        return steps, back


class Qemu:
    """The same session in QEMU's recording."""

    def __init__(self, arguments, landmark, folder):
        guest = ["-kernel", str(guest_path("linux") / "vmlinux"), "-initrd", str(guest_path("bench") / "initrd.cpio.gz")]
        self.recording = qemu_reverse.Recording(arguments.qemu, [*guest, "-append", APPEND], landmark, folder)
        self.recording.make(PROMPT, [NAME_COMMAND, BENCH_COMMAND])
        with self.recording.replay() as replay:
            self.landmark = replay.find_landmark(2)

    def near_the_landmark(self):
        return qemu_reverse.near(self.recording, self.landmark, STEPS)

    def far(self):
        return qemu_reverse.far(self.recording, self.landmark)


def measure_qemu(travel, arguments, folder):
    """Samples of both machines on the same distance; or why there are none."""
    samples = {name: [] for name in ("step back", "back", "qemu step back", "qemu back")}
    try:
        qemu = Qemu(arguments, travel.landmark, folder)
        for _ in range(arguments.runs):
            for prefix, one in (("", travel), ("qemu ", qemu)):
                steps, back = one.near_the_landmark()
                samples[f"{prefix}step back"] += steps
                samples[f"{prefix}back"].append(back)
        return {"samples": samples, "far": qemu.far()}
    except qemu_reverse.Unable as error:
        return {"left out": str(error)}


def measure(travel, arguments):
    places = random.Random(arguments.seed)
    ways = ("whole", "profile", "debugger", "somewhere", "step back", "forward", "back", "jobs 2", "last-write", "last-write 2")
    samples = {name: [] for name in ways}
    for number in range(arguments.runs):
        print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        samples["whole"].append(travel.whole())
        samples["profile"].append(travel.profile())
        samples["debugger"].append(travel.under_the_debugger())
        seconds, steps = travel.somewhere(places.randrange(travel.cycles))
        samples["somewhere"].append(seconds)
        samples["step back"] += steps
        forward, back = travel.back_to_the_landmark()
        samples["forward"].append(forward)
        samples["back"].append(back)
        samples["jobs 2"].append(travel.by_two_machines())
        samples["last-write"].append(travel.last_write())
        samples["last-write 2"].append(travel.last_write("--jobs", "2"))
    return samples


def figures(travel, arguments, samples, qemu):
    median = {name: statistics.median(values) for name, values in samples.items()}
    return {
        "runs": arguments.runs,
        "engine": arguments.engine,
        "clock": arguments.clock,
        "cycles": travel.cycles,
        "seconds": median,
        "samples": samples,
        "step back, milliseconds": median["step back"] * 1000,
        "ratios": {
            "a profile of the whole recording, over a replay": median["profile"] / median["whole"],
            "the whole recording under gdb, over a replay": median["debugger"] / median["whole"],
            "open and stand at a random cycle, over a replay": median["somewhere"] / median["whole"],
            "back to a breakpoint a billion cycles ago, over going there forward": median["back"] / median["forward"],
            "verified by two machines, over a replay": median["jobs 2"] / median["whole"],
            "last-write over the whole recording, over a replay": median["last-write"] / median["whole"],
            "the same by two machines, over a replay": median["last-write 2"] / median["whole"],
        },
        "qemu": qemu | qemu_figures(qemu.get("samples")),
    }


def qemu_figures(samples):
    """Medians, and ours over QEMU's."""
    if samples is None:
        return {}
    median = {name: statistics.median(values) for name, values in samples.items()}
    return {
        "seconds": median,
        "ratios": {name: median[name] / median[f"qemu {name}"] for name in ("step back", "back")},
    }


def qemu_table(qemu):
    if "left out" in qemu:
        return [f"QEMU is left out: {qemu['left out']}"]
    lines = [f"beside QEMU, {qemu_reverse.NEAR:,} instructions behind a breakpoint:{'isochron':>24}{'QEMU':>12}{'ratio':>9}"]
    for name, text in (("step back", "a step back"), ("back", "back to the breakpoint")):
        ours, theirs = (qemu["seconds"][f"{prefix}{name}"] * 1000 for prefix in ("", "qemu "))
        lines.append(f"{text:<60}{ours:>12.3f} ms{theirs:>9.3f} ms{qemu['ratios'][name]:>9.3f}")
    answer = qemu["far"] if isinstance(qemu["far"], str) else f"{qemu['far']:.3f} s"
    lines.append(f"QEMU, a step back from {qemu_reverse.FAR:,} instructions behind its snapshot: {answer}")
    return lines


def table(found):
    lines = [f"medians of {found['runs']} runs, {found['cycles'] / 1e9:.1f} billion cycles, engine {found['engine']}, {found['clock']} time"]
    lines.append(f"{'replay of the whole recording':<70}{found['seconds']['whole']:>9.3f} s")
    lines += [f"{name:<70}{ratio:>9.3f}" for name, ratio in found["ratios"].items()]
    lines.append(f"{'a step back':<70}{found['step back, milliseconds']:>9.3f} ms")
    lines += qemu_table(found["qemu"])
    return "\n".join(lines)


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        log = pathlib.Path(arguments.log) if arguments.log else make_recording(arguments, folder)
        bare = folder / "bare"
        shutil.copy(log, bare)
        shutil.copy(f"{log}.images", f"{bare}.images")
        travel = Travel(arguments, log, bare)
        samples = measure(travel, arguments)
        found = figures(travel, arguments, samples, measure_qemu(travel, arguments, folder))
    print(json.dumps(found, indent=2) if arguments.json else table(found))


if __name__ == "__main__":
    main()
