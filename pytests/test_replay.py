"""`isochron record`, `replay` and `log` as their users meet them."""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import time

import pytest
import zstandard

from linux_guest import boot_arguments, conversation
from test_cli_run import HANG, assert_refused, run, write
from test_cli_terminal import Terminal

CONVERSATION = 'expect "ready"\nsend "abc"\nexpect "[63]"\nat 50M send "HE"\nat 70M send "q"\n'


def record(isochron, log, *args, **options):
    """A recording that must have ended well; its line about the log."""
    result = run(isochron, "record", "-o", str(log), *args, **options)
    assert result.returncode == 0, result.stderr.decode()
    return result


def replay(isochron, log, *args, **options):
    return run(isochron, "replay", str(log), *args, **options)


def dump(isochron, log, *args):
    result = run(isochron, "log", "dump", str(log), "--json", *args)
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def events(isochron, log, *types):
    selection = [word for type_name in types for word in ("--type", type_name)]
    return dump(isochron, log, *selection)


def script_of(isochron, log):
    """A script that does what was done when the log was recorded."""
    lines = []
    for event in events(isochron, log, "input", "stop"):
        if event["type"] == "stop":
            assert event["cause"] == "quit"
            lines.append(f"at {event['cycle']} stop")
        else:
            text = "".join(f"\\x{ord(char):02x}" for char in event["bytes"])
            lines.append(f'at {event["cycle"]} send "{text}"')
    return "\n".join(lines) + "\n"


def assert_replays(isochron, log, end, *args):
    """The replay ends where the log does, says so, and is equal."""
    result = replay(isochron, log, *args)
    errors = result.stderr.decode()
    assert result.returncode == 0, errors
    assert errors.count("\n") == 1
    assert re.fullmatch(
        rf"isochron: replayed {re.escape(str(log))} to its end at cycle \d+: {end}; "
        r"\d+ events are equal\n",
        errors,
    ), errors
    return result


def frames_of(log):
    """The contents of a log's zstd frames, and where each begins; then what is behind them."""
    data = pathlib.Path(log).read_bytes()
    contents, starts, position = [], [], 0
    while data[position : position + 4] == b"\x28\xb5\x2f\xfd":
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        contents.append(decompressor.decompress(data[position:]))
        starts.append(position)
        position = len(data) - len(decompressor.unused_data)
    return contents, starts, data[position:]


@pytest.fixture(scope="session")
def conversation_log(isochron, console_guest, tmp_path_factory):
    """A recorded conversation with the console guest; not to be changed."""
    directory = tmp_path_factory.mktemp("conversation")
    script = write(directory / "script", CONVERSATION)
    log = directory / "log"
    result = record(isochron, log, "--kernel", console_guest, "--script", script)
    assert result.stdout == b"ready\r\n[61][62][63][48][45]"
    return log


# Recording is a function of configuration, images and inputs.


def test_record_says_what_it_wrote(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "s", CONVERSATION)
    result = record(isochron, log, "--kernel", console_guest, "--script", script)
    said = re.fullmatch(
        r"isochron: log: (\S+), (\d+) events, (\d+) bytes, identity ([0-9a-f]{32})\n",
        result.stderr.decode(),
    )
    assert said[1] == str(log) and int(said[3]) == log.stat().st_size
    assert int(said[2]) == len(dump(isochron, log)) - 1
    assert said[4] in run(isochron, "log", "info", str(log)).stdout.decode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.images", "s"]


