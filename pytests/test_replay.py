"""`isochron record` and `replay` as their users meet them."""

import os
import pathlib
import random
import re
import signal
import subprocess

import pytest

from conformance.campaign.soak import works
from helpers.commands import assert_refused, run, write
from helpers.guests import build_kernel, own_guest
from helpers.linux_guest import boot_arguments, conversation
from helpers.recordings import CONVERSATION, assert_replays, dump, events, record, replay, rewritten, script_of
from helpers.terminal import Terminal
from helpers.tree import HANG
from isochron import engines


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
    isochron, console_guest, conversation_log, locales, tmp_path
):
    script = write(tmp_path / "s", CONVERSATION)
    arguments = ["--kernel", console_guest, "--script", script]
    far = tmp_path / ("d" * 200)
    far.mkdir()
    surroundings = {
        "again": ([], {}),
        "directory": ([], {"cwd": far}),
        **{
            f"locale {path.name}": ([], {"env": {"LC_ALL": path.name, "LOCPATH": str(locales), "TZ": "Asia/Tokyo"}})
            for path in locales.iterdir()
        },
        "environment": ([], {"env": {f"VARIABLE_{i}": "x" * 1000 for i in range(100)}}),
        "one-cpu": (["taskset", "-c", str(min(os.sched_getaffinity(0)))], {}),
    }
    if works("setarch", "-R", "true"):
        surroundings["no-aslr"] = (["setarch", "-R"], {})
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


def test_a_file_as_standard_input_is_taken_by_guest_time(isochron, console_guest, tmp_path):
    keys = b"".join(b"%04d" % number for number in range(300)) + b"q"
    (tmp_path / "keys").write_bytes(keys)
    logs = []
    for number, engine in enumerate(["ref", *engines(isochron)]):
        logs.append(tmp_path / f"log{number}")
        with open(tmp_path / "keys") as stdin:
            result = record(isochron, logs[-1], "--kernel", console_guest, "--engine", engine, stdin=stdin)
        assert result.stdout == b"ready\r\n" + b"".join(b"[%02x]" % key for key in keys[:-1])
    assert len({log.read_bytes() for log in logs}) == 1
    typed = events(isochron, logs[0], "input")
    # A byte takes 6,000 cycles of the 2^20 between two points, and the guest does not listen before the first.
    assert 1 << 20 <= typed[0]["cycle"] < (1 << 20) + 1000
    assert typed[0]["bytes"].encode() == keys[:175]
    assert "".join(event["bytes"] for event in typed).encode() == keys


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
    built = engines(isochron)
    script = write(tmp_path / "s", script)
    logs = []
    for number, engine in enumerate(built):
        log = tmp_path / engine
        result = run(
            isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script,
            "--engine", engine, *args,
        )  # fmt: skip
        assert result.returncode == code
        assert b"isochron: log: " in result.stderr
        # On another one, where there is another.
        again = assert_replays(isochron, log, end, "--engine", built[number - 1])
        assert again.stdout == result.stdout
        logs.append(log.read_bytes())
    assert len(set(logs)) == 1


def test_the_end_of_time(isochron, tmp_path):
    kernel = build_kernel(tmp_path / "wait.elf", ["pytests/guests/wait.S"])
    log = tmp_path / "wait.log"
    intervals = ["--input-interval", str(1 << 40), "--checkpoint-interval", str(1 << 50)]
    result = run(isochron, "record", "-o", str(log), "--kernel", kernel, "--engine", "ref", *intervals)
    assert result.returncode == 5
    assert result.stderr.decode().startswith(
        f"isochron: stopped at cycle {1 << 62} (7686143364.046 s): machine time ends after 2^62 cycles\n"
    )
    assert_replays(isochron, log, "machine time came to its end")


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
    assert result.stdout == transcript
    # A person ends a run wherever it is; a script where anybody would end it next time.
    *typed, typed_end = events(isochron, log)
    *scripted, scripted_end = events(isochron, again)
    if seed % 2 and typed_end["cycle"] != scripted_end["cycle"]:
        assert typed[-1]["type"] == scripted[-1]["type"] == "stop" and typed[:-1] == scripted[:-1]
        assert typed_end["cycle"] < scripted_end["cycle"] <= typed_end["cycle"] + (1 << 20) + 1000
    else:
        assert again.read_bytes() == log.read_bytes()


