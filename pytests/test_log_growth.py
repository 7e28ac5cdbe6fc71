"""How fast a guest can make a log grow, and --max-log."""

import pytest

from helpers.commands import run, write
from helpers.recordings import assert_replays, frames_of, record
from isochron.log import End, Log, Stop

ENGINES = ["ref", "jit"]
HZ = 600_000_000
# Cycles from one input point to the next, at which guests begin and a limit is looked at.
INTERVAL = 1 << 20

# What docs/replay-log.md promises, in bytes a guest second.
INTERRUPTS = 400e6
OUTPUT = 7e6


def flood(isochron, guest, log, directory, key, *args, **options):
    script = write(directory / f"script-{key}", f'send "{key}"\n')
    return run(
        isochron, "record", "-o", str(log), "--kernel", guest, "--script", script, "--console", "null", *args, **options
    )


@pytest.mark.parametrize("key, bound, least", [("i", INTERRUPTS, 100e6), ("v", INTERRUPTS, 100e6), ("c", OUTPUT, 1e6)])
def test_a_flood_keeps_below_the_stated_bound(isochron, flood_guest, tmp_path, key, bound, least):
    """It comes near it, too: otherwise it would prove little."""
    identities = set()
    for engine in ENGINES:
        log = tmp_path / engine
        result = flood(isochron, flood_guest, log, tmp_path, key, "--max-cycles", "4M", "--engine", engine)
        assert result.returncode == 5, result.stderr
        contents, _, _ = frames_of(log)
        [end] = [event for event in Log(log) if isinstance(event, End)]
        rate = sum(map(len, contents[1:])) / ((end.cycle - INTERVAL) / HZ)
        assert least < rate < bound
        assert log.stat().st_size < 1.01 * sum(map(len, contents)) + 1000
        identities.add(log.read_bytes())
    assert len(identities) == 1


def test_resets_without_end_make_no_log(isochron, flood_guest, tmp_path):
    result = flood(isochron, flood_guest, tmp_path / "log", tmp_path, "r", "--max-cycles", "4M")
    assert result.returncode == 5, result.stderr
    assert len(list(Log(tmp_path / "log"))) == 3


@pytest.mark.parametrize("engine", ENGINES)
def test_a_limit_ends_a_run_in_order(isochron, flood_guest, tmp_path, engine):
    limit = 1 << 18
    logs = []
    for name in ("one", "two"):
        log = tmp_path / name
        result = flood(isochron, flood_guest, log, tmp_path, "v", "--max-log", "256K", "--engine", engine)
        assert result.returncode == 5
        assert b"--max-log reached" in result.stderr
        logs.append(log.read_bytes())
    assert logs[0] == logs[1]
    stop, end = list(Log(tmp_path / "one"))[-2:]
    assert isinstance(stop, Stop) and stop.cause == "log-limit"
    assert isinstance(end, End) and end.reason == "stopped"
    contents, _, _ = frames_of(tmp_path / "one")
    # Compressed frames and the last one as it is, and no more than an input interval beyond.
    size = len(logs[0]) + len(contents[-1])
    assert limit <= size
    assert len(logs[0]) < limit + INTERRUPTS * INTERVAL / HZ
    assert_replays(isochron, tmp_path / "one", ".*--max-log.*")


def test_a_limit_that_is_not_reached_changes_nothing(isochron, console_guest, tmp_path):
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    for name, args in (("plain", []), ("limited", ["--max-log", "1M"])):
        record(isochron, tmp_path / name, "--kernel", console_guest, "--script", script, *args)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "limited").read_bytes()


def test_a_live_replay_has_a_limit_too(isochron, flood_guest, tmp_path):
    flood(isochron, flood_guest, tmp_path / "log", tmp_path, "v", "--max-cycles", "4M")
    script = write(tmp_path / "more", "run 100G\n")
    result = run(
        isochron, "replay", str(tmp_path / "log"), "--until", "3M", "--live", "-o", str(tmp_path / "new"),
        "--script", script, "--max-log", "300K", "--console", "null",
    )  # fmt: skip
    assert result.returncode == 5, result.stderr
    assert isinstance(list(Log(tmp_path / "new"))[-2], Stop)


@pytest.mark.parametrize("size", ["0", "-1", "much"])
def test_refuses_what_is_no_limit(isochron, console_guest, tmp_path, size):
    result = run(isochron, "record", "-o", str(tmp_path / "log"), "--kernel", console_guest, f"--max-log={size}")
    assert result.returncode == 2
    assert not (tmp_path / "log.partial").exists()