def test_recordings_are_equal_whatever_surrounds_them(
    isochron, console_guest, conversation_log, tmp_path
):
    script = write(tmp_path / "s", CONVERSATION)
    arguments = ["--kernel", console_guest, "--script", script]
    far = tmp_path / ("d" * 200)
    far.mkdir()
    surroundings = {
        "again": ([], {}),
        "directory": ([], {"cwd": far}),
        "locale": ([], {"env": {"LC_ALL": "de_DE.UTF-8", "TZ": "Asia/Tokyo"}}),
        "environment": ([], {"env": {f"VARIABLE_{i}": "x" * 1000 for i in range(100)}}),
        "one-cpu": (["taskset", "-c", "0"], {}),
        "no-aslr": (["setarch", "-R"], {}),
    }
    for name, (prefix, options) in surroundings.items():
        log = tmp_path / name
        result = subprocess.run(
            [*prefix, isochron, "record", "-o", str(log), *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG, check=False, **options,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        assert log.read_bytes() == conversation_log.read_bytes(), name
    for name, options in {
        "null": ["--console", "null"],
        "file": ["--console", f"file:{tmp_path / 'out'}"],
        "stats": ["--stats"],
        "limit": ["--max-cycles", "1G"],
    }.items():
        record(isochron, tmp_path / name, *arguments, *options)
        assert (tmp_path / name).read_bytes() == conversation_log.read_bytes(), name


def test_recording_to_a_pipe(isochron, console_guest, conversation_log, tmp_path):
    script = write(tmp_path / "s", CONVERSATION)
    arguments = ["--kernel", console_guest, "--script", script, "--console", "null"]
    result = record(isochron, "-", *arguments)
    assert result.stdout == conversation_log.read_bytes()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with subprocess.Popen(["cat", str(fifo)], stdout=subprocess.PIPE) as reader:
        record(isochron, fifo, *arguments)
        assert reader.stdout.read() == conversation_log.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "s"]


def test_joins_what_meets_at_an_input_point(isochron, console_guest, tmp_path):
    logs = []
    for name, sends in {"one": 'send "abq"', "many": 'send "a"\nsend "b"\nsend "q"'}.items():
        script = write(tmp_path / f"{name}.script", f'expect "ready"\n{sends}\n')
        record(isochron, tmp_path / name, "--kernel", console_guest, "--script", script)
        logs.append((tmp_path / name).read_bytes())
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    "changed",
    [
        ["--seed", "1"],
        ["--append", "x"],
        ["--memory", "128M"],
        ["--no-reboot"],
        ["--input-interval", "1000000"],
        ["--checkpoint-interval", "1000000"],
    ],
)
def test_another_configuration_is_another_log(
    isochron, console_guest, conversation_log, tmp_path, changed
):
    log = tmp_path / "log"
    script = write(tmp_path / "s", CONVERSATION)
    record(isochron, log, "--kernel", console_guest, "--script", script, *changed)
    assert log.read_bytes() != conversation_log.read_bytes()
    assert_replays(isochron, log, "the guest powered off")
    result = run(isochron, "log", "diff", str(conversation_log), str(log))
    assert result.returncode == 3 and b"headers" in result.stdout


# Replaying.


def test_replay_shows_the_same_and_is_equal(isochron, conversation_log):
    result = assert_replays(isochron, conversation_log, "the guest powered off")
    assert result.stdout == b"ready\r\n[61][62][63][48][45]"
    quiet = assert_replays(
        isochron, conversation_log, "the guest powered off", "--console", "null"
    )
    assert quiet.stdout == b""


def test_replay_takes_no_input(isochron, conversation_log):
    result = replay(isochron, conversation_log, stdin=None, input=b"qqq")
    assert result.returncode == 0 and result.stdout == b"ready\r\n[61][62][63][48][45]"


