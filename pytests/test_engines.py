"""What func-alpha-replay wanted to be: guests boot, are recorded, and replay; on every engine, with equal logs."""

import pathlib
import random
import re
import signal
import subprocess

import pytest

from helpers.commands import run
from helpers.guests import own_guest
from helpers.linux_guest import TROUBLE
from helpers.terminal import Terminal
from helpers.tree import HANG
from isochron import End, Input, Log, Stop, engines

KERNELS = ["linux", "linux-hz1024", "linux-poll", "linux-6.12"]

COMMANDS = [
    "uname -a; cat /proc/cpuinfo | head -4",
    "for i in 1 2 3 4; do (sleep 0.0$i; echo $i $$) & done; wait",
    "awk 'BEGIN { for (i = 1; i < 500; ++i) s += sin(i) / i; print s }' | md5sum",
    "cat /proc/interrupts /proc/stat /proc/uptime; dmesg | tail -3",
]


@pytest.fixture
def linux(machine, guest):
    """linux(kernel, engine): a machine with the BusyBox initrd."""

    def make(kernel, engine, **fields):
        return machine(
            kernel=guest(kernel) / "vmlinux",
            initrd=guest("initrd") / "initrd.cpio.gz",
            append="console=ttyS0",
            engine=engine,
            **fields,
        )

    return make


def converse(session, commands=COMMANDS):
    """A shell session from boot to power-off."""
    session.expect("~ # ")
    for number, command in enumerate(commands):
        session.send(f"{command}\necho '<'{number}'>'\n")
        session.expect(f"<{number}>", within=200e9)
        session.expect("~ # ")
    session.send("poweroff -f\n")
    result = session.finish()
    assert (result.exit_code, result.reason) == (0, "power-off"), result.errors
    assert "reboot: Power down" in result.transcript
    assert not TROUBLE.search(result.transcript), result.transcript
    return result


@pytest.mark.parametrize("kernel", KERNELS)
def test_record_and_replay(linux, isochron, kernel):
    built = engines(isochron)
    recorded = {}
    for engine in built:
        with linux(kernel, engine).record(f"{engine}.log") as session:
            recorded[engine] = converse(session)
    assert len({pathlib.Path(result.log.path).read_bytes() for result in recorded.values()}) == 1
    assert len({(result.transcript, result.instructions) for result in recorded.values()}) == 1
    first = recorded[built[0]]
    assert first.log.bytes < 128 << 10
    assert first.log.read().output().decode("latin-1") == first.transcript
    subprocess.run(["zstd", "-q", "-t", first.log.path], timeout=HANG, check=True)
    for engine in built:
        # Of the other one's log, where there is another.
        log = f"{built[built.index(engine) - 1]}.log"
        replayed = linux(kernel, engine).replay(log).finish()
        assert (replayed.exit_code, replayed.diverged) == (0, False), replayed.errors
        assert replayed.equal_events == first.log.events
        assert (replayed.transcript, replayed.cycles) == (first.transcript, first.cycles)


def test_the_oracle_agrees_on_a_boot(linux):
    """It shares neither blocks nor lookaside with the interpreter, nor skips what the interpreter skips."""
    for engine in ("ref", "oracle"):
        with linux("linux", engine).record(f"{engine}.log") as session:
            converse(session, COMMANDS[:1])
    assert pathlib.Path("oracle.log").read_bytes() == pathlib.Path("ref.log").read_bytes()


def test_from_the_middle(linux, engine):
    machine = linux("linux", engine)
    options = ["--snapshot-every", "100M", "--checkpoint-interval", "50M"]
    with machine.record("log", options) as session:
        recorded = converse(session)
    half = recorded.cycles // 2
    late = machine.replay("log", start=half).finish()
    assert late.exit_code == 0 and late.cycles == recorded.cycles
    began = int(re.search(r"begins at the snapshot at cycle (\d+)", late.errors)[1])
    assert half - 200_000_000 < began <= half
    assert 0 < late.equal_events < recorded.log.events
    assert recorded.transcript.endswith(late.transcript)
    # Going live where the shell waited for its second command.
    at = [event.cycle for event in Log("log") if isinstance(event, Input)][1]
    with machine.replay("log", live=at, output="other") as session:
        session.send("echo $((6 * 7))\n")
        session.expect("42")
        session.expect("~ # ")
        session.send("poweroff -f\n")
        other = session.finish()
    assert (other.exit_code, other.reason) == (0, "power-off")
    assert machine.replay("other").finish().equal_events == other.log.events
    # Both runs have the same beginning.
    first, second = list(Log("log")), list(Log("other"))
    same = next(i for i, pair in enumerate(zip(first, second)) if pair[0] != pair[1])
    assert first[same].cycle >= at


