"""The Python driver: conversations with guests, recordings, replays and logs."""

import concurrent.futures
import json
import random
import re
import signal
import subprocess
import time

import pytest

from helpers.guests import build_kernel
from isochron import (
    Checkpoint,
    End,
    ExpectError,
    Input,
    IsochronError,
    Log,
    LogError,
    Match,
    Output,
    RequestError,
    Result,
    SessionEnded,
    Stop,
    quote,
)

# All but the console guest's commands.
EVERY_BYTE = bytes(byte for byte in range(256) if chr(byte) not in "qrfl")


@pytest.fixture
def console(machine, console_guest):
    """A machine with the console guest."""
    return machine(kernel=console_guest)


@pytest.fixture
def linux(machine, guest):
    """A machine with Linux 6.1 and the BusyBox initrd."""
    return machine(
        kernel=guest("linux") / "vmlinux",
        initrd=guest("initrd") / "initrd.cpio.gz",
        append="console=ttyS0",
    )


def test_a_conversation(console, tmp_path, engine):
    with console.record("log") as session:
        match = session.expect("ready")
        assert (match.text, match.before) == ("ready", "")
        sent = session.send("abc")
        assert sent % (1 << 20) < 1000
        match = session.expect("[63]")
        assert match.before == "\r\n[61][62]" and match.cycle > sent
        session.send(b"\xff")
        session.expect("[ff]")
        assert session.run(5e6) >= match.cycle + 5_000_000
        session.send("q")
        result = session.finish()
    assert (result.exit_code, result.reason) == (0, "power-off")
    assert result.transcript == "ready\r\n[61][62][63][ff]"
    assert (tmp_path / "transcript-1").read_bytes() == result.transcript.encode("latin-1")
    assert result.log.bytes == (tmp_path / "log").stat().st_size
    assert result.log.identity in result.errors
    *_, end = result.log.read()
    assert (end.cycle, end.instructions) == (result.cycles, result.instructions)
    assert result.log.events == end.number + 1