@pytest.mark.parametrize(
    "script, args, code, end",
    [
        ('expect "ready"\nsend "f"\n', [], 4, "the guest could not go on: .*"),
        ('expect "ready"\nsend "r"\n', ["--no-reboot"], 6, "the guest asked for a reset"),
        ('expect "ready"\nsend "r"\nexpect "ready"\nsend "q"\n', [], 0, "the guest powered off"),
        ('expect "ready"\n\nexpect "x" within 5M\n', [], 5,
         "the expect in line 3 of its script was not met"),
        ('expect "ready"\n', ["--max-cycles", "20M"], 5, "--max-cycles was reached"),
        ('expect "ready"\nsend "A"\nstop\n', [], 0, "it was stopped as asked"),
        ('expect "ready"\nsend "q"\nexpect "never"\n', [], 5, "the guest powered off"),
    ],
)  # fmt: skip
def test_every_end_is_in_the_log(isochron, console_guest, tmp_path, script, args, code, end):
    log = tmp_path / "log"
    script = write(tmp_path / "s", script)
    result = run(
        isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script, *args
    )
    assert result.returncode == code
    assert b"isochron: log: " in result.stderr
    assert assert_replays(isochron, log, end).stdout == result.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_are_in_the_log(isochron, console_guest, tmp_path, number):
    log = tmp_path / "log"
    process = subprocess.Popen(
        [isochron, "record", "-o", str(log), "--kernel", console_guest],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\r\n"
    process.send_signal(number)
    process.communicate(timeout=HANG)
    assert process.returncode == 128 + number
    (stop,) = events(isochron, log, "stop")
    assert stop["cause"] == "signal" and stop["detail"] == number
    assert_replays(isochron, log, rf"it was stopped by signal {int(number)} \(.*\)")


@pytest.mark.parametrize("seed", range(4))
def test_typing_at_random_times(isochron, console_guest, tmp_path, seed):
    dice = random.Random(seed)
    log = tmp_path / "log"
    tty = Terminal([isochron, "record", "-o", str(log), "--kernel", console_guest])
    try:
        tty.expect("ready\r\n")
        for _ in range(12):
            time.sleep(dice.uniform(0, 0.05))
            keys = bytes(dice.choice(b"ABCDEFG\r\x03 \xff") for _ in range(dice.randint(1, 9)))
            tty.type(keys)
            tty.expect("[%02x]" % keys[-1])
        tty.type(b"\x01x" if seed % 2 else b"q")
        assert tty.end() == 0
        assert tty.is_restored()
    finally:
        tty.close()
    end = "it was stopped as asked" if seed % 2 else "the guest powered off"
    transcript = assert_replays(isochron, log, end).stdout

    again = tmp_path / "again"
    script = write(tmp_path / "s", script_of(isochron, log))
    result = record(isochron, again, "--kernel", console_guest, "--script", script)
    assert again.read_bytes() == log.read_bytes()
    assert result.stdout == transcript


def own_guest(isochron, name):
    """A guest kernel of conformance/guests, from the build that the program is of."""
    return str(pathlib.Path(isochron).resolve().parent.parent / "guests" / f"{name}.elf")


def test_snapshots(isochron, tmp_path):
    guest = ["--kernel", own_guest(isochron, "timers"), "--console", "null"]
    guest += ["--input-interval", "10000", "--checkpoint-interval", "100000"]
    log, plain = tmp_path / "log", tmp_path / "plain"
    record(isochron, log, *guest, "--snapshot-every", "1M")
    record(isochron, plain, *guest)
    assert plain.read_bytes() == log.read_bytes()

    late = replay(isochron, log, "--from", "5M")
    assert late.returncode == 0
    assert b"begins at the snapshot at cycle" in late.stderr and b"the guest powered off" in late.stderr
    early = replay(isochron, log, "--from", "1000")
    assert early.returncode == 0 and b"begins at power-on" in early.stderr

    # A replay makes the same snapshots as the recording did.
    snapshots = tmp_path / "log.snapshots"
    made = snapshots.read_bytes()
    assert replay(isochron, log, "--snapshot-every", "1M").returncode == 0
    assert snapshots.read_bytes() == made

    damaged = bytearray(made)
    damaged[len(damaged) // 2] ^= 0x10
    snapshots.write_bytes(damaged)
    result = replay(isochron, log, "--from", "100G")
    assert result.returncode == 2 and b"log.snapshots" in result.stderr
    snapshots.unlink()
    result = replay(isochron, log, "--from", "5M")
    assert result.returncode == 2 and b"--snapshot-every makes snapshots" in result.stderr


def test_until(isochron, conversation_log):
    result = replay(isochron, conversation_log, "--until", "60M")
    assert (result.returncode, result.stdout) == (0, b"ready\r\n[61][62][63][48][45]")
    cycle = int(re.search(rb"to cycle (\d+); 5 events are equal\n", result.stderr)[1])
    assert 60_000_000 <= cycle < 61_100_000
    result = replay(isochron, conversation_log, "--until", "1M")
    assert (result.returncode, result.stdout) == (0, b"ready\r\n")


def test_until_past_the_end(isochron, conversation_log):
    assert_replays(isochron, conversation_log, "the guest powered off", "--until", "100G")


def test_live_goes_on_into_a_new_log(isochron, console_guest, conversation_log, tmp_path):
    log = tmp_path / "log"
    live = write(tmp_path / "live", 'send "Z"\nexpect "[5a]"\nat 90M send "q"\n')
    result = replay(
        isochron, conversation_log, "--until", "60M", "--live", "-o", str(log), "--script", live
    )
    assert result.returncode == 0, result.stderr.decode()
    assert result.stdout == b"ready\r\n[61][62][63][48][45][5a]"
    assert_replays(isochron, log, "the guest powered off")
    # As if it had been recorded so from the start.
    whole = write(tmp_path / "whole", script_of(isochron, log))
    record(isochron, tmp_path / "again", "--kernel", console_guest, "--script", whole)
    assert (tmp_path / "again").read_bytes() == log.read_bytes()
    # And equal to the first log up to there.
    first, second = dump(isochron, conversation_log), dump(isochron, log)
    assert first[:6] == second[:6] and first[6] != second[6]


def test_live_at_a_terminal(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    tty = Terminal(
        [isochron, "replay", str(conversation_log), "--until", "60M", "--live", "-o", str(log)]
    )
    try:
        tty.expect("[48][45]")
        while not tty.is_raw():
            time.sleep(0.01)
        tty.type(b"Z")
        tty.expect("[5a]")
        tty.type(b"q")
        assert tty.end() == 0
        assert tty.is_restored()
    finally:
        tty.close()
    assert_replays(isochron, log, "the guest powered off")


@pytest.mark.parametrize(
    "args, message",
    [
        (["--live"], "--live and -o need each other"),
        (["-o", "x"], "--live and -o need each other"),
        (["--live", "-o", "x"], "--live needs --until"),
        (["--script", "x"], "--script needs --live"),
        (["--until", "soon"], "number of cycles"),
        (["--engine", "warp"], "there is no engine 'warp'"),
        (["--kernel", "no/such/file"], "no/such/file"),
        (["--kernel", "/dev/null"], "/dev/null: not the kernel of this log: digest [0-9a-f]{32}, "
         "recorded [0-9a-f]{32}"),
        (["--initrd", "/dev/null"], "was recorded without initrd"),
    ],
)  # fmt: skip
def test_replay_refuses(isochron, conversation_log, tmp_path, args, message):
    assert_refused(replay(isochron, conversation_log, *args, cwd=tmp_path), message)


def test_replay_without_its_images(isochron, console_guest, conversation_log, tmp_path):
    log = tmp_path / "log"
    log.write_bytes(conversation_log.read_bytes())
    assert_refused(replay(isochron, log), "needs its kernel .*give it with --kernel")
    assert_replays(isochron, log, "the guest powered off", "--kernel", console_guest)
    # The sidecar's word is not taken for it.
    moved = tmp_path / "kernel"
    data = bytearray(pathlib.Path(console_guest).read_bytes())
    data[-1] ^= 1
    moved.write_bytes(data)
    sidecar = pathlib.Path(f"{conversation_log}.images").read_text()
    (tmp_path / "log.images").write_text(sidecar.replace(console_guest, str(moved)))
    assert_refused(replay(isochron, log), "not the kernel of this log: digest")
    (tmp_path / "log.images").write_text("nonsense\n")
    assert_refused(replay(isochron, log), r"log\.images: line 1")


# Divergence. Logs that lie about a run are made by editing a true one.


def rewritten(log, source, edit):
    """Writes to `log` what `edit` makes of the contents of the source's frames."""
    contents, _, _ = frames_of(source)
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    log.write_bytes(b"".join(compressor.compress(content) for content in edit(contents)))
    sidecar = pathlib.Path(f"{source}.images")
    pathlib.Path(f"{log}.images").write_text(sidecar.read_text())


def test_the_first_difference_is_reported(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"

    def edit(contents):
        assert contents[1].count(b"[61][62]") == 1
        return [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")]

    rewritten(log, conversation_log, edit)
    result = replay(isochron, log)
    errors = result.stderr.decode()
    assert result.returncode == 3, errors
    assert re.match(r"isochron: the run differs from \S+ at event 2, cycle \d+\n", errors)
    assert re.search(r"PC 0xfffffc0000\w+ \(\w+\+0x[0-9a-f]+\)", errors), errors
    assert "of the expected output's 12 bytes, 6 were equal" in errors
    assert '"[61][6X][63]"' in errors
    tail = errors.split("events before, which are equal:\n")[1].splitlines()
    assert len(tail) == 3 and "ready" in tail[1] and '"abc"' in tail[2]


def test_another_input_is_another_run(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [
        contents[0], contents[1].replace(b"\x03abc", b"\x03abd", 1)])  # fmt: skip
    inputs = [event["bytes"] for event in events(isochron, log, "input")]
    assert inputs[0] == "abd", inputs
    result = replay(isochron, log)
    assert result.returncode == 3
    assert b"at event 2," in result.stderr


def test_another_model_version_is_refused(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    header = dump(isochron, conversation_log, "--type", "header")[0]
    version = header["model_version"]

    def edit(contents):
        # Magic, major and minor version, length, then field 1 of one byte: docs/replay-log.md.
        position = len(b"ISOCHLOG") + 5
        assert contents[0][position - 2 : position + 1] == bytes([1, 1, version])
        changed = bytearray(contents[0])
        changed[position] = version + 1
        return [bytes(changed), *contents[1:]]

    rewritten(log, conversation_log, edit)
    assert dump(isochron, log, "--type", "header")[0]["model_version"] == version + 1
    assert_refused(replay(isochron, log), "model")


# Damage.


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"no log at all\n" * 20,
        lambda data: zstandard.ZstdCompressor().compress(b"packed but no log"),
        lambda data: data[:20],
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
    ],
)
def test_damaged_logs_are_refused(isochron, conversation_log, tmp_path, damage):
    log = tmp_path / "log"
    log.write_bytes(damage(conversation_log.read_bytes()))
    (tmp_path / "log.images").write_text(
        pathlib.Path(f"{conversation_log}.images").read_text()
    )
    for command in (["replay"], ["log", "verify"], ["log", "info"]):
        assert_refused(run(isochron, *command, str(log)), re.escape(str(log)))
    bundle = tmp_path / "bundle"
    assert_refused(run(isochron, "log", "bundle", str(log), "-o", str(bundle)), "")
    assert not bundle.exists()


def test_kill_leaves_a_partial_log_that_replays(isochron, console_guest, tmp_path):
    dice = random.Random(7)
    script = write(tmp_path / "s", 'expect "ready"\nsend "abc"\nexpect "[63]"\nsend "l"\n')
    for number in range(8):
        log = tmp_path / f"log{number}"
        process = subprocess.Popen(
            [isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script]
            + ["--console", "null", "--checkpoint-interval", "1M"],
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        partial = pathlib.Path(f"{log}.partial")
        while not partial.exists() or partial.stat().st_size == 0:
            assert process.poll() is None
        time.sleep(dice.uniform(0, 0.6))
        process.kill()
        process.communicate()
        assert not log.exists()
        assert dump(isochron, partial)[0]["type"] == "header"
        assert b"partial" in run(isochron, "log", "verify", str(partial)).stdout
        assert b"partial" in run(isochron, "log", "info", str(partial)).stdout
        result = replay(isochron, partial, "--console", "null")
        assert result.returncode == 0, result.stderr
        assert b"where it breaks off (it is partial)" in result.stderr
        for command in (["replay"], ["log", "info"], ["log", "dump"]):
            assert_refused(run(isochron, *command, str(log)), re.escape(f"read from {partial}"))


def test_a_partial_log_is_begun_anew(isochron, console_guest, conversation_log, tmp_path):
    log = tmp_path / "log"
    (tmp_path / "log.partial").write_bytes(b"what a killed recorder left")
    script = write(tmp_path / "s", CONVERSATION)
    record(isochron, log, "--kernel", console_guest, "--script", script)
    assert log.read_bytes() == conversation_log.read_bytes()
    assert not (tmp_path / "log.partial").exists()


def test_a_second_recorder_is_refused_and_the_old_log_stays(
    isochron, console_guest, conversation_log, tmp_path
):
    log = tmp_path / "log"
    log.write_bytes(conversation_log.read_bytes())
    (tmp_path / "log.images").write_text(
        pathlib.Path(f"{conversation_log}.images").read_text()
    )
    arguments = ["record", "-o", str(log), "--kernel", console_guest, "--seed", "5"]
    first = subprocess.Popen(
        [isochron, *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert first.stdout.readline() == b"ready\r\n"
    assert_refused(run(isochron, *arguments), "another process is writing")
    assert_replays(isochron, log, "the guest powered off")
    first.communicate(b"q", timeout=HANG)
    assert first.returncode == 0
    assert dump(isochron, log, "--type", "header")[0]["seed"] == 5
    assert_replays(isochron, log, "the guest powered off")


# Logs that cannot be written.


ENDLESS = 'expect "ready"\nsend "l"\n'


def assert_log_failed(result, message):
    errors = result.stderr.decode()
    assert result.returncode == 1, errors
    assert message in errors, errors


def test_read_only_directory(isochron, console_guest):
    result = run(isochron, "record", "-o", "/proc/log", "--kernel", console_guest)
    assert_refused(result, "cannot write /proc/log")


def test_log_at_a_directory(isochron, console_guest, tmp_path):
    result = run(isochron, "record", "-o", str(tmp_path), "--kernel", console_guest)
    assert_refused(result, "directory")


def test_device_that_is_full(isochron, console_guest):
    result = run(isochron, "record", "-o", "/dev/full", "--kernel", console_guest)
    assert_refused(result, "/dev/full: No space left on device")


@pytest.fixture
def small_disk(tmp_path):
    """A directory with room for 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("mounting a file system is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_disk_that_fills(isochron, console_guest, small_disk, tmp_path):
    log = small_disk / "log"
    filler = small_disk / "filler"
    script = write(tmp_path / "s", ENDLESS)
    filler.write_bytes(bytes(48 << 10))
    result = run(
        isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script,
        "--console", "null", "--checkpoint-interval", "1M",
    )  # fmt: skip
    assert_log_failed(result, "No space left on device")
    assert f"the log is incomplete; what was written is {log}.partial" in result.stderr.decode()
    result = replay(isochron, f"{log}.partial", "--console", "null")
    assert result.returncode == 0, result.stderr
    count = int(re.search(rb"; (\d+) events are equal", result.stderr)[1])
    assert count > 10


def test_pipe_that_nobody_reads_any_more(isochron, console_guest, tmp_path):
    script = write(tmp_path / "s", ENDLESS)
    process = subprocess.Popen(
        [isochron, "record", "-o", "-", "--kernel", console_guest, "--script", script]
        + ["--console", "null", "--checkpoint-interval", "1M"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.read(100) != b""
    process.stdout.close()
    errors = process.stderr.read().decode()
    assert process.wait(timeout=HANG) == 1
    assert errors == "isochron: cannot write standard output: Broken pipe\n"


def test_a_list_of_images_needs_a_file(isochron, console_guest, tmp_path):
    os.mkfifo(tmp_path / "log.images")
    result = run(
        isochron, "record", "-o", str(tmp_path / "log"), "--kernel", console_guest,
        "--max-cycles", "1M",
    )  # fmt: skip
    assert_refused(result, r"log\.images: is no regular file")


def test_log_and_console_cannot_share_standard_output(isochron, console_guest, tmp_path):
    result = run(isochron, "record", "-o", "-", "--kernel", console_guest)
    assert_refused(result, "cannot both go to standard output")
    tty = Terminal([isochron, "record", "-o", "-", "--kernel", console_guest, "--console", "null"])
    try:
        tty.expect("a log is not for a terminal")
        assert tty.end() == 2
    finally:
        tty.close()


# Reading.


def test_zstd_reads_every_log(conversation_log):
    subprocess.run(["zstd", "-q", "-t", str(conversation_log)], check=True)
    unpacked = subprocess.run(
        ["zstd", "-q", "-d", "-c", str(conversation_log)], capture_output=True, check=True
    )
    contents, starts, _ = frames_of(conversation_log)
    assert unpacked.stdout == b"".join(contents)
    assert starts[0] == 0 and contents[0].startswith(b"ISOCHLOG")


def test_info(isochron, console_guest, conversation_log):
    text = run(isochron, "log", "info", str(conversation_log)).stdout.decode()
    rows = dict(re.findall(r"^(\S(?: ?\S)*)  +(\S.*)$", text, re.MULTILINE))
    assert rows["state"] == "complete"
    assert rows["memory"] == "268435456 bytes (256M)"
    assert rows["date at start"] == "2010-01-01T00:00:00"
    assert rows["input"] == "3" and rows["end"] == "1" and rows["all"] == "7"
    assert f"{os.path.getsize(console_guest)} bytes" in rows["kernel"]
    cycles, seconds = re.search(r"(\d+) cycles, (\S+) guest seconds", rows["duration"]).groups()
    assert float(seconds) == pytest.approx(int(cycles) / 600e6, abs=0.001)
    assert f"{conversation_log.stat().st_size} bytes" in rows["size"]


def test_dump(isochron, conversation_log):
    text = run(isochron, "log", "dump", str(conversation_log)).stdout.decode()
    lines = text.splitlines()
    assert len(lines) == 8 and max(map(len, lines)) <= 80
    numbers = [int(line.split()[0]) for line in lines[1:]]
    assert numbers == list(range(7))


def test_dump_selects(isochron, conversation_log):
    everything = dump(isochron, conversation_log)
    assert everything[0]["type"] == "header"
    cycles = [event["cycle"] for event in everything[1:]]
    assert cycles == sorted(cycles)
    for first, last in [(0, cycles[2]), (cycles[2], cycles[4]), (cycles[2] + 1, cycles[4] - 1)]:
        window = dump(isochron, conversation_log, "--from", str(first), "--to", str(last))
        window = [event for event in window if event["type"] != "header"]
        assert window == [event for event in everything[1:] if first <= event["cycle"] <= last]
    assert [event["bytes"] for event in events(isochron, conversation_log, "input")] == [
        "abc", "HE", "q",
    ]  # fmt: skip
    types = {event["type"] for event in events(isochron, conversation_log, "input", "end")}
    assert types == {"input", "end"}
    output = "".join(event["bytes"] for event in events(isochron, conversation_log, "output"))
    assert output == "ready\r\n[61][62][63][48][45]"


def test_dump_refuses_unknown_types(isochron, conversation_log):
    result = run(isochron, "log", "dump", str(conversation_log), "--type", "thing")
    assert_refused(result, "'thing' is none of header, input")


def test_dump_to_a_reader_that_stops(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "s", 'expect "ready"\nsend "%s"\nexpect "[7a]"\nsend "q"\n' % (
        "y" * 30000 + "z"))  # fmt: skip
    record(
        isochron, log, "--kernel", console_guest, "--script", script, "--console", "null",
        "--checkpoint-interval", "20000",
    )  # fmt: skip
    result = subprocess.run(
        ["/bin/bash", "-c", '"$0" log dump "$1" | head -1; echo ${PIPESTATUS[0]}', isochron, log],
        capture_output=True, timeout=HANG, check=True,
    )  # fmt: skip
    assert result.stderr == b"" and result.stdout.endswith(b"\n141\n")


def test_diff(isochron, console_guest, conversation_log, tmp_path):
    same = tmp_path / "same"
    same.write_bytes(conversation_log.read_bytes())
    result = run(isochron, "log", "diff", str(conversation_log), str(same))
    assert (result.returncode, result.stdout) == (0, b"the logs are equal\n")
    other = tmp_path / "other"
    script = write(tmp_path / "s", CONVERSATION.replace("HE", "HI"))
    record(isochron, other, "--kernel", console_guest, "--script", script)
    result = run(isochron, "log", "diff", str(conversation_log), str(other))
    assert result.returncode == 3
    text = result.stdout.decode()
    assert '"HE"' in text and '"HI"' in text and '"abc"' in text and "headers" not in text


def test_bundle(isochron, conversation_log, tmp_path):
    bundles = [tmp_path / "a.bundle", tmp_path / "b.bundle"]
    for bundle in bundles:
        assert run(isochron, "log", "bundle", str(conversation_log), "-o", str(bundle)).returncode == 0
    assert bundles[0].read_bytes() == bundles[1].read_bytes()
    result = assert_replays(isochron, bundles[0], "the guest powered off")
    assert result.stdout == b"ready\r\n[61][62][63][48][45]"
    assert dump(isochron, bundles[0]) == dump(isochron, conversation_log)
    again = run(isochron, "log", "bundle", str(bundles[0]), "-o", str(tmp_path / "c"))
    assert_refused(again, "is a bundle already")


def test_bundle_to_a_pipe_that_nobody_reads_any_more(isochron, conversation_log, tmp_path):
    bundled = subprocess.Popen(
        [isochron, "log", "bundle", conversation_log, "-o", "-"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    bundled.stdout.read(1)
    bundled.stdout.close()
    errors = bundled.stderr.read()
    assert bundled.wait() == 2
    assert errors == b"isochron: cannot write standard output: Broken pipe\n"


def test_reading_from_standard_input(isochron, console_guest, conversation_log):
    for command in (["replay", "-", "--kernel", console_guest], ["log", "verify", "-"]):
        with open(conversation_log, "rb") as log:
            result = run(isochron, *command, stdin=log)
        assert result.returncode == 0, result.stderr
    result = run(isochron, "log", "verify", "-", stdin=None, input=conversation_log.read_bytes())
    assert result.returncode == 0


# The progress bar.


def test_progress_on_a_terminal_alone(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "s", 'expect "ready"\nsend "l"\n')
    run(
        isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script,
        "--console", "null", "--max-cycles", "3G",
    )  # fmt: skip
    assert_replays(isochron, log, "--max-cycles was reached", "--console", "null")
    tty = Terminal([isochron, "replay", str(log), "--console", "null"])
    try:
        tty.expect("cycles/s")
        tty.expect("events are equal")
        assert tty.end() == 0
    finally:
        tty.close()


def test_a_signal_ends_a_replay(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "s", 'expect "ready"\nsend "l"\n')
    run(
        isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script,
        "--console", "null", "--max-cycles", "3G",
    )  # fmt: skip
    process = subprocess.Popen(
        [isochron, "replay", str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"ready\r\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=HANG)
    assert process.returncode == 128 + signal.SIGINT
    assert b"the replay was given up at cycle" in errors


# Linux.


def test_linux(isochron, tmp_path):
    script = write(tmp_path / "s", conversation(["uname -a", "date", "ls /"]))
    arguments = [*boot_arguments(), "--script", script]
    logs = [tmp_path / "a", tmp_path / "b"]
    results = [record(isochron, log, *arguments) for log in logs]
    assert logs[0].read_bytes() == logs[1].read_bytes()
    assert logs[0].stat().st_size < 128 << 10
    subprocess.run(["zstd", "-q", "-t", str(logs[0])], check=True)
    result = assert_replays(isochron, logs[0], "the guest powered off")
    assert result.stdout == results[0].stdout
    half = dump(isochron, logs[0], "--type", "end")[0]["cycle"] // 2
    assert replay(isochron, logs[0], "--until", str(half)).returncode == 0
