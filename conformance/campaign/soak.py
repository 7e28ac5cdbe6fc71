"""Records one guest many times on a host that is made to misbehave, and holds the logs against each other.

scripts/soak runs it and has the options.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import ctypes
import dataclasses
import hashlib
import itertools
import os
import pathlib
import pty
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence

from conformance.campaign.arguments import positive
from conformance.campaign.soak_guest import guest_arguments, session
from conformance.guests.disk_root import make_root
from conformance.tree import guest_path
from isochron import Log, LogError, engines

# Locales with another character set, decimal point and case of letters than C: name, source and charset.
LOCALES = [
    ("de_DE.UTF-8", "de_DE", "UTF-8"),
    ("tr_TR.UTF-8", "tr_TR", "UTF-8"),
    ("ja_JP.EUC-JP", "ja_JP", "EUC-JP"),
]
ZONES = ["UTC", "Asia/Tokyo", "America/St_Johns", "Pacific/Apia"]
STREAMS = ["terminal", "pipe", "file"]
STOPS = [0, 1, 4]
NICE = [0, 5, 19]
# Nothing that this process starts outlives it, however it ends.
LEASH = ["setpriv", "--pdeathsig", "KILL"]

PROCESS_MADVISE = 440  # the same on all architectures
MADV_PAGEOUT = 21


@dataclasses.dataclass
class Trial:
    """One recording and what disturbs it."""

    number: int
    engine: str
    directory: pathlib.Path
    environment: dict[str, str]
    nice: int
    cpus: list[int]
    prefix: list[str]
    streams: str
    stops: list[tuple[float, float]]
    squeezed: bool

    def describe(self) -> str:
        """One line that tells it apart."""
        return (
            f"recording {self.number}: {self.engine}, {self.streams}, CPUs {self.cpus}, nice {self.nice}, "
            f"{len(self.stops)} stops, {'pages taken away, ' if self.squeezed else ''}"
            f"{' '.join(self.prefix) or 'plain'}, "
            f"LC_ALL={self.environment['LC_ALL']}, TZ={self.environment['TZ']}, {self.directory}"
        )


@dataclasses.dataclass
class Outcome:
    """What came of a trial."""

    trial: Trial
    code: int
    log: pathlib.Path | None
    digest: str
    errors: str
    console: str  # "" when it is what the log has, otherwise what is wrong with it
    major_faults: int

    def kind(self) -> tuple[int, str, str]:
        """What has to be the same in all of them."""
        return self.code, self.digest, self.console


def build_locales(root: pathlib.Path) -> list[str]:
    """Makes the LOCALES that a directory for LOCPATH lacks; raises OSError or CalledProcessError when it cannot."""
    root.mkdir(parents=True, exist_ok=True)

    def build(name: str, source: str, charset: str) -> str:
        if (root / name).is_dir():
            return name
        subprocess.run(
            ["localedef", "-i", source, "-f", charset, str(root / name)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        said = subprocess.run(
            ["locale", "charmap"],
            env={"PATH": os.environ.get("PATH", os.defpath), "LOCPATH": str(root), "LC_ALL": name},
            capture_output=True, text=True, timeout=300, check=True,
        )  # fmt: skip
        if said.stdout.strip() != charset:
            raise OSError(f"locale {name} was built, but is not used")
        return name

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(build, *zip(*LOCALES)))


def works(*command: str) -> bool:
    """Whether this host allows a command: containers forbid some."""
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def prefixes() -> list[list[str]]:
    """Commands that a recording can be run under."""
    fixed = ["setarch", "-R"]
    return [[], ["env", "MALLOC_PERTURB_=165"]] + ([fixed] if works(*fixed, "true") else [])


def deck(dice: random.Random, cards: Sequence) -> Iterator:
    """Deals all cards in random order, over and over: few recordings get as many different ones as there can be."""
    while True:
        yield from dice.sample(cards, len(cards))


def make_trials(
    options: argparse.Namespace, names: Sequence[str], locales: Sequence[str], root: pathlib.Path
) -> list[Trial]:
    """Trials on all engines in turn, with what disturbs them dealt to each engine."""
    dice = random.Random(options.seed)
    locale_path = options.locales or str(root / "locales")
    available = sorted(os.sched_getaffinity(0))
    sizes = [1, max(1, len(available) // 2), len(available)]
    hands = {
        name: zip(*(deck(dice, cards) for cards in (STREAMS, STOPS, NICE, sizes, [True, False])))
        for name in names
    }
    languages, commands = deck(dice, ["C", *locales]), deck(dice, prefixes())
    trials = []
    for number, engine in zip(range(options.count), itertools.cycle(names)):
        kind, stops, nice, size, squeezed = next(hands[engine])
        environment = {"LC_ALL": next(languages), "TZ": dice.choice(ZONES), "PATH": "/usr/bin:/bin"}
        environment["LOCPATH"] = locale_path
        environment |= {f"VARIABLE_{i}": "x" * dice.randint(0, 2000) for i in range(dice.randint(0, 100))}
        trials.append(
            Trial(
                number=number,
                engine=engine,
                directory=root / str(number) / "/".join("d" * dice.randint(1, 200) for _ in range(dice.randint(1, 4))),
                environment=environment,
                nice=nice,
                cpus=sorted(dice.sample(available, size)),
                prefix=next(commands),
                streams=kind,
                stops=[(dice.uniform(0, 0.4), dice.uniform(0.01, 0.3)) for _ in range(stops)],
                squeezed=squeezed,
            )
        )
    return trials


def drain(descriptor: int, taken: bytearray) -> None:
    """Reads until the other end is gone."""
    with contextlib.suppress(OSError):
        while data := os.read(descriptor, 1 << 16):
            taken += data
    os.close(descriptor)


@contextlib.contextmanager
def streams(kind: str, directory: pathlib.Path):
    """Standard input and output of a recording; after it, what was written there."""
    taken = bytearray()
    ours = -1
    if kind == "terminal":
        ours, theirs = pty.openpty()
    elif kind == "pipe":
        ours, theirs = os.pipe()
    else:
        theirs = os.open(directory / "console", os.O_RDWR | os.O_CREAT, 0o666)
    reader = threading.Thread(target=drain, args=(ours, taken)) if ours >= 0 else None
    if reader:
        reader.start()
    try:
        yield (theirs if kind == "terminal" else subprocess.DEVNULL), theirs, taken
    finally:
        os.close(theirs)
        if reader:
            reader.join()
        else:
            taken += (directory / "console").read_bytes()


class IoVec(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class Squeeze(threading.Thread):
    """Takes a process's pages away again and again, as a host without free memory does.

    The kernel drops those of files, which the process then has to read from disk, and swaps out those without a file
    where there is swap. Pages that other processes map, too, stay: the program has to be a copy of its own.
    """

    def __init__(self, pid: int) -> None:
        super().__init__()
        self._pid = pid
        self._over = threading.Event()
        self.major_faults = 0

    def run(self) -> None:
        with contextlib.suppress(OSError):  # the process has ended
            while not self._over.wait(0.02):
                page_out(self._pid)
                with open(f"/proc/{self._pid}/stat", encoding="ascii") as file:
                    self.major_faults = int(file.read().rpartition(")")[2].split()[9])

    def end(self) -> None:
        """Waits until it does no more."""
        self._over.set()
        self.join()


def own_copy(program: str, path: pathlib.Path) -> str:
    """A copy of a program whose pages can be taken away: they are on disk."""
    shutil.copy(program, path)
    with open(path, "rb") as file:
        os.fsync(file.fileno())
    return str(path)


def page_out(pid: int) -> None:
    """Asks the kernel to reclaim a process's pages; raises OSError when it does not allow that."""
    libc = ctypes.CDLL(None, use_errno=True)
    process = os.pidfd_open(pid)
    try:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
            spans = [line.split()[0].split("-") for line in file if "[v" not in line]
        for low, high in spans:
            span = IoVec(int(low, 16), int(high, 16) - int(low, 16))
            done = libc.syscall(
                PROCESS_MADVISE, process, ctypes.byref(span), ctypes.c_size_t(1), MADV_PAGEOUT, 0
            )
            if done < 0 and ctypes.get_errno() in (1, 38):  # EPERM, ENOSYS; a mapping may be gone or locked
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(process)


