"""What the program gives up before a guest runs, seen from outside: docs/security.md."""

import os
import pathlib
import subprocess

import pytest

from helpers.commands import run, write
from helpers.terminal import Terminal
from helpers.tree import HANG


@pytest.fixture
def sandboxed(isochron, console_guest):
    """Skips where there can be no sandbox."""
    script = ["--max-cycles", "1M", "--console", "null"]
    tried = run(isochron, "run", "--kernel", console_guest, "--sandbox", "on", *script)
    if tried.returncode == 2:
        pytest.skip(tried.stderr.decode())
    assert tried.returncode == 5


def threads(session):
    """What the kernel says of each thread: privileges given up, and filters of system calls."""
    found = set()
    for status in pathlib.Path(f"/proc/{session.process.pid}/task").glob("*/status"):
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        found.add((int(fields["NoNewPrivs"]), int(fields["Seccomp"])))
    return found


def test_every_thread_of_every_command_is_in_it(sandboxed, machine, console_guest):
    guest = machine(kernel=console_guest)
    with guest.record("log") as session:
        session.expect("ready")
        assert threads(session) == {(1, 2)}
        session.send("q")
        assert session.finish().exit_code == 0
    for start in (
        guest.run,
        lambda: guest.replay("log"),
        lambda: guest.replay("log", live=1e6, output="live"),
        lambda: guest.conform("log"),
        guest.conform,
    ):
        with start() as session:
            session.run(1e6)
            assert threads(session) == {(1, 2)}


def test_what_else_is_shown_and_written(sandboxed, isochron, console_guest, tmp_path):
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    guest = ["--kernel", console_guest, "--script", script, "--stats"]
    for command in (["run"], ["record", "-o", str(tmp_path / "log")], ["conform", "-o", str(tmp_path / "other")]):
        done = run(isochron, *command, *guest, "--sandbox", "on")
        assert done.returncode == 0 and b"instructions" in done.stderr, done.stderr
    replayed = run(isochron, "replay", str(tmp_path / "log"), "--stats", "--snapshot-every", "1G")
    assert replayed.returncode == 0, replayed.stderr


def test_off(sandboxed, machine, console_guest):
    with machine(kernel=console_guest, options=["--sandbox", "off"]).run() as session:
        session.expect("ready")
        assert threads(session) == {(0, 0)}


SHIM = """
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// Whoever writes what the guest says when it gets an F wants a socket.
ssize_t write(int fd, const void* bytes, size_t size) {
  if (fd == 1 && memmem(bytes, size, "[46]", 4) != 0) syscall(SYS_socket, 2, 1, 0);
  return syscall(SYS_write, fd, bytes, size);
}
"""


@pytest.fixture
def tampered(tmp_path):
    """The environment of a program that will want a socket."""
    source = write(tmp_path / "shim.c", SHIM)
    shim = str(tmp_path / "shim.so")
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", shim, source], check=True, timeout=HANG)
    return os.environ | {"LD_PRELOAD": shim}


def test_a_refused_call_is_named_and_leaves_a_log(sandboxed, isochron, console_guest, tmp_path, tampered):
    script = write(tmp_path / "script", 'expect "ready"\nsend "A"\nexpect "[41]"\nsend "F"\nrun 50M\nstop\n')
    log = tmp_path / "log"
    command = ["record", "-o", str(log), "--kernel", console_guest, "--script", script]
    done = run(isochron, *command, env=tampered)
    assert done.returncode == 1
    assert b"isochron: the sandbox refused system call" in done.stderr and b"(socket)" in done.stderr
    assert b"--sandbox off" in done.stderr
    verified = run(isochron, "log", "verify", f"{log}.partial")
    assert verified.returncode == 0, verified.stderr
    assert not log.exists()
    # Without it, it may have its socket.
    done = run(isochron, *command, "--sandbox", "off", env=tampered)
    assert done.returncode == 0, done.stderr


def test_a_terminal_is_as_it_was(sandboxed, isochron, console_guest, tampered):
    terminal = Terminal([isochron, "run", "--kernel", console_guest], env=tampered)
    terminal.expect("ready")
    assert terminal.is_raw()
    terminal.type(b"F")
    assert terminal.end() == 1
    assert not terminal.is_raw()
