#!/usr/bin/python3
"""Records one guest many times on a host that is made to misbehave, and holds the logs against each other.

scripts/soak runs it and has the options.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import dataclasses
import hashlib
import os
import pathlib
import pty
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pytests"))

from isochron import engines  # noqa: E402  pylint: disable=wrong-import-position

# A session whose log shows nearly everything that could go wrong: processes, timers, floating point, interrupts and what
# the kernel counts of them.
SESSION = r"""
expect "~ # "
send "uname -a; date\n"
expect "GNU/Linux"
expect "~ # "
send "for i in 1 2 3 4 5 6; do (sleep 0.0$i; echo $i $$) & done; wait\n"
expect "wait\r\n"
expect "~ # "
send "awk 'BEGIN { for (i = 1; i < 1000; ++i) s += sin(i) / i; print s }'; ps\n"
expect "ps\r\n"
expect "~ # "
at 1200M send "cat /proc/interrupts /proc/stat /proc/uptime; dmesg | tail -3\n"
expect "tail -3\r\n"
expect "~ # "
run 50M
send "poweroff -f\n"
"""

LOCALES = ["C", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.eucJP", ""]
ZONES = ["UTC", "Asia/Tokyo", "America/St_Johns", "Pacific/Apia"]


@dataclasses.dataclass
class Trial:
    """One recording and what disturbs it."""

    number: int
    engine: str
    directory: pathlib.Path
    environment: dict[str, str]
    nice: int
    cpus: set[int]
    prefix: list[str]
    streams: str
    stops: list[tuple[float, float]]

    def describe(self) -> str:
        """One line that tells it apart."""
        return (
            f"recording {self.number}: {self.engine}, {self.streams}, CPUs {sorted(self.cpus)}, nice {self.nice}, "
            f"{len(self.stops)} stops, {' '.join(self.prefix) or 'plain'}, "
            f"LC_ALL={self.environment.get('LC_ALL')}, TZ={self.environment.get('TZ')}, {self.directory}"
        )


def make_trial(number: int, engine: str, root: pathlib.Path, dice: random.Random) -> Trial:
    """A trial with disturbances as the dice fall."""
    directory = root / str(number) / "/".join("d" * dice.randint(1, 200) for _ in range(dice.randint(1, 4)))
    environment = {"LC_ALL": dice.choice(LOCALES), "TZ": dice.choice(ZONES), "PATH": "/usr/bin:/bin"}
    environment |= {f"VARIABLE_{i}": "x" * dice.randint(0, 2000) for i in range(dice.randint(0, 100))}
    available = sorted(os.sched_getaffinity(0))
    return Trial(
        number=number,
        engine=engine,
        directory=directory,
        environment=environment,
        nice=dice.choice([0, 0, 5, 19]),
        cpus=set(dice.sample(available, dice.randint(1, len(available)))),
        prefix=dice.choice([[], [], ["setarch", "-R"], ["env", "MALLOC_PERTURB_=165"]]),
        streams=dice.choice(["terminal", "pipe", "file", "null"]),
        stops=[(dice.uniform(0, 0.4), dice.uniform(0.01, 0.3)) for _ in range(dice.choice([0, 0, 1, 4]))],
    )


def drain(descriptor: int) -> None:
    """Reads until the other end is gone."""
    with contextlib.suppress(OSError):
        while os.read(descriptor, 1 << 16):
            pass
    os.close(descriptor)


@contextlib.contextmanager
def streams(kind: str, directory: pathlib.Path):
    """Standard input and output of a recording."""
    if kind == "terminal":
        ours, theirs = pty.openpty()
    elif kind == "pipe":
        ours, theirs = os.pipe()
    else:
        ours = -1
        name = directory / "console" if kind == "file" else os.devnull
        theirs = os.open(name, os.O_RDWR | os.O_CREAT, 0o666)
    reader = threading.Thread(target=drain, args=(ours,)) if ours >= 0 else None
    if reader:
        reader.start()
    try:
        yield (theirs if kind == "terminal" else subprocess.DEVNULL), theirs
    finally:
        os.close(theirs)
        if reader:
            reader.join()


def record(trial: Trial, options: argparse.Namespace) -> tuple[Trial, str]:
    """Makes the recording; returns the digest of its log, or ends with what the program said."""
    trial.directory.mkdir(parents=True)
    (trial.directory / "session").write_text(SESSION)
    command = [
        "nice", "-n", str(trial.nice), "taskset", "-c", ",".join(map(str, sorted(trial.cpus))),
        *trial.prefix, options.isochron, "record", "-o", "log", "--engine", trial.engine,
        "--kernel", options.kernel, "--initrd", options.initrd, "--append", "console=ttyS0",
        "--seed", "7", "--script", "session",
    ]  # fmt: skip

    with streams(trial.streams, trial.directory) as (standard_input, standard_output):
        process = subprocess.Popen(
            command,
            cwd=trial.directory,
            env=trial.environment,
            stdin=standard_input,
            stdout=standard_output,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for run, halt in trial.stops:
            time.sleep(run)
            process.send_signal(signal.SIGSTOP)
            time.sleep(halt)
            process.send_signal(signal.SIGCONT)
        _, errors = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{trial.describe()} ended with {process.returncode}: {errors.decode()}")
    return trial, hashlib.sha256((trial.directory / "log").read_bytes()).hexdigest()


@contextlib.contextmanager
def hostile_host():
    """Processes that take the CPUs and memory from whoever runs beside them."""
    hog = "while True: sum(range(100000))"
    with open("/proc/meminfo", encoding="ascii") as file:
        available = next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))
    size = min(available // 4, 1 << 30)
    squeeze = f"""