def test_both_engines_in_one_conversation(linux, isochron):
    if len(engines(isochron)) < 2:
        pytest.skip("one engine is built")
    machine = linux("linux", None)
    with machine.conform(options=["-o", "log"]) as session:
        result = converse(session, COMMANDS[:2])
    assert "ref and jit agree" in result.errors
    again = machine.conform("log").finish()
    assert again.exit_code == 0 and "agree" in again.errors, again.errors
    assert again.cycles == result.cycles


def test_a_bundle_replays_alone(linux, engine, isochron, tmp_path):
    machine = linux("linux", engine)
    with machine.record("log") as session:
        result = converse(session, COMMANDS[:1])
    subprocess.run([isochron, "log", "bundle", "log", "-o", "bundle"], timeout=HANG, check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "bundle").rename(elsewhere / "bundle")
    # On another engine, where there is another.
    built = engines(isochron)
    done = subprocess.run(
        [isochron, "replay", "bundle", "--engine", built[built.index(engine) - 1]],
        cwd=elsewhere, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("latin-1") == result.transcript


def test_a_snapshot_goes_on_another_engine(machine, isochron):
    built = engines(isochron)
    timers = own_guest(isochron, "timers")
    intervals = ["--input-interval", "10000", "--checkpoint-interval", "1M", "--snapshot-every", "1M"]
    for engine in built:
        machine(kernel=timers, engine=engine).record(engine, intervals).finish()
    assert len({pathlib.Path(f"{engine}.snapshots").read_bytes() for engine in built}) == 1
    for number, engine in enumerate(built):
        late = machine(kernel=timers, engine=engine).replay(built[number - 1], start=5_000_000).finish()
        assert late.exit_code == 0 and "begins at the snapshot at cycle" in late.errors, late.errors


def test_a_run_goes_on_live_on_another_engine(isochron, conversation_log, tmp_path):
    script = tmp_path / "script"
    script.write_text('send "Z"\nexpect "[5a]"\nat 90M send "q"\n')
    logs = set()
    for engine in engines(isochron):
        log = tmp_path / engine
        done = run(
            isochron, "replay", str(conversation_log), "--until", "60M", "--live", "-o", str(log),
            "--script", str(script), "--engine", engine,
        )  # fmt: skip
        assert (done.returncode, done.stdout) == (0, b"ready\r\n[61][62][63][48][45][5a]"), done.stderr
        logs.add(log.read_bytes())
    assert len(logs) == 1


def test_typing_at_a_terminal(linux, engine, isochron, tmp_path):
    """What a person typed, when it suited them, is recorded, and replays on every engine."""
    machine = linux("linux", engine)
    log = tmp_path / "log"
    tty = Terminal([isochron, "record", "-o", str(log), *machine.machine_arguments()])
    dice = random.Random(engine)
    try:
        tty.expect("~ # ")
        for number in range(5):
            for key in f"echo $(({number} + 90)":
                tty.type(key.encode())
                if dice.random() < 0.3:
                    tty.expect(key)  # at another cycle in every run
            tty.type(b")\r")
            tty.expect(f"\n{number + 90}")
            tty.expect("~ # ")
        tty.type(b"poweroff -f\r")
        assert tty.end() == 0
        assert tty.is_restored()
    finally:
        tty.close()
    for other in engines(isochron):
        result = linux("linux", other).replay(log).finish()
        assert (result.exit_code, result.diverged) == (0, False), result.errors
        assert "\r\n94\r\n" in result.transcript


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE])
def test_signals_leave_a_log_that_replays(machine, console_guest, engine, isochron, number):
    console = machine(kernel=console_guest)
    process = subprocess.Popen(
        [isochron, "record", "-o", "log", *console.machine_arguments()],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\r\n"
    if number == signal.SIGPIPE:
        process.stdout.close()
        process.stdin.write(b"l")
        process.stdin.flush()
        process.wait(HANG)
    else:
        process.send_signal(number)
        process.communicate(timeout=HANG)
    assert process.returncode == 128 + number
    *_, stop, end = Log("log")
    assert isinstance(stop, Stop) and (stop.cause, stop.detail) == ("signal", number)
    assert isinstance(end, End)
    assert console.replay("log").finish().exit_code == 0


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGSEGV])
def test_deaths_leave_a_partial_log_that_replays(machine, console_guest, engine, number):
    console = machine(kernel=console_guest)
    session = console.record("log", ["--checkpoint-interval", "1M"])
    session.send("l")
    session.run(1.1e9)  # more than a frame of events
    session.process.send_signal(number)
    assert session.process.wait(HANG) in (-number, 128 + number)
    log = Log("log.partial")
    assert log.partial and len(list(log)) > 100
    result = console.replay("log.partial").finish()
    assert result.exit_code == 0 and "where it breaks off" in result.errors
