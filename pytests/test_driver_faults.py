"""The Python driver when something goes wrong: exceptions, signals, hangs, misuse, programs that are none."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import warnings

import pytest

from helpers.tree import DRIVER, HANG
from isochron import IsochronError, Log, LogError, Machine, SessionEnded, Stop, Unresponsive, engines, find_program


@pytest.fixture
def console(machine, console_guest):
    """A machine with the console guest."""
    return machine(kernel=console_guest)


@contextlib.contextmanager
def ignoring(*numbers):
    """What is started here ignores signals."""
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def assert_closed(session):
    """Neither a process nor a file is left."""
    assert session.process.returncode is not None
    assert session._errors.closed  # pylint: disable=protected-access
    assert session._channel._socket.fileno() == -1  # pylint: disable=protected-access


def leave_by_an_exception(session, before=lambda: None):
    """The result, after an exception that nothing masks."""
    with pytest.raises(ZeroDivisionError):
        with session:
            before()
            assert 1 // 0
    assert_closed(session)
    return session.result


def test_an_exception_where_sigint_is_ignored(console):
    with ignoring(signal.SIGINT, signal.SIGHUP):
        session = console.record("log")
    session.expect("ready")
    assert leave_by_an_exception(session).exit_code == 128 + signal.SIGTERM
    with ignoring(signal.SIGTERM):
        session = console.record("log")
    session.expect("ready")
    assert leave_by_an_exception(session).exit_code == 128 + signal.SIGINT
    assert [event.detail for event in Log("log") if isinstance(event, Stop)] == [signal.SIGINT]
    with ignoring(signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        session = console.run()
    session.expect("ready")
    result = leave_by_an_exception(session)
    assert (result.exit_code, result.reason, result.transcript) == (-signal.SIGKILL, "crashed", "ready")


def test_an_exception_after_the_program_died(console):
    session = console.run()
    session.expect("ready")
    session.process.kill()
    result = leave_by_an_exception(session)
    assert (result.exit_code, result.reason) == (-signal.SIGKILL, "crashed")


def test_an_exception_after_the_guest_ended(console):
    session = console.record("log")
    session.send("q")
    session._channel.write(b"run", None)  # pylint: disable=protected-access
    session.process.wait(HANG)
    result = leave_by_an_exception(session)
    assert (result.exit_code, result.reason, result.log.path.name) == (0, "power-off", "log")


def test_an_exception_while_the_program_ends(console):
    """Whatever the program is at when the signal comes."""
    for number in range(20):
        session = console.run()
        session.send("q")
        session._channel.write(b"run", None)  # pylint: disable=protected-access
        time.sleep(number / 2000)
        leave_by_an_exception(session)


def test_an_exception_while_the_program_hangs(machine, console_guest):
    session = machine(kernel=console_guest).run()
    session.expect("ready")
    os.kill(session.process.pid, signal.SIGSTOP)
    session.patience = 1
    result = leave_by_an_exception(session)
    assert (result.exit_code, result.reason) == (-signal.SIGKILL, "crashed")


def test_interrupting_what_ignores_it(console):
    with ignoring(signal.SIGINT):
        session = console.run()
    session.expect("ready")
    with pytest.raises(IsochronError, match="ignores SIGINT"):
        session.interrupt()
    assert session.interrupt(signal.SIGTERM).exit_code == 128 + signal.SIGTERM
    assert session.interrupt() is session.result


@pytest.mark.parametrize("line", ["stats", "x" * (16 << 20)], ids=["reading", "writing"])
def test_patience(machine, console_guest, line):
    with machine(kernel=console_guest).run() as session:
        session.expect("ready")
        os.kill(session.process.pid, signal.SIGSTOP)
        session.patience = 0.5
        with pytest.raises(TimeoutError, match=r"no answer within 0.5 s: (stats|x+)$") as caught:
            session.request(line)
        assert isinstance(caught.value, IsochronError) and caught.type is Unresponsive
        assert (session.result.exit_code, session.result.reason) == (-signal.SIGKILL, "crashed")
        assert_closed(session)
    with pytest.raises(SessionEnded, match="crashed"):
        session.stats()


def test_patience_with_the_end(machine, console_guest):
    session = machine(kernel=console_guest).run()
    session.expect("ready")
    os.kill(session.process.pid, signal.SIGSTOP)
    session.patience = 0.5
    with pytest.raises(Unresponsive, match="the end"):
        session.interrupt()
    assert_closed(session)


def test_requests_after_the_end(console):
    session = console.run()
    session.send("q")
    result = session.finish()
    for call in (lambda: session.send("x"), session.stats, lambda: session.expect("x"), session.run):
        with pytest.raises(SessionEnded, match=r"the guest ended \(power-off\) before the request") as caught:
            call()
        assert caught.value.result is result
    assert session.stop() is session.finish() is result


def test_requests_that_are_none(console):
    with console.run() as session:
        for line in ("", "  \t", "# nothing", " #", "run 5\nrun 5", "stats\n", "peek a\0b"):
            with pytest.raises(ValueError, match="not a request"):
                session.request(line)
        for where in ("a\nb", "a b", "a#b", "a\0"):
            with pytest.raises(ValueError, match="neither a symbol nor an address"):
                session.peek(where)
        session.expect("ready")


def test_an_answer_that_nobody_waited_for(console, monkeypatch):
    """Of a request that an exception left alone; the next one does not take its answer for its own."""

    def interrupted(*_):
        raise KeyboardInterrupt

    session = console.run()
    session.expect("ready")
    with monkeypatch.context() as patch:
        patch.setattr(session._channel, "read", interrupted)  # pylint: disable=protected-access
        with pytest.raises(KeyboardInterrupt):
            session.run(1e6)
    with pytest.raises(IsochronError, match="request 3 got the answer to request 2"):
        session.stats()
    assert leave_by_an_exception(session).reason == "stopped"


def test_the_program_gets_one_end_of_the_socket(console):
    with console.run() as session:
        session.expect("ready")
        descriptors = pathlib.Path(f"/proc/{session.process.pid}/fd")
        assert sum(os.readlink(path).startswith("socket:") for path in descriptors.iterdir()) == 1


@pytest.mark.parametrize("kind", ["missing", "not-executable", "directory", "no-program"])
def test_programs_that_cannot_be_started(tmp_path, kind):
    path = tmp_path / kind
    if kind == "directory":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(b"\x7fnothing")
        path.chmod(0o755 if kind == "no-program" else 0o644)
    before = set(os.listdir("/proc/self/fd"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(IsochronError, match=f"cannot start {path}: "):
            Machine(kernel=os.devnull, program=path).run()
        with pytest.raises(IsochronError, match=f"cannot start {path}: "):
            engines(str(path))
    assert set(os.listdir("/proc/self/fd")) == before


def test_finding_the_program(isochron, tmp_path, monkeypatch):
    (tmp_path / "alias").symlink_to(isochron)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ISOCHRON", "alias")
    assert find_program() == str(tmp_path / "alias")
    monkeypatch.setenv("ISOCHRON", "/no/such/program")
    assert find_program() == "/no/such/program"
    monkeypatch.delenv("ISOCHRON")
    with pytest.raises(IsochronError, match="not on PATH"):
        find_program()


def test_driving_does_without_zstandard(isochron, console_guest, tmp_path):
    code = f"""
import sys
sys.modules["zstandard"] = None
import isochron
machine = isochron.Machine(kernel={console_guest!r}, program={isochron!r})
with machine.record("log") as session:
    session.send("q")
    result = session.finish()
try:
    result.log.read()
except isochron.IsochronError as error:
    assert not isinstance(error, isochron.LogError)
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(DRIVER), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "python3-zstandard" in done.stdout, done.stderr
    assert issubclass(LogError, IsochronError)