while True:
    memory = bytearray({size})
    for page in range(0, {size}, 4096): memory[page] = 1
"""
    programs = [hog] * len(os.sched_getaffinity(0)) + [squeeze]
    processes = [subprocess.Popen([sys.executable, "-c", program]) for program in programs]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def report_difference(options: argparse.Namespace, found: dict[str, list[Trial]]) -> None:
    """Says what differs, and keeps a log of each kind."""
    keep = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="soak-"))
    keep.mkdir(parents=True, exist_ok=True)
    kept = []
    for digest, trials in sorted(found.items(), key=lambda item: -len(item[1])):
        name = keep / f"{digest[:12]}.log"
        name.write_bytes((trials[0].directory / "log").read_bytes())
        kept.append(name)
        print(f"{len(trials)} times {digest[:12]} ({name}), such as {trials[0].describe()}")
    for other in kept[1:]:
        subprocess.run([options.isochron, "log", "diff", kept[0], other], check=False)


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("count", nargs="?", type=int, default=100)
    parser.add_argument("--isochron", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--initrd", required=True)
    parser.add_argument("--engine", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep")
    options = parser.parse_args()
    options.isochron = os.path.abspath(options.isochron)
    names = options.engine or engines(options.isochron)
    dice = random.Random(options.seed)
    started = time.monotonic()
    found: dict[str, list[Trial]] = collections.defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="soak-") as root, hostile_host():
        trials = [
            make_trial(number, names[number % len(names)], pathlib.Path(root), dice)
            for number in range(options.count)
        ]
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for trial, digest in pool.map(lambda trial: record(trial, options), trials):
                found[digest].append(trial)
                if sys.stderr.isatty():
                    print(f"\r{trial.number + 1} of {options.count}", end="", file=sys.stderr)
        if len(found) > 1:
            print(f"{options.count} recordings, {len(found)} different logs (seed {options.seed})")
            report_difference(options, found)
            return 3
        (digest,) = found
        size = (found[digest][0].directory / "log").stat().st_size
    print(
        f"{options.count} recordings on {' and '.join(names)}: one log of {size} bytes, SHA-256 {digest} "
        f"({time.monotonic() - started:.0f} s, seed {options.seed})"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
