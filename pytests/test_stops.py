"""A request to stop is seen soon, whatever the guest does and however far apart input points are."""

import os
import pathlib
import re
import signal
import time

import pytest

from helpers.commands import end_of, run, start, write
from helpers.guests import assemble_console_guest, build_kernel
from helpers.recordings import assert_replays
from isochron import ExpectError
from isochron.log import End, Input, Log, Stop

ENGINES = ["ref", "jit"]
# The longest interval that there is, half an hour of guest time. With guests that are slow to run it takes days.
FAR = ["--input-interval", str(1 << 40), "--checkpoint-interval", str(1 << 50), "--console", "null"]
STOP_POINT = 1 << 20
TICK = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="session")
def busy_guest(tmp_path_factory):
    """Makes the kernel of guests/flood.S that floods as a letter says from its first instruction on."""
    directory = tmp_path_factory.mktemp("busy")

    def build(key, *flags):
        kernel = directory / f"{key}.elf"
        if kernel.exists():
            return str(kernel)
        return build_kernel(kernel, ["pytests/guests/flood.S"], "-Wa,-m21264", f"-DKEY='{key}'", *flags)

    return build


def works_for(process, seconds):
    """Waits until a process has had so much CPU time."""
    while True:
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        assert fields[0] != "Z"
        if int(fields[11]) + int(fields[12]) > seconds * TICK:
            return
        time.sleep(0.01)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("key", ["s", "e", "m", "v", "c", "r", "w"])
def test_a_signal_needs_no_input_point(isochron, busy_guest, tmp_path, key, engine):
    """Stores into code, exceptions, machine checks, interrupts, output, resets with a large image, and waiting."""
    kernel = busy_guest(key, *(["-DBYTES=200<<20"] if key == "r" else []))
    log = tmp_path / "log"
    with start(isochron, "record", "-o", str(log), "--kernel", kernel, "--engine", engine, *FAR) as process:
        works_for(process, 0.1)
        process.send_signal(signal.SIGTERM)
        code, errors = end_of(process)
    assert code == 128 + signal.SIGTERM, errors
    stop, end = list(Log(log))[-2:]
    assert isinstance(stop, Stop) and isinstance(end, End) and stop.cycle == end.cycle
    for other in ENGINES:
        assert_replays(isochron, log, r"it was stopped by signal 15 \(Terminated\)", "--engine", other)


@pytest.mark.parametrize("key", ["s", "w"])
def test_limits_need_no_input_point(isochron, busy_guest, tmp_path, key):
    logs = []
    for engine in ENGINES:
        log = tmp_path / engine
        limit = ["--max-cycles", str(STOP_POINT + 1)]
        result = run(isochron, "record", "-o", str(log), "--kernel", busy_guest(key), "--engine", engine, *limit, *FAR)
        assert result.returncode == 5, result.stderr
        logs.append(log.read_bytes())
    assert logs[0] == logs[1]
    [end] = [event for event in Log(tmp_path / "ref") if isinstance(event, End)]
    assert 0 <= end.cycle - 2 * STOP_POINT < 100
    assert_replays(isochron, tmp_path / "ref", "--max-cycles was reached")


@pytest.mark.parametrize("until", [1_000_000, 1_048_575, 2_500_001])
@pytest.mark.parametrize("key", ["e", "w"])
def test_a_replay_ends_at_the_cycle_that_is_asked_for(isochron, busy_guest, tmp_path, key, until):
    """At the first boundary there: a machine that waits is at each cycle, others between two instructions."""
    log = tmp_path / "log"
    run(isochron, "record", "-o", str(log), "--kernel", busy_guest(key), "--max-cycles", "3M", *FAR)
    ends = []
    for engine in ENGINES:
        result = run(isochron, "replay", str(log), "--until", str(until), "--console", "null", "--engine", engine)
        assert result.returncode == 0, result.stderr
        ends.append(int(re.search(rb"to cycle (\d+) \(", result.stderr)[1]))
    assert ends[0] == ends[1]
    assert 0 <= ends[0] - until <= (0 if key == "w" else 100)


