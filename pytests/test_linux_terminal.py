"""Linux at a terminal, as a person uses it."""

import os
import time

import pexpect
import pytest

from linux_guest import PROMPT, boot_arguments, conversation

# Wall seconds for an answer; only a hang reaches them.
HANG = 120


def cpu_seconds(pid):
    """CPU time that a process has used, in user and kernel mode."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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


def test_ctrl_c_reaches_the_guest(shell):
    shell.send("trap 'echo caught' INT; sleep 100000\r")
    shell.expect_exact("sleep 100000\r\n")
    time.sleep(0.2)
    shell.send("\x03")
    shell.expect_exact("^C")
    shell.expect_exact(PROMPT)
    assert command(shell, "echo $?").splitlines()[-1] == "130"
    assert shell.isalive()


def test_ctrl_z_stops_a_job_of_the_guest(shell):
    shell.send("sleep 100000\r")
    shell.expect_exact("sleep 100000\r\n")
    time.sleep(0.2)
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


def test_idle_prompt_sleeps(shell, record_property):
    time.sleep(0.5)
    used, began = cpu_seconds(shell.pid), time.monotonic()
    time.sleep(4)
    share = (cpu_seconds(shell.pid) - used) / (time.monotonic() - began)
    record_property("idle CPU share", share)
    print(f"an idle prompt uses {100 * share:.1f} % of a CPU")
    # Far above what it needs, far below a loop.
    assert share < 0.5


def test_guest_time_keeps_pace(shell):
    def uptime():
        before = time.monotonic()
        seconds = float(command(shell, "cat /proc/uptime").split()[0])
        return before, seconds, time.monotonic()

    _, guest_start, wall_start = uptime()
    time.sleep(4)
    wall_end, guest_end, wall_late = uptime()
    guest = guest_end - guest_start
    # Never ahead by more than the pacing's slack and the clock's resolution; behind when the host had no time for it.
    assert guest < wall_late - wall_start + 1
    assert guest > 0.5 * (wall_end - wall_start)


def test_sleep_takes_its_time(shell):
    began = time.monotonic()
    command(shell, "sleep 2")
    assert 1.9 < time.monotonic() - began < 20


def test_idle_time_is_skipped_without_a_terminal(isochron, tmp_path):
    script = tmp_path / "script"
    script.write_text(conversation(["sleep 30"]))
    began = time.monotonic()
    output, status = pexpect.run(
        f"sh -c '{isochron} run {' '.join(boot_arguments())} --script {script} </dev/null | cat'",
        timeout=HANG,
        withexitstatus=True,
    )
    assert status == 0 and b"reboot: Power down" in output
    assert time.monotonic() - began < 25
