"""`--on-panic`: guests that are beyond help."""

import re

import pytest

from helpers.commands import run, write
from helpers.guests import assemble_console_guest
from helpers.recordings import assert_replays, events
from isochron import engines

LINUX = "Kernel panic - not syncing: no init\\r\\nCall Trace:\\r\\n---[ end Kernel panic - not syncing: no init ]---"
NETBSD = "panic: no init\\r\\ncpu0: Begin traceback...\\r\\ncpu0: End traceback..."


@pytest.fixture
def panicking(tmp_path):
    """panicking(TEXT): a guest that writes TEXT and waits for keys."""
    return lambda text: assemble_console_guest(tmp_path, [('"ready\\r\\n"', f'"{text}\\r\\n"')])


@pytest.mark.parametrize("text", [LINUX, NETBSD], ids=["linux", "netbsd"])
def test_a_scripted_guest_that_panics_is_stopped(isochron, panicking, tmp_path, text):
    kernel = panicking(text)
    script = write(tmp_path / "s", 'expect "never"\n')
    logs = []
    for engine in engines(isochron):
        logs.append(tmp_path / engine)
        result = run(isochron, "record", "-o", str(logs[-1]), "--kernel", kernel, "--script", script, "--engine", engine)
        errors = result.stderr.decode()
        assert result.returncode == 4, errors
        assert re.match(r'isochron: the guest panicked; stopped at cycle \d+ \([\d.]+ s\): ".*no init"\n', errors), errors
        assert result.stdout.decode() == text.replace("\\r\\n", "\r\n") + "\r\n"
    assert len({log.read_bytes() for log in logs}) == 1
    assert [(event["cause"], event["detail"]) for event in events(isochron, logs[0], "stop")] == [("panic", 0)]
    assert_replays(isochron, logs[0], "the guest panicked")


def test_the_console_may_be_the_second_uart(isochron, tmp_path):
    """As with console=ttyS1, wherever --serial1 is."""
    kernel = assemble_console_guest(
        tmp_path, [("ldiq uart, UART", "ldiq uart, UART - UART_DISTANCE"), ('"ready\\r\\n"', f'"{LINUX}\\r\\n"')]
    )
    logs = []
    for engine in engines(isochron):
        logs.append(tmp_path / engine)
        arguments = ["--kernel", kernel, "--on-panic", "exit", "--max-cycles", "1s", "--engine", engine]
        result = run(isochron, "record", "-o", str(logs[-1]), *arguments)
        errors = result.stderr.decode()
        assert result.returncode == 4, errors
        assert re.match(r'isochron: the guest panicked; stopped at cycle .*: ".*no init"\n', errors), errors
    assert len({log.read_bytes() for log in logs}) == 1
    assert_replays(isochron, logs[0], "the guest panicked")


def test_who_is_stopped(isochron, panicking, tmp_path, machine):
    kernel = panicking(LINUX)
    script = write(tmp_path / "s", 'expect "no init ]"\n')
    guest = ["run", "--kernel", kernel, "--max-cycles", "20ms"]
    assert run(isochron, *guest).returncode == 5
    assert run(isochron, *guest, "--on-panic", "exit").returncode == 4
    assert run(isochron, *guest, "--script", script).returncode == 4
    assert run(isochron, *guest, "--script", script, "--on-panic", "ignore").returncode == 5
    with machine(kernel=kernel).run() as session:
        session.expect("no init ]")
        result = session.finish()
    assert (result.exit_code, result.reason) == (4, "panic")


def test_a_loop_without_end_is_an_end(isochron, tmp_path, engine):
    kernel = assemble_console_guest(tmp_path, [("fatal:\n  lda $1, 3\n", "fatal:\n  br fatal\n")])
    script = write(tmp_path / "s", 'expect "ready"\nsend "f"\n')
    result = run(isochron, "record", "-o", str(tmp_path / "log"), "--kernel", kernel, "--script", script, "--engine", engine)
    errors = result.stderr.decode()
    assert result.returncode == 4, errors
    assert errors.startswith("isochron: the guest cannot go on: it is in a loop without end, and interrupts are off\n")
    assert [event["detail"] for event in events(isochron, tmp_path / "log", "stop")] == [1]
    assert_replays(isochron, tmp_path / "log", "the guest was in a loop without end")