def can_page_out() -> str:
    """Why pages cannot be taken away here; empty when they can."""
    with subprocess.Popen([*LEASH, "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        try:
            page_out(child.pid)
        except (OSError, AttributeError) as error:
            return str(error)
        finally:
            child.kill()
    return ""


class Recordings:
    """Makes them; end() ends those that run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen] = set()
        self._over = False

    def end(self) -> None:
        """Kills what runs; no more is begun."""
        with self._lock:
            self._over = True
            for process in self._running:
                process.kill()

    @contextlib.contextmanager
    def _start(self, command: list[str], **options):
        with self._lock:
            if self._over:
                raise RuntimeError("it is over")
            process = subprocess.Popen(command, **options)
            self._running.add(process)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            with self._lock:
                self._running.discard(process)

    def record(self, trial: Trial) -> Outcome:
        """One recording."""
        trial.directory.mkdir(parents=True)
        (trial.directory / "session").write_text(session(self._options))
        program = self._options.isochron
        if trial.squeezed:
            program = own_copy(program, trial.directory / "program")
        command = [
            *LEASH, "nice", "-n", str(trial.nice), "taskset", "-c", ",".join(map(str, trial.cpus)),
            *trial.prefix, program, "record", "-o", "log", "--engine", trial.engine,
            *guest_arguments(self._options), "--seed", "7", "--script", "session",
        ]  # fmt: skip

        with streams(trial.streams, trial.directory) as (standard_input, standard_output, console):
            with open(trial.directory / "errors", "w+b") as errors, self._start(
                command,
                cwd=trial.directory,
                env=trial.environment,
                stdin=standard_input,
                stdout=standard_output,
                stderr=errors,
                start_new_session=True,
            ) as process:
                squeeze = Squeeze(process.pid) if trial.squeezed else None
                if squeeze:
                    squeeze.start()
                for run, halt in trial.stops:
                    time.sleep(run)
                    process.send_signal(signal.SIGSTOP)
                    time.sleep(halt)
                    process.send_signal(signal.SIGCONT)
                hung = ""
                try:
                    process.wait(self._options.patience)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    hung = f"soak: it did not end within {self._options.patience} s and was killed\n"
                if squeeze:
                    squeeze.end()
                errors.seek(0)
                said = errors.read().decode(errors="replace") + hung
        names = (trial.directory / "log", trial.directory / "log.partial")
        log = next((path for path in names if path.exists()), None)
        return Outcome(
            trial=trial,
            code=process.returncode,
            log=log,
            digest=hashlib.sha256(log.read_bytes()).hexdigest() if log else "",
            errors=said,
            console=compare_console(log, bytes(console)) if process.returncode == 0 else "",
            major_faults=squeeze.major_faults if squeeze else 0,
        )


def compare_console(log: pathlib.Path | None, console: bytes) -> str:
    """What is wrong with what came out of the terminal, pipe or file; empty when it is what the log has."""
    if log is None:
        return "there is no log"
    try:
        expected = Log(log).output()
    except LogError as error:
        return str(error)
    if console == expected:
        return ""
    pairs = zip(console, expected)
    same = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(console), len(expected)))
    return f"its console has {len(console)} bytes, its log {len(expected)}, of which the first {same} are equal"


@contextlib.contextmanager
def busy_cpus():
    """Processes that take the CPUs from whoever runs beside them."""
    hog = [*LEASH, sys.executable, "-c", "while True: sum(range(100000))"]
    processes: list[subprocess.Popen] = []
    try:
        for _ in os.sched_getaffinity(0):
            processes.append(subprocess.Popen(hog, stdin=subprocess.DEVNULL))
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def keep_one(number: int, outcome: Outcome, keep: pathlib.Path) -> pathlib.Path | None:
    """Copies what a recording left; returns the path of its log."""
    name = f"{number}-{outcome.trial.engine}-exit-{outcome.code}"
    (keep / f"{name}.errors").write_text(outcome.errors)
    if outcome.log is None:
        return None
    suffix = ".log" + outcome.log.name.removeprefix("log")
    return pathlib.Path(shutil.copy(outcome.log, keep / f"{name}{suffix}"))


def report(options: argparse.Namespace, names: Sequence[str], kinds: list[list[Outcome]]) -> None:
    """Says what differs or failed, and keeps a log of each kind."""
    keep = pathlib.Path(options.keep or tempfile.mkdtemp(prefix="soak-"))
    keep.mkdir(parents=True, exist_ok=True)
    kept = []
    for number, outcomes in enumerate(kinds):
        first = outcomes[0]
        log = keep_one(number, first, keep)
        kept.append(log)
        print(f"{len(outcomes)} times exit code {first.code}, {first.digest[:12] or 'no log'} ({log or keep}), such as "
              f"{first.trial.describe()}")  # fmt: skip
        if first.console:
            print(f"  {first.console}")
        if first.code != 0:
            print("".join(f"  {line}\n" for line in first.errors.splitlines()[-20:]), end="")

    def tell(*command) -> int:
        try:
            done = subprocess.run(
                [options.isochron, *map(str, command)],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=options.patience, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            print(f"it did not end within {options.patience} s: {' '.join(map(str, command))}")
            return 0
        print((done.stdout + done.stderr).decode(errors="replace"), end="")
        return done.returncode

    for log, outcomes in list(zip(kept, kinds))[1:]:
        if log is None:
            continue
        if kept[0] is not None and outcomes[0].digest != kinds[0][0].digest:
            print(f"\nlog diff {kept[0]} {log}:")
            tell("log", "diff", kept[0], log)
        # Which of two logs is wrong: that which the other engine does not repeat.
        engine = next((name for name in names if name != outcomes[0].trial.engine), names[0])
        print(f"\nreplay --engine {engine} {log}:")
        images = ["--disk", str(options.image)] if options.disk else ["--initrd", options.initrd]
        tell("replay", log, "--engine", engine, "--console", "null", "--kernel", options.kernel, *images)


def idle_option(options: argparse.Namespace) -> str:
    """Which of the options would do nothing beside the others, and why; empty when each does something."""
    if options.schedule is not None and (options.cpus or 1) == 1:
        return "--schedule says how several CPUs take turns: give --cpus of 2 or more with it"
    for name in ("mib", "files"):
        if getattr(options, name) is not None and not options.disk:
            return f"--{name} says what is written to a disk: give --disk with it"
    if options.mib is not None and options.files is not None:
        return "--mib and --files are two things to write: give one of them"
    return ""


def parse_options() -> argparse.Namespace:
    """The command line, with absolute paths: recordings run elsewhere."""
    parser = argparse.ArgumentParser(prog="soak")
    parser.add_argument("count", nargs="?", type=positive, default=100)
    parser.add_argument("--isochron", required=True)
    parser.add_argument("--guest")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--disk", choices=("virtio", "ide"))
    what.add_argument("--cpus", type=int, choices=range(1, 5))
    parser.add_argument("--schedule")
    parser.add_argument("--mib", type=positive)
    parser.add_argument("--files", type=positive)
    parser.add_argument("--engine", action="append")
    parser.add_argument("--jobs", type=positive, default=2)
    parser.add_argument("--patience", type=positive, default=600)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--keep")
    parser.add_argument("--locales", type=os.path.abspath)
    options = parser.parse_args()
    if why := idle_option(options):
        parser.error(why)
    options.mib = options.mib or 64
    options.isochron = os.path.abspath(options.isochron)
    if not os.path.isfile(options.isochron):
        parser.error(f"{options.isochron} is no file")
    guest = options.guest or ("linux-disk" if options.disk else "linux-smp" if options.cpus else "linux")
    try:
        options.kernel = str(guest_path(guest) / "vmlinux")
        options.initrd = str(guest_path("smp-load" if options.cpus else "initrd") / "initrd.cpio.gz")
    except subprocess.CalledProcessError:
        sys.exit(1)  # it has said why
    return options


def soak(options: argparse.Namespace, names: Sequence[str], root: pathlib.Path) -> int:
    """Makes all recordings and says what came of them; the exit code."""
    options.image = root / "image"
    if options.disk:
        make_root(options.image, 32 + max(options.mib, (options.files or 0) // 50))
    locales = []
    try:
        locales = build_locales(pathlib.Path(options.locales or root / "locales"))
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or "").strip().splitlines()
        print(f"soak: no locales but C ({'; '.join([str(error), *said[:1]])})", file=sys.stderr)
    if why := can_page_out():
        print(f"soak: no memory pressure ({why})", file=sys.stderr)
    trials = make_trials(options, names, locales, root)
    if why:
        trials = [dataclasses.replace(trial, squeezed=False) for trial in trials]

    found: dict[tuple[int, str, str], list[Outcome]] = collections.defaultdict(list)
    recordings = Recordings(options)
    with busy_cpus(), concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        try:
            for outcome in pool.map(recordings.record, trials):
                found[outcome.kind()].append(outcome)
                if sys.stderr.isatty():
                    print(f"\r{outcome.trial.number + 1} of {options.count}", end="", file=sys.stderr)
                if len(found[outcome.kind()]) > 1:
                    shutil.rmtree(root / str(outcome.trial.number))
        except BaseException:
            recordings.end()
            pool.shutdown(cancel_futures=True)
            raise
    kinds = sorted(found.values(), key=lambda outcomes: -len(outcomes))
    first = kinds[0][0]
    if len(kinds) > 1 or first.code != 0 or first.console:
        failed = sum(outcome.code != 0 for outcomes in kinds for outcome in outcomes)
        differ = len({digest for _, digest, _ in found if digest})
        print(f"{options.count} recordings, {differ} different logs, {failed} failed (seed {options.seed})")
        report(options, names, kinds)
        return 3
    stops = sum(len(trial.stops) for trial in trials)
    faults = sum(outcome.major_faults for outcome in kinds[0])
    print(
        f"{options.count} recordings on {' and '.join(names)}: one log of {first.log.stat().st_size} bytes, SHA-256 "
        f"{first.digest} ({stops} stops, {faults} page faults for pages taken away, seed {options.seed})"
    )
    return 0


def main() -> int:
    options = parse_options()
    names = options.engine or engines(options.isochron)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="soak-") as root:
        return soak(options, names, pathlib.Path(root))


if __name__ == "__main__":
    sys.exit(main())