SCRIPTS = {  # what ends the run, and the cycle of the stop point at which it does
    "stop": ("stop\n", "quit", 1),
    "at": (f"at {3 * STOP_POINT + 1000} stop\n", "quit", 4),
    "expect": (f'expect "never" within {2 * STOP_POINT - 1}\n', "expect-failed", 2),
    "run": (f'run 10\nexpect "never" within {STOP_POINT + 1000}\n', "expect-failed", 3),
}


@pytest.mark.parametrize("what", SCRIPTS)
@pytest.mark.parametrize("key", ["e", "w"])
def test_a_script_that_ends_the_run_needs_no_input_point(isochron, busy_guest, tmp_path, key, what):
    text, cause, point = SCRIPTS[what]
    script = write(tmp_path / "script", text)
    logs = []
    for engine in ENGINES:
        logs.append(tmp_path / engine)
        arguments = ["--kernel", busy_guest(key), "--script", script, "--engine", engine]
        result = run(isochron, "record", "-o", str(logs[-1]), *arguments, *FAR)
        assert result.returncode == (0 if cause == "quit" else 5), result.stderr
    assert logs[0].read_bytes() == logs[1].read_bytes()
    stop = list(Log(logs[0]))[-2]
    assert isinstance(stop, Stop) and stop.cause == cause
    assert 0 <= stop.cycle - point * STOP_POINT < 100
    for engine in ENGINES:
        assert run(isochron, "replay", str(logs[0]), "--console", "null", "--engine", engine).returncode == 0


def test_a_script_sends_at_input_points_alone(isochron, busy_guest, tmp_path):
    script = write(tmp_path / "script", f'send "x"\nat {STOP_POINT} stop\n')
    log = tmp_path / "log"
    far = ["--input-interval", "3M", "--checkpoint-interval", "1G", "--console", "null"]
    run(isochron, "record", "-o", str(log), "--kernel", busy_guest("e"), "--script", script, *far)
    typed, stop = [event for event in Log(log) if isinstance(event, (Input, Stop))]
    assert 0 <= typed.cycle - 3_000_000 < 100
    assert stop.cycle == typed.cycle


def test_so_does_a_client(isochron, busy_guest, machine, tmp_path):
    """What sends nothing is done at stop points, and what sends at the next input point."""
    far = ["--input-interval", "3M", "--checkpoint-interval", "1G"]
    for engine in ENGINES:
        with machine(kernel=busy_guest("e"), engine=engine, options=far).record(tmp_path / engine) as session:
            assert 0 <= session.run(STOP_POINT) - 2 * STOP_POINT < 100
            with pytest.raises(ExpectError):
                session.expect("never", within=100)
            assert 0 <= session.send("x") - 3_000_000 < 100
            assert 0 <= session.stop().cycles - 3_000_000 < 100


@pytest.mark.parametrize("kind", ["linux", "dead"])
def test_a_panic_needs_no_input_point(isochron, busy_guest, tmp_path, kind):
    if kind == "dead":
        guest = busy_guest("l")
    else:
        text = "Kernel panic - not syncing: x\\r\\n---[ end Kernel panic - not syncing: x ]---\\r\\n"
        guest = assemble_console_guest(tmp_path, [('"ready\\r\\n"', f'"{text}"')])
    logs = []
    for engine in ENGINES:
        logs.append(tmp_path / engine)
        arguments = ["--kernel", guest, "--on-panic", "exit", "--engine", engine]
        assert run(isochron, "record", "-o", str(logs[-1]), *arguments, *FAR).returncode == 4
    assert logs[0].read_bytes() == logs[1].read_bytes()
    stop = list(Log(logs[0]))[-2]
    assert isinstance(stop, Stop) and stop.cause == "panic" and stop.cycle < 1 << 30
    assert stop.cycle % STOP_POINT < 1000  # an access to the UART takes hundreds
    for engine in ENGINES:
        assert run(isochron, "replay", str(logs[0]), "--engine", engine).returncode == 0


def test_engines_that_are_compared_stop_at_one_boundary(isochron, busy_guest):
    with start(isochron, "conform", "--kernel", busy_guest("s"), *FAR) as process:
        works_for(process, 0.3)
        process.send_signal(signal.SIGINT)
        code, errors = end_of(process)
    assert code == 128 + signal.SIGINT
    assert " agree: " in errors
