"""Logs as files: damaged, broken off, on disks that fill; and the commands that read them."""

import fcntl
import json
import os
import pathlib
import random
import re
import subprocess
import time

import pexpect
import pytest
import zstandard

from helpers.commands import assert_refused, run, write
from helpers.recordings import CONVERSATION, assert_replays, dump, events, frames_of, record, replay
from helpers.terminal import Terminal
from helpers.tree import HANG


# Damage.


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda data: b"", "the file is empty"),
        (lambda data: b"no log at all\n" * 20, "at byte 0: this is no replay log"),
        (lambda data: zstandard.ZstdCompressor().compress(b"packed but no log"), "the zstd frame has no checksum"),
        (lambda data: data[:20], "at byte 20: the file breaks off within the header"),
        (lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:], r"at byte \d+: the zstd frame is damaged"),
        (lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:], "at byte 0: the zstd frame is damaged"),
    ],
)
def test_damaged_logs_are_refused(isochron, conversation_log, tmp_path, damage, message):
    log = tmp_path / "log"
    log.write_bytes(damage(conversation_log.read_bytes()))
    (tmp_path / "log.images").write_text(
        pathlib.Path(f"{conversation_log}.images").read_text()
    )
    for command in (["replay"], ["log", "verify"], ["log", "info"]):
        assert_refused(run(isochron, *command, str(log)), f"{re.escape(str(log))}: .*{message}")
    bundle = tmp_path / "bundle"
    assert_refused(run(isochron, "log", "bundle", str(log), "-o", str(bundle)), f"{re.escape(str(log))}: .*{message}")
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
        # From where the list of images is there on, a log of any length can be replayed.
        length = dice.randint(1, 20_000)
        deadline = time.monotonic() + HANG
        while not pathlib.Path(f"{log}.images").exists() or partial.stat().st_size < length:
            assert process.poll() is None and time.monotonic() < deadline
        process.kill()
        process.communicate(timeout=HANG)
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


