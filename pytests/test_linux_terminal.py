"""Linux at a terminal, as a person uses it."""

import re

import pexpect
import pytest

from helpers.linux_guest import PROMPT, boot_arguments, conversation
from helpers.tree import HANG


def command(tty, text):
    """Types a command and returns what it printed."""
    tty.send(text + "\r")
    tty.expect_exact("\r\n")
    tty.expect_exact(PROMPT)
    return tty.before


@pytest.fixture
def shell(isochron):
    """A guest's shell at a terminal of 24 lines of 80 columns."""
    tty = pexpect.spawn(
        isochron,
        ["run", *boot_arguments()],
        timeout=HANG,
        encoding="utf-8",
        dimensions=(24, 80),
    )
    tty.expect_exact(PROMPT)
    yield tty
    tty.close(force=True)


def test_the_shell_answers(shell):
    assert command(shell, "echo $((6 * 7))") == "42\r\n"
    assert command(shell, "uname -m") == "alpha\r\n"


def test_what_is_typed_can_be_edited(shell):
    shell.send("echo onw\x7fe to\x1b[Dw\r")
    shell.expect_exact("one two\r\n")
    shell.expect_exact(PROMPT)
    # Up: the line before.
    shell.send("\x1b[A\r")
    shell.expect_exact("one two\r\n")


def test_power_off_ends_the_program(shell):
    shell.send("poweroff -f\r")
    shell.expect_exact("reboot: Power down")
    shell.expect(pexpect.EOF)
    shell.close()
    assert (shell.exitstatus, shell.signalstatus) == (0, None)


def sleep_in_the_foreground(tty):
    """A job that keys can reach: once it has said so, all of its processes are in the terminal's foreground."""
    tty.send("sh -c 'echo up; exec sleep 100000'\r")
    tty.expect_exact("up\r\n")


def test_ctrl_c_reaches_the_guest(shell):
    sleep_in_the_foreground(shell)
    shell.send("\x03")
    shell.expect_exact("^C")
    shell.expect_exact(PROMPT)
    assert command(shell, "echo $?").splitlines()[-1] == "130"
    assert shell.isalive()


def test_ctrl_z_stops_a_job_of_the_guest(shell):
    sleep_in_the_foreground(shell)
    shell.send("\x1a")
    shell.expect_exact("Stopped")
    shell.expect_exact(PROMPT)
    assert "Stopped" in command(shell, "jobs")
    command(shell, "kill %1")
    assert shell.isalive()


def test_vi_draws_its_screen(shell):
    command(shell, "stty rows 24 cols 80")
    command(shell, "seq 101 130 > numbers")
    shell.send("vi numbers\r")
    # Each line at its place, and the status line below.
    shell.expect(r"101\x1b\[2;1H102.*\x1b\[23;1H123")
    shell.expect(r"\x1b\[24;1H.*numbers 1/30 ")
    # To the last line, a line below it, and back to the shell.
    shell.send("G")
    shell.expect_exact("numbers 30/30 ")
    shell.send("onew line\x1b")
    # The dash says that vi has seen the end of the escape: it is no longer inserting.
    shell.expect_exact("- numbers [Modified] 31/31 ")
    shell.send(":wq\r")
    shell.expect_exact(PROMPT)
    assert command(shell, "tail -n 2 numbers") == "130\r\nnew line\r\n"


def voluntary_switches(pid):
    """How often a process has waited for something."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.MULTILINE)[1])


def test_idle_time_is_waited_for_at_a_terminal(isochron):
    tty = pexpect.spawn(isochron, ["run", *boot_arguments(), "--stats"], timeout=HANG, encoding="utf-8")
    try:
        tty.expect_exact(PROMPT)
        before = voluntary_switches(tty.pid)
        command(tty, "sleep 2")
        # Asleep, not in a loop: the guest may lead by 10 ms, and a wait that is too long is not made up for.
        assert voluntary_switches(tty.pid) > before
        tty.send("poweroff -f\r")
        tty.expect(pexpect.EOF)
        rows = {name: float(re.search(rf"^{re.escape(name)} +(\S+)\r$", tty.before, re.MULTILINE)[1])
                for name in ("guest seconds", "wall seconds", "idle share (%)")}  # fmt: skip
    finally:
        tty.close(force=True)
    idle = rows["guest seconds"] * rows["idle share (%)"] / 100
    # What the host does beside it can only add to the wall's.
    assert 2 < idle < rows["wall seconds"] + 0.1


def test_idle_time_is_skipped_without_a_terminal(isochron, tmp_path):
    script = tmp_path / "script"
    script.write_text(conversation(["sleep 3000"]))
    # Were it waited for, the time would run out.
    output, status = pexpect.run(
        f"sh -c '{isochron} run {' '.join(boot_arguments())} --script {script} </dev/null | cat'",
        timeout=10 * HANG,
        withexitstatus=True,
    )
    assert status == 0 and b"reboot: Power down" in output