def test_snapshots(isochron, tmp_path):
    guest = ["--kernel", own_guest(isochron, "timers"), "--console", "null"]
    guest += ["--input-interval", "10000", "--checkpoint-interval", "1M"]
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

    # Damage is found where it is read: in the last snapshot, or in pages of earlier ones that it takes.
    codes = set()
    for eighth in range(8):
        damaged = bytearray(made)
        damaged[len(damaged) * eighth // 8] ^= 0x10
        snapshots.write_bytes(damaged)
        result = replay(isochron, log, "--from", "100G")
        assert (b"log.snapshots" if result.returncode == 2 else b"events are equal") in result.stderr
        codes.add(result.returncode)
    assert codes in ({2}, {0, 2})
    snapshots.unlink()
    result = replay(isochron, log, "--from", "5M")
    assert result.returncode == 2 and b"--snapshot-every makes snapshots" in result.stderr


def test_parts_side_by_side(isochron, tmp_path):
    """What a replay in one go finds, several machines find between snapshots, however many they are."""
    guest = ["--kernel", own_guest(isochron, "timers"), "--console", "null"]
    guest += ["--input-interval", "10000", "--checkpoint-interval", "1M"]
    log = tmp_path / "log"
    record(isochron, log, *guest)
    result = replay(isochron, log, "--jobs", "2")
    assert result.returncode == 2 and b"--jobs needs snapshots" in result.stderr

    whole = replay(isochron, log, "--snapshot-every", "1M")
    for jobs in ("1", "2", "7"):
        result = replay(isochron, log, "--jobs", jobs)
        assert (result.returncode, result.stdout) == (0, b"")
        assert result.stderr.startswith(whole.stderr.rstrip())
        assert (b" parts side by side" in result.stderr) == (jobs != "1")
    result = replay(isochron, log, "--jobs", "2", "--from", "1M")
    assert result.returncode == 2 and b"--jobs and --from do not go together" in result.stderr
    result = replay(isochron, log, "--jobs", "1000")
    assert result.returncode == 2 and b"1000 of the log's machines have" in result.stderr

    # The state at the end is another one.
    rewritten(log, log, lambda contents: contents[:-1] + [contents[-1][:-1] + bytes([contents[-1][-1] ^ 1])])
    differs = replay(isochron, log)
    result = replay(isochron, log, "--jobs", "2")
    assert (differs.returncode, result.returncode) == (3, 3)
    assert result.stderr == differs.stderr


def test_snapshots_after_a_kill(isochron, tmp_path):
    """Log and snapshots have their partial names then, and the log may be behind."""
    guest = ["--kernel", own_guest(isochron, "timers"), "--console", "null"]
    guest += ["--input-interval", "10000", "--checkpoint-interval", "1M"]
    log, short = tmp_path / "log", tmp_path / "short"
    record(isochron, log, *guest, "--snapshot-every", "1M")
    checkpoints = [event["cycle"] for event in events(isochron, log, "checkpoint")]
    assert len(checkpoints) > 6
    stopped = run(isochron, "record", "-o", str(short), *guest, "--max-cycles", str(checkpoints[3] + 1))
    assert stopped.returncode == 5
    (tmp_path / "log.partial").write_bytes(short.read_bytes()[:-1])  # its seek table breaks off
    log.unlink()
    (tmp_path / "log.snapshots").rename(tmp_path / "log.snapshots.partial")

    for cycle, begin in ((checkpoints[1], checkpoints[1]), (checkpoints[5], checkpoints[3]), ("100G", checkpoints[3])):
        result = replay(isochron, tmp_path / "log.partial", "--from", str(cycle))
        assert result.returncode == 0, result.stderr
        assert f"begins at the snapshot at cycle {begin} (".encode() in result.stderr
    # Of another run of the same machine nothing fits that its log does not have, too.
    (tmp_path / "short.snapshots").write_bytes((tmp_path / "log.snapshots.partial").read_bytes())
    result = replay(isochron, short, "--from", "100G")
    assert result.returncode == 0 and f"snapshot at cycle {checkpoints[3]} (".encode() in result.stderr


def test_files_beside_a_log_say_what_they_are(isochron, tmp_path):
    log = tmp_path / "log"
    guest = ["--kernel", own_guest(isochron, "timers"), "--console", "null"]
    record(isochron, log, *guest, "--checkpoint-interval", "1M", "--snapshot-every", "2M")
    listed = run(isochron, "log", "snapshots", str(log) + ".snapshots").stdout.decode().splitlines()
    assert listed[0] == f"log: {log}" and listed[1].split() == ["cycle", "seconds", "bytes", "state"]
    states = {event["cycle"]: event["state"] for event in events(isochron, log, "checkpoint")}
    rows = [line.split() for line in listed[2:]]
    assert rows and all(states[int(row[0])] == row[3] and float(row[1]) > 0 for row in rows)
    info = run(isochron, "log", "info", str(log) + ".snapshots")
    assert info.returncode == 0 and f"number          {len(rows)};".encode() in info.stdout
    place = rb"%s \([01]\.\d+ s\)"
    assert re.search(rb"^cycles +" + place % rows[0][0].encode() + b" to " + place % rows[-1][0].encode(), info.stdout, re.M)
    info = run(isochron, "log", "info", str(log) + ".images")
    assert info.returncode == 0 and info.stdout.startswith(b"images of a log")
    assert b"\nkernel " in info.stdout
    for name, message in ((".snapshots", b"the snapshots of one"), (".images", b"a list of one's images")):
        refused = run(isochron, "log", "verify", str(log) + name)
        assert refused.returncode == 2 and message in refused.stderr
    log.unlink()
    listed = run(isochron, "log", "snapshots", str(log) + ".snapshots").stdout.decode().splitlines()
    assert "none" in listed[0] and listed[2].split()[1] == "?"
    info = run(isochron, "log", "info", str(log) + ".snapshots").stdout.decode()
    assert f" {rows[0][0]} to {rows[-1][0]}; seconds are known beside their log\n" in info


@pytest.mark.parametrize("cycle", ["1000", "55M", "60M"])
def test_a_live_branch_from_a_snapshot_has_the_same_log(isochron, console_guest, tmp_path, engine, cycle):
    log, script = tmp_path / "log", write(tmp_path / "script", CONVERSATION)
    guest = ["--kernel", console_guest, "--script", script, "--checkpoint-interval", "5M"]
    record(isochron, log, *guest, "--snapshot-every", "10M")
    other = write(tmp_path / "other", 'send "xy"\nexpect "[79]"\nsend "q"\n')
    live = ["--until", "60M", "--live", "--script", other, "--engine", engine]
    whole = replay(isochron, log, *live, "-o", str(tmp_path / "whole"))
    late = replay(isochron, log, *live, "-o", str(tmp_path / "late"), "--from", cycle)
    assert whole.returncode == late.returncode == 0, late.stderr
    assert (b"begins at the snapshot" in late.stderr) == (cycle != "1000")
    assert (tmp_path / "late").read_bytes() == (tmp_path / "whole").read_bytes()
    again = replay(isochron, tmp_path / "late")
    assert again.returncode == 0 and b"events are equal" in again.stderr


def test_until(isochron, conversation_log):
    result = replay(isochron, conversation_log, "--until", "60M")
    assert (result.returncode, result.stdout) == (0, b"ready\r\n[61][62][63][48][45]")
    cycle = int(re.search(rb"to cycle (\d+) \([\d.]+ s\); 5 events are equal\n", result.stderr)[1])
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
        tty.wait_until_raw()
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
        (["--live", "--until", "1M", "-o", ""], "the path is empty"),
        (["--live", "--until", "1M", "-o", "no/such/directory/log"], "cannot write no/such/directory/log"),
        (["--until", "soon"], "number of cycles"),
        (["--from", "nonsense"], "--from: 'nonsense' is not a number of cycles"),
        (["--snapshot-every", "0"], "--snapshot-every: "),
        (["--engine", "warp"], "there is no engine 'warp'"),
        (["--kernel", "no/such/file"], "no/such/file"),
        (["--kernel", "/dev/null"], "/dev/null: is a device; a file or a pipe is needed"),
        (["--kernel", "empty"], "empty: not the kernel of this log: 0 bytes, recorded [0-9]+"),
        (["--initrd", "empty"], "was recorded without initrd"),
    ],
)  # fmt: skip
def test_replay_refuses(isochron, conversation_log, tmp_path, args, message):
    (tmp_path / "empty").touch()
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