def test_a_conversation_makes_the_log_of_a_script(console, tmp_path):
    lines = [
        'expect "ready"', 'send "ab"', 'send "c"', 'expect "[63]"', "run 7M", 'at 60M send "HE"',
        'expect "[45]" within 5M', 'send "q"',
    ]  # fmt: skip
    with console.record("conversation") as session:
        for line in lines:
            session.request(line)
        session.finish()
    (tmp_path / "script").write_text("\n".join(lines) + "\n")
    subprocess.run(
        [console.program, "record", "-o", tmp_path / "scripted", "--kernel", console.kernel]
        + ["--script", tmp_path / "script", "--console", "null"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert (tmp_path / "scripted").read_bytes() == (tmp_path / "conversation").read_bytes()


def test_what_does_not_come(console):
    with console.run() as session:
        session.expect("ready")
        with pytest.raises(ExpectError, match='"steady" was not met within 3000000') as caught:
            session.expect("steady", within=3e6)
        assert caught.value.output == "\r\n"
        with pytest.raises(ExpectError):
            session.expect("nor this", within=1)
        session.send("a")
        assert session.expect("[61]").before == "\r\n"
        with pytest.raises(RequestError, match="unknown request"):
            session.request("dance")
        with pytest.raises(RequestError, match="no log is being written"):
            session.save("copy")
        with pytest.raises(RequestError, match="no log to take a snapshot for"):
            session.snapshot()
    assert (session.result.exit_code, session.result.reason) == (0, "stopped")


def test_a_guest_that_ends_early(console):
    with console.run() as session:
        session.send("q")
        with pytest.raises(ExpectError, match="before the guest ended"):
            session.expect("never")
        with pytest.raises(SessionEnded) as caught:
            session.send("x")
        assert caught.value.result.reason == "power-off"
    assert session.result.transcript == "ready\r\n"


@pytest.mark.parametrize("key, code, reason", [("q", 0, "power-off"), ("f", 4, "fatal"), ("r", 6, "reset")])
def test_ends(machine, console_guest, key, code, reason):
    with machine(kernel=console_guest, options=["--no-reboot"]).run() as session:
        session.send(key)
        result = session.finish()
    assert (result.exit_code, result.reason) == (code, reason)


def test_looking_into_a_guest(console):
    with console.run() as session:
        session.expect("ready")
        stats = session.stats()
        assert stats.symbol.startswith(("next+0x", "put+0x", "print+0x"))
        # Instructions of the kernel's first word, by name and by address.
        word = session.peek("_start")
        assert word != 0 and session.peek(0xFFFFFC0000310000) == session.peek(0x310000) == word
        for where, message in [
            ("nowhere", "'nowhere' is no number and no symbol"),
            ("0x310001", "no aligned quadword of RAM"),
            (1 << 40, "no aligned quadword of RAM"),
            (0xFFFFFD01FC0003F8, "no aligned quadword of RAM"),
            (0x10000000, "no aligned quadword of RAM"),
            ("", "expected a symbol or an address"),
        ]:
            with pytest.raises(RequestError, match=message):
                session.peek(where)


def test_state_by_name(console):
    with console.run() as session:
        session.expect("ready")
        stats = session.stats()
        assert session.inspect("cpu0.pc")["cpu0.pc"] & ~3 == stats.pc
        cpu = session.inspect("cpu0")
        assert cpu["cpu0.instructions"] == stats.instructions and len(cpu) > 1800
        assert session.inspect("cpu0.dtb[3]").keys() == {
            f"cpu0.dtb[3].{name}" for name in ("tag", "base", "permissions", "asn", "granularity", "asm", "valid")
        }
        session.send("abc")
        session.expect("[63]")
        assert session.inspect("uart0.last_received") == {"uart0.last_received": ord("c")}
        assert session.inspect("uart1.last_received") == {"uart1.last_received": 0}
        # Looking changes nothing.
        state = session.stats().state
        session.inspect("uart0")
        assert session.stats().state == state
        for path, message in [
            ("cpu0.p", "no state is called 'cpu0.p'; there are machine, cpu0, events, cchip, pchip0, pci0, pics, pit, "
                       "rtc, uart0, uart1, platform"),
            ("", "expected a name of the state"),
        ]:
            with pytest.raises(RequestError, match=re.escape(message)):
                session.inspect(path)


def test_an_idle_guest_is_where_it_went_idle(machine, engine, tmp_path):
    kernel = build_kernel(tmp_path / "idle.elf", ["pytests/guests/idle.S"])
    with machine(kernel=kernel, engine=engine).run() as session:
        session.run(10e6)
        stats = session.stats()
    assert stats.symbol == "idle+0x4"
    assert stats.pc < 0x100000  # in PALcode


def test_what_cannot_start(machine, tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    with pytest.raises(IsochronError, match="not ELF|ELF"):
        machine(kernel=empty).run().expect("x")
    with pytest.raises(IsochronError, match="RAM|memory"):
        machine(kernel=empty, memory="1K").run().expect("x")


def test_images_that_are_missing_are_named_at_once(machine, console_guest, tmp_path):
    with pytest.raises(IsochronError, match=r"no kernel at '.*/missing': No such file"):
        machine(kernel=tmp_path / "missing")
    with pytest.raises(IsochronError, match=r"no initrd at '.*/missing': No such file"):
        machine(kernel=console_guest, initrd=tmp_path / "missing")


def test_output_is_offered_as_utf8(machine, console_guest):
    """The console guest answers in hexadecimal: what is not ASCII is what it reads."""
    with machine(kernel=console_guest).record("log") as session:
        session.send("J\u00fc\U0001f427q")
        session.finish()
    (typed,) = [event for event in Log("log") if isinstance(event, Input)]
    assert typed.text == "J\u00fc\U0001f427q"
    assert typed.to_json()["text"] == typed.text
    match = Match("# ", "\u00c3\u00bc\u00ff", 1)
    assert match.before_text == "\u00fc\ufffd"
    result = Result(0, "power-off", 1, 1, "\u00e2\u0082\u00acx\u00e2\u0082", "")
    assert result.transcript_text == "\u20acx\ufffd"


def test_an_exception_leaves_a_readable_log(console):
    with pytest.raises(ZeroDivisionError):
        with console.record("log") as session:
            session.expect("ready")
            assert 1 // 0
    assert session.result.exit_code == 128 + signal.SIGTERM
    *_, stop, end = Log("log")
    assert isinstance(stop, Stop) and (stop.cause, stop.detail) == ("signal", signal.SIGTERM)
    assert isinstance(end, End) and end.reason == "stopped"


def test_a_driver_that_is_gone_leaves_a_readable_log(console):
    session = console.record("log")
    session.expect("ready")
    session._channel.close()  # pylint: disable=protected-access
    assert session.process.wait() == 128 + signal.SIGHUP
    assert [type(event) for event in Log("log")] == [Output, Stop, End]


def test_replays(console):
    with console.record("log") as session:
        session.expect("ready")
        session.send("abc")
        session.expect("[63]")
        session.run(3e6)
        before = session.stats()
        session.send("q")
        recorded = session.finish()
    watcher = console.replay("log")
    watcher.expect("[62]")
    with pytest.raises(RequestError, match="takes its input from the log"):
        watcher.send("x")
    watcher.run(before.cycle - watcher.stats().cycle)
    assert watcher.stats() == before
    result = watcher.finish()
    assert (result.exit_code, result.diverged) == (0, False)
    assert result.equal_events == recorded.log.events
    assert (result.transcript, result.cycles) == (recorded.transcript, recorded.cycles)
    # Ended early.
    watcher = console.replay("log")
    watcher.expect("[62]")
    assert watcher.stop().equal_events < recorded.log.events


def test_a_replay_that_goes_live(console):
    with console.record("log") as session:
        session.send("abc")
        session.expect("[63]")
        session.run(50e6)
        session.send("q")
        session.finish()
    with console.replay("log", live=20_000_000, output="other") as session:
        session.send("Z")
        session.expect("[5a]")
        session.send("q")
        result = session.finish()
    assert result.log.path.name == "other"
    inputs = [event.bytes for event in Log("other") if isinstance(event, Input)]
    assert inputs == [b"abc", b"Z", b"q"]
    assert console.replay("other").finish().equal_events == result.log.events


def test_snapshots(machine, console_guest):
    options = ["--checkpoint-interval", "3M"]
    console = machine(kernel=console_guest)
    with console.record("log", options) as session:
        session.expect("ready")
        session.run(10e6)
        session.snapshot()
        session.run(10e6)
        session.send("aq")
        recorded = session.finish()
    checkpoints = [event.cycle for event in recorded.log.read() if isinstance(event, Checkpoint)]
    taken = min(cycle for cycle in checkpoints if cycle > 10_000_000)
    late = console.replay("log", start=taken + 1).finish()
    assert f"begins at the snapshot at cycle {taken}" in late.errors
    assert late.equal_events < recorded.log.events and late.cycles == recorded.cycles
    assert late.transcript == "[61]"
    # Asking for snapshots leaves no trace in a log.
    with console.record("plain", options) as session:
        session.expect("ready")
        session.run(20e6)
        session.send("aq")
        plain = session.finish()
    assert abs(plain.cycles - recorded.cycles) < 1 << 22
    # A replay takes them, too.
    with console.replay("plain") as watcher:
        watcher.run(5e6)
        watcher.snapshot()
        watcher.finish()
    assert "begins at the snapshot" in console.replay("plain", start=12e6).finish().errors


def test_saves(console):
    with console.record("log") as session:
        session.expect("ready")
        session.send("abc")
        session.expect("[63]")
        saved = session.save("copy")
        session.send("q")
        recorded = session.finish()
    assert saved.partial and not recorded.log.read().partial
    events = list(recorded.log.read())
    assert list(saved)[:2] == events[:2] and len(list(saved)) == 3
    assert "where it breaks off" in console.replay("copy").finish().errors
    # Nor does saving.
    with console.record("plain") as session:
        session.expect("ready")
        session.send("abc")
        session.expect("[63]")
        session.send("q")
        assert session.finish().log.identity == recorded.log.identity


def test_logs_are_read_as_the_program_reads_them(console):
    with console.record("log", ["--checkpoint-interval", "2M"]) as session:
        session.expect("ready")
        session.send(EVERY_BYTE)
        session.run(30e6)
        session.stop()
    log = Log("log")
    dumped = subprocess.run(
        [console.program, "log", "dump", "--json", "log"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    ours = [log.header] + [event.to_json() for event in log]
    assert ours == [json.loads(line) for line in dumped.splitlines()]
    assert log.output().decode("latin-1") == session.result.transcript
    # The script of a log makes the log again.
    with console.record("again", ["--checkpoint-interval", "2M"]) as session:
        for line in log.script().splitlines():
            session.request(line)
    assert open("again", "rb").read() == open("log", "rb").read()


def test_files_that_are_no_logs(tmp_path):
    for content in (b"", b"no log\n" * 20, b"\x28\xb5\x2f\xfd"):
        (tmp_path / "file").write_bytes(content)
        with pytest.raises(LogError):
            Log(tmp_path / "file")


def test_regular_expressions(console):
    with console.run() as session:
        assert session.expect(re.compile("R(EA)(x)?DY$", re.IGNORECASE), within="1s").groups == ("ea", None)
        session.send("abc/")
        found = session.expect(re.compile(r"\[6(\d)]\[6(\d)]"))
        assert (found.text, found.before, found.groups) == ("[61][62]", "", ("1", "2"))
        session.send("/")
        assert session.expect(re.compile("2f]|/")).text == "2f]"
        with pytest.raises(ExpectError, match=r"expect /no\\/thing/ was not met within 1200000 cycles \(0.002000 s\)"):
            session.expect(re.compile("no/thing"), within="2ms")
        with pytest.raises(RequestError, match="bad regular expression"):
            session.expect(re.compile("a(?=b)"))
        with pytest.raises(ValueError):
            session.expect(re.compile("a b", re.VERBOSE))


def test_times_in_seconds(console):
    with console.record("log") as session:
        assert session.send("a", at="10ms") >= 6_000_000
        cycle = session.run("1.5ms")
        assert 900_000 <= cycle - 6_000_000 < 4_000_000
        for wrong in ("soon", "1e6", "-1s", "1 s"):
            with pytest.raises(ValueError):
                session.run(wrong)
        session.stop()
    with console.replay("log", live="8ms", output="live.log") as session:
        assert 4_800_000 <= session.stats().cycle < 6_000_000


def test_names_of_files_and_times_of_all_kinds(console):
    """Names that are not ASCII; times that are written as floats."""
    with console.record("größe.log") as session:
        assert session.send("a", at=2e6) >= 2_000_000
        session.expect("[61]")
        assert session.save("größer.log").path == "größer.log"
        with pytest.raises(RequestError, match="fehlt/größer.log"):
            session.save("fehlt/größer.log")
        session.run(5e6)
        recorded = session.stop()
    assert recorded.log.path.name == "größe.log" and len(list(recorded.log.read())) == recorded.log.events
    with console.replay("größe.log", live=4e6, output="live.log") as session:
        assert 4_000_000 <= session.stats().cycle < 6_000_000


def test_long_texts(console, tmp_path):
    """A text that takes several requests makes the log of one that takes none."""
    text = bytes(random.Random(1).choices(EVERY_BYTE, k=100_000))
    with console.record("long.log") as session:
        assert session.send(text, at=3e6) >= 3_000_000
        session.send(b"q")
        session.finish()
    assert b"".join(event.bytes for event in Log("long.log") if isinstance(event, Input)) == text + b"q"
    script = f"at 3000000 send {quote(text + b'q')}\n"
    assert len(script) > 1 << 17
    (tmp_path / "script").write_text(script)
    subprocess.run(
        [console.program, "record", "-o", "scripted.log", "--kernel", console.kernel]
        + ["--script", "script", "--console", "null"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    assert (tmp_path / "scripted.log").read_bytes() == (tmp_path / "long.log").read_bytes()
    assert len(Log("long.log").script().splitlines()) > 1


def test_quoting(console):
    with console.record("log") as session:
        session.request(f"send {quote(EVERY_BYTE)}")
        session.stop()
    assert next(event.bytes for event in Log("log") if isinstance(event, Input)) == EVERY_BYTE


# Linux.

EXCHANGES = [
    "uname -m", "pwd", "echo $((6 * 7))", "cd /tmp", "date", "echo one > file", "cat file", "wc file",
    "ls -l", "sleep 0.1", "cat /proc/uptime", "ps", "awk 'BEGIN { print sin(1) }'", "echo $$",
    "grep -c . /proc/interrupts", "cat /proc/loadavg", "md5sum file", "rm file", "free", "ls",
]  # fmt: skip


def shell_session(linux, log, delay):
    with linux.record(log) as session:
        session.expect("~ # ")
        for number, command in enumerate(EXCHANGES):
            delay()
            session.send(f"{command}; echo '<'{number}'>'\n")
            session.expect(f"<{number}>")
            session.expect("# ")
        delay()
        session.send("poweroff -f\n")
        result = session.finish()
    assert (result.exit_code, result.reason) == (0, "power-off")
    assert "alpha" in result.transcript and "42" in result.transcript
    return result


def test_twenty_exchanges_with_random_delays_make_one_log(linux):
    dice = [random.Random(seed) for seed in range(10)]

    def record(number):
        def delay():
            # What is perturbed: nothing waits for it.
            time.sleep(dice[number].choice([0, 0, 0.001, 0.02]))

        return shell_session(linux, f"log{number}", delay)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(record, range(10)))
    assert len({result.log.identity for result in results}) == 1
    assert len({result.transcript for result in results}) == 1
    assert len({open(f"log{number}", "rb").read() for number in range(10)}) == 1
