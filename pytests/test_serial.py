"""UART 1, and breaks on both UARTs: the host ends, the keys, scripts, the driver, and what of it is in a log."""

import os
import pty
import re
import socket
import time

import pytest

from helpers.commands import assert_refused, end_of, run, start, write
from helpers.recordings import assert_replays, dump, record, script_of
from helpers.tree import HANG
from isochron import ExpectError, Machine
from isochron.log import Input, Log, Output

ENGINES = ["ref", "jit"]
CONVERSATION = """\
expect "ready"
run 20M
send "a"
send-break
serial1 send "b"
at 40M serial1 send-break
at 60M send "q"
"""


def converse(isochron, guest, log, directory, *args):
    script = write(directory / "script", CONVERSATION)
    return record(isochron, log, "--kernel", guest, "--script", script, *args)


@pytest.mark.parametrize("engine", ENGINES)
def test_both_uarts_and_breaks_reach_the_guest(isochron, serial_guest, tmp_path, engine):
    other = tmp_path / "serial1"
    result = converse(
        isochron, serial_guest, tmp_path / "log", tmp_path, "--serial1", f"file:{other}", "--engine", engine
    )
    assert result.stdout == b"ready\r\n<00:61><18:00>"
    assert other.read_bytes() == b"ready\r\n<00:62><18:00>"
    assert_replays(isochron, tmp_path / "log", "the guest powered off", "--engine", engine)


def test_a_log_names_port_and_kind(isochron, serial_guest, tmp_path):
    log = tmp_path / "log"
    converse(isochron, serial_guest, log, tmp_path)
    inputs = [event for event in Log(log) if isinstance(event, Input)]
    assert [(event.device, event.stream, event.kind, event.bytes) for event in inputs] == [
        ("uart", 0, "bytes", b"a"),
        ("uart", 0, "break", b""),
        ("uart", 1, "bytes", b"b"),
        ("uart", 1, "break", b""),
        ("uart", 0, "bytes", b"q"),
    ]
    assert len({event.cycle for event in inputs[:3]}) == 1
    # What UART 1 sends is a witness though nobody looks at it.
    sent = b"".join(event.bytes for event in Log(log) if isinstance(event, Output) and event.uart == 1)
    assert sent == b"ready\r\n<00:62><18:00>"
    assert [event.to_json() for event in Log(log)] == dump(isochron, log)[1:]


def test_where_uart_1_goes_is_no_part_of_a_log(isochron, serial_guest, tmp_path):
    for name, args in (("a", []), ("b", ["--serial1", f"file:{tmp_path}/out", "--console", "null"])):
        converse(isochron, serial_guest, tmp_path / name, tmp_path, *args)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_log_makes_a_script_that_makes_the_log(isochron, serial_guest, tmp_path):
    converse(isochron, serial_guest, tmp_path / "log", tmp_path)
    for name, text in (("dump", script_of(isochron, tmp_path / "log")), ("python", Log(tmp_path / "log").script())):
        script = write(tmp_path / f"{name}.script", text)
        record(isochron, tmp_path / name, "--kernel", serial_guest, "--script", script)
        assert (tmp_path / name).read_bytes() == (tmp_path / "log").read_bytes()


