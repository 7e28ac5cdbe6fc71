"""A request to stop is seen soon, whatever the guest does and however far apart input points are."""

import os
import pathlib
import signal
import time

import pytest

from helpers.commands import end_of, run, start
from helpers.guests import build_kernel
from helpers.recordings import assert_replays
from isochron.log import End, Log, Stop

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


def test_so_does_the_end_of_a_replay(isochron, busy_guest, tmp_path):
    log = tmp_path / "log"
    run(isochron, "record", "-o", str(log), "--kernel", busy_guest("s"), "--max-cycles", "3M", *FAR)
    result = run(isochron, "replay", str(log), "--until", "1M", "--console", "null")
    assert result.returncode == 0, result.stderr
    assert b"cycle 10485" in result.stderr


def test_engines_that_are_compared_stop_at_one_boundary(isochron, busy_guest):
    with start(isochron, "conform", "--kernel", busy_guest("s"), *FAR) as process:
        works_for(process, 0.3)
        process.send_signal(signal.SIGINT)
        code, errors = end_of(process)
    assert code == 128 + signal.SIGINT
    assert " agree: " in errors