def test_the_first_difference_is_reported(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"

    def edit(contents):
        assert contents[1].count(b"[61][62]") == 1
        return [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")]

    rewritten(log, conversation_log, edit)
    result = replay(isochron, log)
    errors = result.stderr.decode()
    assert result.returncode == 3, errors
    assert re.match(r"isochron: the run differs from \S+ at event 2, cycle \d+ \([\d.]+ s\)\n", errors)
    assert re.search(r"PC 0xfffffc0000\w+ \(\w+\+0x[0-9a-f]+\)", errors), errors
    assert "of the expected output's 12 bytes, 6 were equal" in errors
    assert '"[61][6X][63]"' in errors
    tail = errors.split("events before, which are equal:\n")[1].splitlines()
    assert len(tail) == 3 and "ready" in tail[1] and '"abc"' in tail[2]


def test_another_input_is_another_run(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [
        contents[0], contents[1].replace(b"\0\0\0abc", b"\0\0\0abd", 1)])  # fmt: skip
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


def long_recording(isochron, console_guest, tmp_path):
    """The log of a guest that is still at work at three gigacycles."""
    log = tmp_path / "log"
    script = write(tmp_path / "s", 'expect "ready"\nsend "l"\n')
    run(
        isochron, "record", "-o", str(log), "--kernel", console_guest, "--script", script,
        "--console", "null", "--max-cycles", "3G",
    )  # fmt: skip
    return log


# The progress bar.


def test_progress_on_a_terminal_alone(isochron, console_guest, tmp_path):
    log = long_recording(isochron, console_guest, tmp_path)
    assert_replays(isochron, log, "--max-cycles was reached", "--console", "null")
    tty = Terminal([isochron, "replay", str(log), "--console", "null"])
    try:
        for shown in (" cycles (", " s)  ", " events  ", "/s  "):
            tty.expect(shown)
        tty.expect("events are equal")
        assert tty.end() == 0
    finally:
        tty.close()


def test_a_signal_ends_a_replay(isochron, console_guest, tmp_path):
    log = long_recording(isochron, console_guest, tmp_path)
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
    subprocess.run(["zstd", "-q", "-t", str(logs[0])], timeout=HANG, check=True)
    result = assert_replays(isochron, logs[0], "the guest powered off")
    assert result.stdout == results[0].stdout
    half = dump(isochron, logs[0], "--type", "end")[0]["cycle"] // 2
    assert replay(isochron, logs[0], "--until", str(half)).returncode == 0