def test_standard_input_belongs_to_the_uart_at_stdio(isochron, serial_guest):
    result = run(
        isochron, "run", "--kernel", serial_guest, "--console", "null", "--serial1", "stdio", stdin=None, input=b"xq"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == b"ready\r\n<00:78>"


def test_only_one_uart_can_be_at_stdio(isochron, serial_guest):
    result = run(isochron, "run", "--kernel", serial_guest, "--serial1", "stdio")
    assert result.returncode == 2
    assert b"cannot both be stdio" in result.stderr


def test_uart_1_may_not_overwrite_what_the_command_needs(isochron, serial_guest, tmp_path):
    for path in (serial_guest, str(tmp_path / "console")):
        result = run(
            isochron, "run", "--kernel", serial_guest, "--console", f"file:{tmp_path}/console", "--serial1", f"file:{path}"
        )
        assert result.returncode == 2
        assert b"the output of UART 1" in result.stderr


def test_a_key_sends_a_break(isochron, serial_guest):
    ours, theirs = pty.openpty()
    process = start(isochron, "run", "--kernel", serial_guest, stdin=theirs, stdout=theirs)
    os.close(theirs)
    shown = b""
    while b"ready" not in shown:
        shown += os.read(ours, 4096)
    os.write(ours, b"a\x01bc")
    while b"<00:63>" not in shown:
        shown += os.read(ours, 4096)
    assert b"<00:61><18:00><00:63>" in shown
    os.write(ours, b"\x01x")
    assert process.wait() == 0
    os.close(ours)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_driver_sends_breaks_and_to_uart_1(isochron, serial_guest, tmp_path, engine):
    log = tmp_path / "log"
    with Machine(serial_guest, engine=engine, program=isochron).record(log) as guest:
        guest.expect("ready")
        guest.send_break()
        guest.expect("<18:00>")
        cycle = guest.send("x", uart=1)
        assert guest.send_break(at=cycle + 10_000_000, uart=1) >= cycle + 10_000_000
        guest.run(2_000_000)
        guest.send("q")
        guest.finish()
    assert Log(log).output(1) == b"ready\r\n<00:78><18:00>"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_script_waits_for_what_uart_1_says(isochron, serial_guest, tmp_path, engine):
    log, script = tmp_path / "log", tmp_path / "script"
    write(script, 'serial1 expect "ready"\nserial1 send "x"\nserial1 expect /<00:(78)>/ within 1s\nsend "q"\n')
    record(isochron, log, "--kernel", serial_guest, "--script", str(script), "--engine", engine)
    assert Log(log).output(1) == b"ready\r\n<00:78>"
    write(script, 'serial1 expect "ready"\nserial1 send "x"\nexpect "<00:78>" within 20M\n')
    result = run(isochron, "run", "--kernel", serial_guest, "--script", str(script), "--engine", engine)
    assert result.returncode == 5
    assert b'line 3: expect "<00:78>" was not met' in result.stderr
    write(script, 'serial1 expect "never" within 20M\n')
    result = run(isochron, "run", "--kernel", serial_guest, "--script", str(script), "--engine", engine)
    assert result.returncode == 5
    assert b'line 1: serial1 expect "never" was not met' in result.stderr
    assert b'last output: "ready" (UART 1)' in result.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_the_driver_waits_for_what_uart_1_says(isochron, serial_guest, tmp_path, engine):
    with Machine(serial_guest, engine=engine, program=isochron).record(tmp_path / "log") as guest:
        assert guest.expect("ready", uart=1).before == ""
        guest.expect("ready")
        guest.send("ab", uart=1)
        match = guest.expect(re.compile("<00:(6[2])>"), uart=1)
        assert (match.before, match.groups) == ("\r\n<00:61>", ("62",))
        with pytest.raises(ExpectError):
            guest.expect("<00:61>", within=2_000_000)
        guest.send("c", uart=1)
        guest.run(2_000_000)
        guest.send("q")
        result = guest.finish()
    assert result.transcript == "ready\r\n"
    assert result.serial1_transcript == "ready\r\n<00:61><00:62><00:63>"
    assert Log(tmp_path / "log").output(1) == result.serial1_transcript.encode()


def test_more_breaks_than_an_input_point_takes(isochron, serial_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "script", "send-break\n" * 100 + "run 20M\n" + 'send "q"\n')
    result = record(isochron, log, "--kernel", serial_guest, "--script", script)
    assert result.stdout == b"ready\r\n" + b"<18:00>" * 100
    assert_replays(isochron, log, "the guest powered off")


def connected(path):
    """A connection to the socket, once it listens."""
    client = socket.socket(socket.AF_UNIX)
    deadline = time.monotonic() + HANG
    while True:
        try:
            client.connect(str(path))
            return client
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def read_until(file, end):
    text = b""
    while not text.endswith(end):
        byte = file.read(1)
        assert byte, text
        text += byte
    return text


def test_a_socket_is_the_line_of_a_uart(isochron, serial_guest, tmp_path):
    """One client after the other; what comes is in the log, and a replay needs no socket."""
    line, log = tmp_path / "line", tmp_path / "log"
    arguments = ["--kernel", serial_guest, "--console", "null", "--serial1", f"socket:{line}", "-o", str(log)]
    process = start(isochron, "record", *arguments)
    for word, answer in ((b"a", b"<00:61>"), (b"b", b"<00:62>")):
        with connected(line) as client:
            client.sendall(word)
            read_until(client.makefile("rb", buffering=0), answer)
    with connected(line) as client:
        client.sendall(b"q")
        code, errors = end_of(process)
    assert code == 0, errors
    assert not line.exists()
    assert [event.bytes for event in Log(log) if isinstance(event, Input)] == [b"a", b"b", b"q"]
    assert_replays(isochron, log, "the guest powered off", "--console", "null")


def test_a_pseudo_terminal_is_the_line_of_a_uart(isochron, serial_guest, tmp_path):
    log = tmp_path / "log"
    process = start(isochron, "record", "--kernel", serial_guest, "--console", "pty", "-o", str(log))
    where = process.stderr.readline().decode()
    name = re.fullmatch(r"isochron: UART 0 is at (/dev/pts/\d+)\n", where)[1]
    with open(name, "r+b", buffering=0) as terminal:
        terminal.write(b"\n")
        read_until(terminal, b"<00:0a>")
        terminal.write(b"q")
        code, errors = end_of(process)
    assert code == 0, errors
    assert_replays(isochron, log, "the guest powered off", "--console", "null")


@pytest.mark.parametrize("option", ["--console", "--serial1"])
def test_a_line_that_cannot_be_is_refused(isochron, serial_guest, tmp_path, option):
    for where, message in (
        (f"socket:{tmp_path}", f"cannot have a console's socket at {tmp_path}: "),
        (f"socket:{tmp_path}/{'x' * 200}", "at most 107 bytes"),
        ("socket:", "is not one of stdio, null, file:PATH, socket:PATH and pty"),
    ):
        assert_refused(run(isochron, "run", "--kernel", serial_guest, f"{option}={where}"), message)
