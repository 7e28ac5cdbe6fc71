"""`isochron run` at a terminal: raw mode, its keys, and the way back."""

import os
import signal
import subprocess

import pytest

from helpers.guests import assemble_console_guest
from helpers.recordings import CONVERSATION, record, replay, rewritten
from helpers.terminal import Terminal


@pytest.fixture
def terminal(isochron, console_guest):
    """Starts a run, or another command, at a terminal."""
    terminals = []

    def start(*args, command="run", **options):
        terminals.append(Terminal([isochron, command, "--kernel", console_guest, *args], **options))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


def test_keys_reach_the_guest(terminal):
    tty = terminal()
    tty.expect("ready\r\n")
    assert tty.is_raw()
    tty.type(b"A\x03\x1a\x1c\r\x04")
    tty.expect("[41][03][1a][1c][0d][04]")
    tty.type(b"q")
    assert tty.end() == 0
    assert tty.is_restored()


def test_ctrl_a_x_quits(terminal):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.type(b"\x01x")
    assert tty.end() == 0
    assert tty.is_restored()


def test_ctrl_a_h_helps(terminal):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.type(b"\x01h")
    tty.expect("Ctrl-A x       quit")
    tty.type(b"A")
    tty.expect("[41]")
    assert tty.is_raw()


@pytest.mark.parametrize("second", [b"\x01", b"a"])
def test_ctrl_a_twice_is_the_guests(terminal, second):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.type(b"\x01" + second + b"x")
    tty.expect("[01][78]")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_restored_after_a_signal(terminal, number):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.process.send_signal(number)
    assert tty.end() == 128 + number
    assert tty.is_restored()


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT, signal.SIGSEGV])
def test_restored_after_a_crash(terminal, number):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.process.send_signal(number)
    assert tty.end() == -number
    assert tty.is_restored()


def test_restored_after_a_fatal_error(terminal):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.type(b"f")
    tty.expect("the guest cannot go on")
    assert tty.end() == 4
    assert tty.is_restored()


def test_restored_after_a_limit(terminal):
    tty = terminal("--max-cycles", "50M")
    tty.expect("ready\r\n")
    assert tty.end() == 5
    assert tty.is_restored()


def test_restored_after_a_reset_for_good(terminal):
    tty = terminal("--no-reboot")
    tty.expect("ready\r\n")
    tty.type(b"r")
    tty.expect("the guest asked for a reset")
    assert tty.end() == 6
    assert tty.is_restored()


def test_restored_after_an_expect_that_is_not_met(terminal, tmp_path):
    script = tmp_path / "s"
    script.write_text('expect "ready"\nexpect "steady" within 20M\n')
    tty = terminal("--script", str(script))
    tty.expect("was not met")
    assert tty.end() == 5
    assert tty.is_restored()


def test_restored_after_a_comparison(terminal):
    tty = terminal(command="conform")
    tty.expect("ready\r\n")
    assert tty.is_raw()
    tty.type(b"Aq")
    tty.expect("agree")
    assert tty.end() == 0
    assert tty.is_restored()


def test_restored_after_the_log_failed(terminal, tmp_path):
    fifo = tmp_path / "log"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    tty = terminal("-o", str(fifo), command="record")
    tty.expect("ready\r\n")
    os.close(reader)
    tty.type(b"q")
    tty.expect("Broken pipe")
    assert tty.end() == 1
    assert tty.is_restored()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV])
def test_restored_after_a_signal_to_a_recorder(terminal, tmp_path, number):
    tty = terminal("-o", str(tmp_path / "log"), command="record")
    tty.expect("ready\r\n")
    assert tty.is_raw()
    tty.process.send_signal(number)
    assert tty.end() == (-number if number == signal.SIGSEGV else 128 + number)
    assert tty.is_restored()


@pytest.fixture
def live(isochron, tmp_path):
    """live(LOG): a replay at a terminal that goes on live at 60 million cycles."""
    terminals = []

    def start(log):
        arguments = ["--until", "60M", "--live", "-o", str(tmp_path / "live")]
        terminals.append(Terminal([isochron, "replay", str(log), *arguments]))
        return terminals[-1]

    yield start
    for one in terminals:
        one.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV])
def test_restored_after_a_signal_to_a_run_gone_live(live, conversation_log, number):
    tty = live(conversation_log)
    tty.expect("[48][45]")
    tty.wait_until_raw()
    tty.type(b"Z")
    tty.expect("[5a]")
    tty.process.send_signal(number)
    assert tty.end() == (-number if number == signal.SIGSEGV else 128 + number)
    assert tty.is_restored()


def test_restored_after_a_difference(live, conversation_log, tmp_path):
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")])
    tty = live(log)
    tty.expect("the run differs from")
    assert tty.end() == 3
    assert tty.is_restored()


def test_restored_after_the_output_is_closed(terminal):
    read_end, write_end = os.pipe()
    tty = terminal(stdout=write_end)
    os.close(write_end)
    assert os.read(read_end, 1) == b"r"
    os.close(read_end)
    tty.type(b"l")
    assert tty.end() == 128 + signal.SIGPIPE
    assert tty.is_restored()


def test_a_terminal_that_hangs_up_ends_the_run(terminal):
    tty = terminal(stderr=subprocess.DEVNULL)
    tty.expect("ready\r\n")
    os.close(tty.slave)
    tty.slave = -1
    os.close(tty.master)
    tty.master = -1
    assert tty.end() == 128 + signal.SIGHUP