@pytest.mark.parametrize(
    "args, message",
    [
        (["--input-interval", "soon"], "--input-interval: 'soon' is not a number of cycles"),
        (["--input-interval", "999"], "input interval must be from 1000 "),
        (["--checkpoint-interval", "soon"], "--checkpoint-interval: 'soon' is not a number of cycles"),
        (["--checkpoint-interval", "0"], "checkpoint interval must be from 1000 "),
        (["--snapshot-every", "soon"], "--snapshot-every: 'soon' is not a number of cycles"),
        (["--snapshot-every", "0"], "--snapshot-every: "),
        (["-o", ""], "the path is empty"),
        (["-o", "no/such/directory/log"], "cannot write no/such/directory/log: No such file"),
    ],
)
def test_record_refuses(isochron, console_guest, tmp_path, args, message):
    output = [] if "-o" in args else ["-o", "log"]
    result = run(isochron, "record", *output, "--kernel", console_guest, *args, cwd=tmp_path)
    assert_refused(result, message)
    assert not any(tmp_path.iterdir())


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
        capture_output=True, timeout=HANG, check=False,
    )  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("mounting a file system is not allowed here")
    yield disk
    subprocess.run(["umount", str(disk)], timeout=HANG, check=True)


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
    subprocess.run(["zstd", "-q", "-t", str(conversation_log)], timeout=HANG, check=True)
    unpacked = subprocess.run(
        ["zstd", "-q", "-d", "-c", str(conversation_log)], capture_output=True, timeout=HANG, check=True
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
    assert rows["input points"] == "every 1048576 cycles (0.001748 s)"
    assert rows["checkpoints"] == "every 536870912 cycles (0.894785 s)"
    assert rows["input"] == "3" and rows["end"] == "1" and rows["all"] == "7"
    assert f"{os.path.getsize(console_guest)} bytes" in rows["kernel"]
    cycles, seconds = re.search(r"(\d+) cycles \((\S+) s\)", rows["duration"]).groups()
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
    assert_refused(result, "'thing' is none of header, stop, input, .*, end, .*nor one of them behind no-")


def test_dump_leaves_types_out(isochron, conversation_log):
    everything = dump(isochron, conversation_log)
    rest = dump(isochron, conversation_log, "--type", "no-header", "--type", "no-interrupt")
    assert rest == [event for event in everything if event["type"] not in ("header", "interrupt")]
    none = dump(isochron, conversation_log, "--type", "input", "--type", "no-input")
    assert none == []


def test_dump_shows_everything_when_asked(isochron, conversation_log):
    lines = run(isochron, "log", "dump", str(conversation_log)).stdout.decode().splitlines()
    full = run(isochron, "log", "dump", "--full", str(conversation_log)).stdout.decode().splitlines()
    wide = run(isochron, "log", "dump", "--width", "90", str(conversation_log)).stdout.decode().splitlines()
    assert len(lines) == len(full) == len(wide)
    assert max(map(len, lines)) <= 80 and max(map(len, wide)) <= 90
    (state,) = [event["state"] for event in events(isochron, conversation_log, "end")]
    assert full[-1].endswith(state) and state not in lines[-1]
    for line, event in zip(full[1:], dump(isochron, conversation_log)[1:]):
        number, cycle, second, kind, *_ = line.split()
        assert (int(number), int(cycle), kind) == (event["event"], event["cycle"], event["type"])
        assert second == f"{event['cycle'] / 600e6:.6f}"


def test_dump_fills_the_terminal(isochron, conversation_log):
    with pexpect.spawn(
        isochron, ["log", "dump", "--type", "output", str(conversation_log)], dimensions=(24, 200), timeout=HANG
    ) as terminal:
        lines = terminal.read().decode().splitlines()
    assert any('"[61][62][63]"' in line for line in lines)


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
    assert "first difference at event 3, " in text and "byte 1 of the input" in text
    assert '"HE"' in text and '"HI"' in text and '"abc"' in text and "headers" not in text
    assert re.search(r'^\+ from byte 0 "HI"\n {16}\^$', text, re.MULTILINE), text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.fixture
def two_logs(isochron, console_guest, conversation_log, tmp_path):
    """The conversation and one that differs in what was typed and answered."""
    other = tmp_path / "other"
    script = write(tmp_path / "s", CONVERSATION.replace("HE", "HI"))
    record(isochron, other, "--kernel", console_guest, "--script", script)
    return [str(conversation_log), str(other)]


def test_diff_shows_all(isochron, two_logs):
    result = run(isochron, "log", "diff", "--all", *two_logs)
    text = result.stdout.decode()
    assert result.returncode == 3
    assert '"[48][45]"' in text and '"[48][49]"' in text, text
    assert re.search(r'^\+ from byte 0 "\[48\]\[49\]"\n {21}\^$', text, re.MULTILINE), text
    assert text.count("\n- from byte") == 2
    assert re.search(r"^[2-9] differences, \d+ events are equal$", text, re.MULTILINE), text


def test_diff_puts_logs_side_by_side(isochron, two_logs):
    text = run(isochron, "log", "diff", "--all", "--width", "160", *two_logs).stdout.decode()
    assert all(len(line) <= 160 for line in text.splitlines())
    assert re.search(r'input +uart0 "HE" +\| +3 .* input +uart0 "HI"$', text, re.MULTILINE), text
    with pexpect.spawn(isochron, ["log", "diff", *two_logs], dimensions=(24, 160), timeout=HANG) as terminal:
        assert re.search(r'input +uart0 "HE" +\| +3 .* input +uart0 "HI"', terminal.read().decode())


def test_diff_in_json(isochron, two_logs):
    objects = [
        json.loads(line)
        for line in run(isochron, "log", "diff", "--json", "--all", *two_logs).stdout.decode().splitlines()
    ]
    *differences, result = objects
    assert {difference["type"] for difference in differences} == {"difference"}
    assert (differences[0]["what"], differences[0]["byte"]) == ("byte 1 of the input", 1)
    assert [differences[0][side]["bytes"] for side in ("left", "right")] == ["HE", "HI"]
    assert result == {
        "type": "result", "equal": False, "complete": True, "equal_events": result["equal_events"],
        "differences": len(differences),
    }  # fmt: skip
    first, verdict = [
        json.loads(line) for line in run(isochron, "log", "diff", "--json", *two_logs).stdout.decode().splitlines()
    ]
    assert first == differences[0] and verdict["complete"] is False
    same = run(isochron, "log", "diff", "--json", two_logs[0], two_logs[0])
    assert same.returncode == 0
    events_of_log = len(dump(isochron, two_logs[0])) - 1
    assert json.loads(same.stdout) == {
        "type": "result", "equal": True, "complete": True, "equal_events": events_of_log, "differences": 0,
    }  # fmt: skip


def test_diff_of_headers_in_json(isochron, console_guest, conversation_log, tmp_path):
    other = tmp_path / "other"
    script = write(tmp_path / "s", CONVERSATION)
    record(isochron, other, "--kernel", console_guest, "--script", script, "--seed", "3")
    result = run(isochron, "log", "diff", "--json", str(conversation_log), str(other))
    assert result.returncode == 3
    first = json.loads(result.stdout.decode().splitlines()[0])
    assert first == {"type": "header", "field": "seed", "left": "0", "right": "3"}


@pytest.mark.parametrize(
    "args, message",
    [
        (["diff", "{log}", "no-such-log"], "no-such-log: No such file"),
        (["diff", "no-such-log", "{log}"], "no-such-log: No such file"),
        (["diff", "{log}", "empty"], "empty: the file is empty"),
        (["diff", "{log}"], "is required"),
        (["info", "no-such-log"], "no-such-log: No such file"),
        (["verify", "empty"], "empty: the file is empty"),
        (["dump", "{log}", "--from", "nonsense"], "--from: 'nonsense' is not a number of cycles"),
        (["dump", "{log}", "--from", "5G", "--to", "1G"], "--from is behind --to"),
        (["dump", "{log}", "--type", "outputs"], "'outputs' is none of header, stop, input, .*, end"),
        (["dump", "{log}", "--to", "nonsense"], "--to: 'nonsense' is not a number of cycles"),
        (["bundle", "{log}", "-o", "no/such/directory/b"], "cannot write no/such/directory/b: No such file"),
        (["bundle", "{log}", "-o", ""], "the path is empty"),
    ],
)
def test_log_commands_refuse(isochron, conversation_log, tmp_path, args, message):
    (tmp_path / "empty").touch()
    args = [str(conversation_log) if arg == "{log}" else arg for arg in args]
    assert_refused(run(isochron, "log", *args, cwd=tmp_path), message)


@pytest.fixture
def bundle(isochron, conversation_log, tmp_path):
    """The conversation's log with its kernel."""
    path = tmp_path / "bundle"
    assert run(isochron, "log", "bundle", str(conversation_log), "-o", str(path)).returncode == 0
    return path


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


def test_bundle_to_a_pipe_that_nobody_reads_any_more(isochron, conversation_log):
    reader, writer = os.pipe()
    # Smaller than the bundle: all of it in the pipe would be written when nobody has gone yet.
    assert fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096) == 4096
    bundled = subprocess.Popen(
        [isochron, "log", "bundle", conversation_log, "-o", "-"], stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    errors = bundled.stderr.read()
    assert bundled.wait(HANG) == 2
    assert errors == b"isochron: cannot write standard output: Broken pipe\n"


def test_reading_from_standard_input(isochron, console_guest, conversation_log, bundle, tmp_path):
    packed = tmp_path / "packed"
    for source, *command in (
        (conversation_log, "replay", "-", "--kernel", console_guest),
        (conversation_log, "log", "verify", "-"),
        (bundle, "replay", "-"),
        (bundle, "conform", "-", "--console", "null"),
        (bundle, "log", "verify", "-"),
        (conversation_log, "log", "bundle", "-", "--kernel", console_guest, "-o", str(packed)),
    ):
        with open(source, "rb") as file:
            result = run(isochron, *command, stdin=file)
        assert result.returncode == 0, result.stderr
        packed.unlink(missing_ok=True)
        result = run(isochron, *command, stdin=None, input=source.read_bytes())  # a pipe
        assert result.returncode == 0, result.stderr
    assert packed.read_bytes() == bundle.read_bytes()


def test_a_log_continued_from_a_bundle_finds_its_images_there(isochron, bundle, tmp_path):
    script = write(tmp_path / "script", 'send "q"\n')
    live = tmp_path / "live"
    result = run(isochron, "replay", str(bundle), "--until", "60M", "--live", "-o", str(live), "--script", script)
    assert result.returncode == 0, result.stderr
    assert_replays(isochron, live, "the guest powered off")


def test_a_log_continued_from_standard_input_asks_for_its_images(isochron, console_guest, bundle, tmp_path):
    script = write(tmp_path / "script", 'send "q"\n')
    live = tmp_path / "live"
    with open(bundle, "rb") as file:
        result = run(isochron, "replay", "-", "--until", "60M", "--live", "-o", str(live), "--script", script,
                     stdin=file)  # fmt: skip
    assert_refused(run(isochron, "replay", str(live)), "needs its kernel .*; give it with --kernel")
    assert run(isochron, "replay", str(live), "--kernel", console_guest).returncode == 0


def test_images_of_a_foreign_list_are_files(isochron, conversation_log, tmp_path):
    """A list that somebody sent may name anything: nothing is waited for or read without end."""
    log = tmp_path / "log"
    log.write_bytes(conversation_log.read_bytes())
    heading, kernel = pathlib.Path(f"{conversation_log}.images").read_text().splitlines()
    os.mkfifo(tmp_path / "fifo")
    for name in ("/dev/zero", str(tmp_path / "fifo"), str(tmp_path)):
        words = kernel.split(" ", 3)
        (tmp_path / "log.images").write_text("\n".join([heading, " ".join([*words[:3], name]), ""]))
        assert_refused(run(isochron, "replay", str(log)), f"{name}: is no regular file")