def test_suspend_and_continue(terminal):
    tty = terminal()
    tty.expect("ready\r\n")
    tty.process.send_signal(signal.SIGTSTP)
    _, status = os.waitpid(tty.process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert tty.is_restored()
    tty.process.send_signal(signal.SIGCONT)
    tty.type(b"A")
    tty.expect("[41]")
    assert tty.is_raw()
    tty.type(b"q")
    assert tty.end() == 0
    assert tty.is_restored()


def test_typing_into_a_scripted_run(terminal, tmp_path):
    script = tmp_path / "s"
    script.write_text('expect "ready"\nsend "A"\n')
    tty = terminal("--script", str(script))
    tty.expect("[41]")
    assert tty.is_raw()
    tty.type(b"Bq")
    tty.expect("[42]")
    assert tty.end() == 0
    assert tty.is_restored()


def test_bad_input_does_not_touch_the_terminal(isochron):
    tty = Terminal([isochron, "run", "--kernel", "/dev/null"])
    try:
        tty.expect("isochron: ")
        assert tty.end() == 2
        assert tty.is_restored()
    finally:
        tty.close()


def test_without_the_console_the_terminal_stays_as_it_is(terminal, tmp_path):
    tty = terminal("--console", f"file:{tmp_path / 'out'}", "--max-cycles", "50M")
    tty.expect("--max-cycles reached")
    assert tty.end() == 5
    assert tty.is_restored()


QUERY = "\\033[6n"


@pytest.fixture
def asking_log(isochron, tmp_path):
    """A recording of a guest that asks the terminal where the cursor is, and leaves it red and without one."""
    kernel = assemble_console_guest(tmp_path, [('"ready\\r\\n"', f'"{QUERY}red\\033[31m\\033[?25l\\033[5n> "')])
    script = tmp_path / "s"
    script.write_text('expect "> "\nsend "q"\n')
    record(isochron, tmp_path / "log", "--kernel", kernel, "--script", str(script))
    return tmp_path / "log"


def test_a_replay_asks_nothing_of_a_terminal_and_leaves_it_as_it_was(isochron, asking_log):
    tty = Terminal([isochron, "replay", str(asking_log)])
    tty.expect("red\x1b[31m\x1b[?25l> \x1b[m\x1b[?25h\r\nisochron: replayed")
    assert tty.end() == 0
    tty.close()
    through_a_pipe = replay(isochron, asking_log)
    assert through_a_pipe.stdout == b"\x1b[6nred\x1b[31m\x1b[?25l\x1b[5n> "


def test_a_scripted_run_asks_nothing_of_a_terminal(isochron, asking_log, tmp_path):
    """Or the log would depend on who watches."""
    command = ["record", "-o", str(tmp_path / "log2"), "--kernel", str(tmp_path / "console.elf")]
    tty = Terminal([isochron, *command, "--script", str(tmp_path / "s")])
    tty.expect("red\x1b[31m\x1b[?25l> \x1b[m\x1b[?25h\r\nisochron: ")
    assert tty.end() == 0
    tty.close()
    assert (tmp_path / "log2").read_bytes() == asking_log.read_bytes()


def test_a_live_run_asks_all_it_likes(isochron, asking_log, tmp_path):
    tty = Terminal([isochron, "run", "--kernel", str(tmp_path / "console.elf")])
    tty.expect("\x1b[6nred\x1b[31m\x1b[?25l\x1b[5n> ")
    tty.type(b"q")
    tty.expect("\x1b[m\x1b[?25h\r\n")
    assert tty.end() == 0
    tty.close()


def test_the_end_of_a_replay_has_a_line_of_its_own(isochron, conversation_log):
    """Also when the guest's line may reach the terminal through a pipe."""
    # Not through a real one: it would be its reader's choice when the guest's line comes.
    tty = Terminal([str(isochron), "replay", str(conversation_log), "--until", "60M"], stdout=subprocess.PIPE)
    tty.expect("\nisochron: replayed")
    tty.end()
    tty.close()


def test_a_scripted_run_shows_how_far_it_is(terminal, tmp_path):
    script = tmp_path / "s"
    script.write_text('expect "ready"\nexpect "never" within 1000s\n')
    tty = terminal("--script", str(script), "--console", "null")
    tty.expect('/s  line 2: expect "never"')
    assert not tty.is_raw()
    tty.type(b"\x03")
    assert tty.end() == 128 + signal.SIGINT
    assert tty.is_restored()


def test_ctrl_a_x_quits_a_scripted_run(terminal, tmp_path):
    script = tmp_path / "s"
    script.write_text('expect "ready"\nexpect "never" within 1000s\n')
    tty = terminal("--script", str(script))
    tty.expect("ready\r\n")
    tty.type(b"\x01x")
    assert tty.end() == 0
    assert tty.is_restored()


@pytest.mark.parametrize("pace", ["off", "idle", "always"])
def test_any_pace_runs_the_same(isochron, console_guest, tmp_path, conversation_log, pace):
    script = tmp_path / "s"
    script.write_text(CONVERSATION)
    record(isochron, tmp_path / "log", "--kernel", console_guest, "--script", str(script), "--pace", pace)
    assert (tmp_path / "log").read_bytes() == conversation_log.read_bytes()
