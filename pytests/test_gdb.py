"""A recording in gdb, forwards and backwards."""

import os
import re
import signal
import socket

import pexpect
import pytest

from conformance.tree import guest_path
from helpers.commands import assert_refused, run
from helpers.gdb import SHOW, Client, frame, gdb, repeated
from helpers.guests import own_guest
from helpers.linux_guest import boot_arguments
from helpers.recordings import record, rewritten
from helpers.tree import HANG

END_OF_HISTORY = "No more reverse-execution history."
ENGINES = ["ref", "jit"]


@pytest.fixture(scope="module")
def interrupts_log(isochron, tmp_path_factory):
    """A recording of a small guest with interrupts and user programs."""
    log = tmp_path_factory.mktemp("interrupts") / "log"
    record(isochron, log, "--kernel", own_guest(isochron, "interrupts"))
    return log


@pytest.fixture(scope="module")
def linux_log(isochron, tmp_path_factory):
    """A recording of Linux up to its shell."""
    log = tmp_path_factory.mktemp("linux") / "log"
    result = run(isochron, "record", "-o", str(log), *boot_arguments(), "--max-cycles", "600M")
    assert result.returncode == 5, result.stderr.decode()
    return log


@pytest.fixture(name="kernel")
def kernel_with_lines():
    """The same kernel with DWARF."""
    return guest_path("linux-debug") / "vmlinux"


def views(text):
    """PC and registers wherever they were shown."""
    return re.findall(r"at (pc=.*)$", text, re.M)


def cycles(text):
    """The cycles that `monitor when` and `goto` told."""
    return [int(cycle) for cycle in re.findall(r"^cycle (\d+) ", text, re.M)]


@pytest.mark.parametrize("engine", ENGINES)
def test_what_qemus_test_of_reverse_debugging_does(isochron, linux_log, tmp_path, engine):
    steps = {"ref": 100, "jit": 1000}[engine]
    start = ["monitor goto instruction 200000000", "maintenance flush register-cache", "stepi"]
    text, said = gdb(
        tmp_path, isochron, linux_log,
        [*start, *repeated(steps, SHOW, "stepi"), *repeated(steps, "reverse-stepi", SHOW)],
        "--engine", engine, symbols=guest_path("linux") / "vmlinux",
    )  # fmt: skip
    seen = views(text)
    assert len(seen) == 2 * steps
    assert seen[steps:] == seen[:steps][::-1]

    pcs = sorted({re.match(r"pc=(\w+)", view)[1] for view in seen})
    stops = [f"hbreak *0x{pc}" for pc in pcs[:: len(pcs) // 3]]
    text, said = gdb(
        tmp_path, isochron, linux_log,
        [*start, "monitor checkpoint", *stops, *repeated(10, "continue", SHOW, "monitor when"), "monitor goto end"]
        + ["delete", "continue", "monitor restore 1", "maintenance flush register-cache", *stops]
        + [*repeated(11, "continue"), *repeated(10, "reverse-continue", SHOW, "monitor when")]
        + ["delete", "reverse-continue", "monitor when"],
        "--engine", engine, symbols=guest_path("linux") / "vmlinux",
    )  # fmt: skip
    assert text.count(END_OF_HISTORY) == 2  # at the end, and at the start
    seen, when = views(text), cycles(said)
    assert len(seen) == 20 and seen[10:] == seen[:10][::-1]
    assert when[-1] == 0
    # The start, ten stops, the end, the start again, the same stops.
    assert when[13:23] == when[1:11][::-1]


@pytest.mark.parametrize("engine", ENGINES)
def test_exact_steps_go_through_palcode_and_interrupts(isochron, interrupts_log, tmp_path, engine):
    steps = 80
    text, said = gdb(
        tmp_path, isochron, interrupts_log,
        ["monitor step exact", "break *0x8680", "continue", *repeated(20, "reverse-stepi")]
        + [*repeated(steps, SHOW, "monitor when", "stepi"), *repeated(steps, "reverse-stepi", SHOW, "monitor when")],
        "--engine", engine, symbols=own_guest(isochron, "interrupts"),
    )  # fmt: skip
    seen, when = views(text), cycles(said)
    assert len(seen) == 2 * steps
    assert seen[steps:] == seen[:steps][::-1]
    assert when[steps:] == when[:steps][::-1]
    assert any("pc=8680 " in view for view in seen), "no interrupt"
    assert any(re.match("pc=fffffc", view) for view in seen[25:steps]), "the handler is not reached"


@pytest.mark.parametrize("engine", ENGINES)
def test_steps_pass_over_interrupts(isochron, interrupts_log, tmp_path, engine):
    """From before an interrupt, the default step never shows PALcode or the handler."""
    steps = 60
    text, said = gdb(
        tmp_path, isochron, interrupts_log,
        ["monitor step exact", "break *0x8680", "continue", "delete", *repeated(20, "reverse-stepi"), "monitor step flow"]
        + [*repeated(steps, SHOW, "monitor when", "stepi"), *repeated(steps, "reverse-stepi", SHOW)],
        "--engine", engine, symbols=own_guest(isochron, "interrupts"),
    )  # fmt: skip
    seen, when = views(text), cycles(said)
    assert seen[steps:] == seen[:steps][::-1]
    assert all(view.startswith("pc=fffffc") for view in seen)
    assert max(later - cycle for cycle, later in zip(when, when[1:])) > 300, "there was no interrupt"


@pytest.mark.parametrize("engine", ENGINES)
def test_watchpoints_in_both_directions(isochron, linux_log, kernel, tmp_path, engine):
    text, said = gdb(
        tmp_path, isochron, linux_log,
        ["watch jiffies_64", *repeated(3, "continue", "print jiffies_64"), *repeated(3, "reverse-continue")]
        + ["print jiffies_64", "reverse-continue", "monitor when"],
        "--engine", engine, symbols=kernel,
    )  # fmt: skip
    first = (1 << 32) - 300 * 128  # INITIAL_JIFFIES
    assert [int(value) for value in re.findall(r"^New value = (\d+)$", text, re.M)] == [
        first + step for step in (1, 2, 3, 2, 1, 0)
    ]
    assert re.findall(r"^\$\d+ = (\d+)$", text, re.M)[-1] == str(first)
    assert END_OF_HISTORY in text and cycles(said) == [0]


def test_source_lines_forwards_and_backwards(isochron, linux_log, kernel, tmp_path):
    def lines(part):
        return re.findall(r"^(?:0x\w+\t)?(\d+)\t", part, re.M)

    text, said = gdb(
        tmp_path, isochron, linux_log,
        ["break do_sys_openat2", "continue", "continue", 'echo forwards\\n', *repeated(5, "next")]
        + ["echo backwards\\n", *repeated(5, "reverse-next"), "echo finish\\n", "finish", "reverse-finish", "backtrace 2"],
        symbols=kernel,
    )  # fmt: skip
    forwards, backwards = text.split("forwards\n")[1].split("backwards\n")
    backwards, finish = backwards.split("finish\n", 1)
    assert lines(forwards)[:4] == ["1307", "1308", "1311", "1314"]
    # Inlined functions have lines of their own; what was passed forwards is passed backwards.
    assert lines(backwards)[-1] in lines(forwards), text
    assert 'filename=0x' in finish and "#0  do_sys_openat2" in finish, finish
    assert "#1 " in finish


def test_registers_and_memory_cannot_be_changed(isochron, interrupts_log, tmp_path):
    text, said = gdb(
        tmp_path, isochron, interrupts_log,
        ["python", "for line in ('set $t0 = 5', 'set {long}0x8780 = 1'):", "    try:", "        gdb.execute(line)"]
        + ["    except gdb.error as error:", "        print('refused:', error)", "end", "stepi"],
        symbols=own_guest(isochron, "interrupts"),
    )  # fmt: skip
    assert re.search(r"refused: .*a replay cannot be changed", text), text
    assert re.search("refused: Cannot access memory at address 0x8780", text), text
    # gdb has no words of ours for memory; they come with the next stop.
    assert said.startswith("a replay cannot be changed"), said


def test_monitor_commands_name_places(isochron, linux_log, kernel, tmp_path):
    text, said = gdb(
        tmp_path, isochron, linux_log,
        ["monitor help", "monitor goto cycle 450Q", "monitor goto cycle 450M", "monitor goto cycle 0.75s"]
        + ["monitor goto instruction 0.2G", "monitor goto cycle 450000000", "monitor when", "monitor console"]
        + ["monitor translate jiffies_64", "monitor events 1", "monitor tlb", "monitor ipr", "monitor stats"],
        symbols=kernel,
    )  # fmt: skip
    assert re.search(r"^goto cycle TIME\|instruction N\|event N\|start\|end$", said, re.M)
    assert "error: '450Q' is not a number of cycles or a time" in said
    million, second, _, plain, here = cycles(said)
    assert second == million == plain == here >= 450000000
    assert ", instruction 200000000, " in said
    assert "Linux version 6.1" in said and "\x1b" not in said
    assert re.search(r"^0xfffffc\w+ is physical 0x\w+ by superpage$", said, re.M)
    assert "--- here" in said and re.search("^DTB +[0-9]+ ", said, re.M) and "pal_base " in said


@pytest.mark.parametrize("engine", ENGINES)
def test_stops_for_which_gdb_has_no_command(isochron, linux_log, kernel, tmp_path, engine):
    text, said = gdb(
        tmp_path, isochron, linux_log,
        ["monitor stop syscall write", 'monitor stop text "Linux version"', "monitor stops"]
        + [*repeated(3, "continue", "monitor when"), "x/i $pc", "reverse-continue", "monitor when"]
        + ["monitor stop delete 1", "monitor stop syscall write after", "continue", "monitor when", "print $v0"]
        + ["monitor stop delete 3", "reverse-continue", "monitor when", "reverse-continue", "monitor stop nonsense"],
        "--engine", engine, symbols=kernel,
    )  # fmt: skip
    assert "1: system call 4 write, before\n2: text \"Linux version\"\n" in said
    banner, first, second, back, behind, again = cycles(said)
    assert banner == again < first == back < second and first < behind < second
    assert said.count('isochron: stop 2: text "Linux version"\n') == 2
    calls = re.findall(r"stop 1: system call 4 write, before: 4 write\((0x\w+), (0x\w+), (0x\w+), .*\) at (0x\w+)$", said, re.M)
    assert len(calls) == 3 and calls[0] == calls[2] != calls[1]
    assert re.search(r"=> 0x\w+:\tcall_pal\s+callsys", text) or "callsys" in text, text
    wrote = re.search(r"stop 3: system call 4 write, after: 4 write = (0x\w+)$", said, re.M)[1]
    assert wrote == calls[0][2] and f"$1 = {int(wrote, 16)}" in text
    assert END_OF_HISTORY in text
    assert "error: nothing to stop at is called 'nonsense'" in said


def test_run_begins_anew(isochron, interrupts_log, tmp_path):
    _, said = gdb(
        tmp_path, isochron, interrupts_log,
        ["break record", "continue", "monitor when", "continue", "run", "monitor when", "kill"],
        symbols=own_guest(isochron, "interrupts"), remote="extended-remote",
    )  # fmt: skip
    first, again = cycles(said)
    assert first == again > 0


def test_looking_leaves_no_trace(isochron, interrupts_log, tmp_path):
    before = interrupts_log.read_bytes()
    names = sorted(path.name for path in interrupts_log.parent.iterdir())
    gdb(tmp_path, isochron, interrupts_log, ["continue", "reverse-continue"])
    assert interrupts_log.read_bytes() == before
    assert sorted(path.name for path in interrupts_log.parent.iterdir()) == names
    result = run(isochron, "replay", str(interrupts_log))
    assert result.returncode == 0, result.stderr.decode()


def test_ctrl_c_stops_a_run(isochron, linux_log):
    client = Client(isochron, linux_log).connect()
    client.send(frame("vCont;c") + b"\x03")
    assert client.reply().startswith("T02thread:1;")
    assert client.ask("D") == "OK"
    assert client.end() == (0, "")


def test_ctrl_c_at_a_terminal_is_gdbs(isochron, linux_log):
    """A program that gdb has started is not ended by Ctrl-C at gdb's prompt; one at a terminal of its own is."""
    terminal = pexpect.spawn(
        "gdb-multiarch",
        ["-nx", "-q", "-ex", "set pagination off", "-ex", f"target remote | {isochron} replay {linux_log} --gdb -"],
        env=os.environ | {"TERM": "dumb"}, encoding="latin-1", timeout=HANG,
    )  # fmt: skip
    terminal.expect(r"0x0*8780 in .*\(gdb\) ")
    terminal.sendintr()
    terminal.expect(r"\(gdb\) ")
    terminal.sendline("monitor when")
    terminal.expect(r"cycle 0 .*\(gdb\) ")
    terminal.sendline("detach")
    terminal.expect(r"detached.*\(gdb\) ")
    terminal.sendline("quit")
    terminal.expect(pexpect.EOF)
    alone = pexpect.spawn(isochron, ["replay", str(linux_log), "--gdb", "-"], timeout=HANG)
    alone.sendline("$qC#b4")
    alone.expect(r"QC1")
    alone.sendintr()
    alone.expect(pexpect.EOF)
    alone.close()
    assert alone.exitstatus == 128 + signal.SIGINT


def test_there_is_one_client_and_its_end_is_ours(isochron, interrupts_log):
    client = Client(isochron, interrupts_log).connect()
    assert client.where.startswith("127.0.0.1:")
    assert client.ask("?").startswith("T05")
    host, port = client.where.rsplit(":", 1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
    assert client.end() == (0, "")


def test_a_unix_socket(isochron, interrupts_log, tmp_path):
    path = tmp_path / "socket"
    client = Client(isochron, interrupts_log, where=f"unix:{path}").connect()
    assert client.ask("qC") == "QC1"
    assert not path.exists()
    client.send(frame("k"))
    assert client.end() == (0, "")


def test_signals_end_it(isochron, interrupts_log):
    waiting = Client(isochron, interrupts_log)
    waiting.process.send_signal(signal.SIGINT)
    assert waiting.end() == (128 + signal.SIGINT, "")
    client = Client(isochron, interrupts_log).connect()
    assert client.ask("qC") == "QC1"
    client.process.send_signal(signal.SIGTERM)
    assert client.process.wait(timeout=600) == 128 + signal.SIGTERM
    client.end()


def test_clients_that_mean_no_good(isochron, interrupts_log):
    client = Client(isochron, interrupts_log).connect()
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    assert client.ask("m700000000,ffffffffffffffff").startswith("E")
    assert len(client.ask("m8000,ffffffffffffffff")) <= 0x4000
    client.send(b"$g#00")
    assert client.ask("Z2,ffffffffffffffff,ffffffffffffffff").startswith("E")
    client.send(b"$" + b"a" * 100000 + b"#00")
    assert "at most" in client.reply()
    assert client.ask("qC") == "QC1"
    client.send(b"$m8000,10")  # half a packet
    assert client.end() == (0, "")
    client = Client(isochron, interrupts_log).connect()
    assert client.ask("QStartNoAckMode") == "OK"
    client.send(b"$g#00")
    assert client.end() == (0, "isochron: gdb was left: the client sent a packet with a wrong checksum\n")


def test_a_recording_that_is_left(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")])
    client = Client(isochron, log).connect()
    client.send(frame("vCont;c"))
    message = client.reply()
    assert message.startswith("O"), message
    assert "the run differs from the log at event 2" in bytes.fromhex(message[1:]).decode()
    assert client.reply().startswith("T05")
    assert client.ask("bc").startswith("T05thread:1;replaylog:begin;")
    code, errors = client.end()
    assert code == 3
    assert errors.startswith("isochron: the run differs from ")


def test_a_partial_log(isochron, interrupts_log, tmp_path):
    data = interrupts_log.read_bytes()
    log = tmp_path / "log"
    log.write_bytes(data[: len(data) * 3 // 4])
    (tmp_path / "log.images").write_text((interrupts_log.parent / "log.images").read_text())
    client = Client(isochron, log).connect()
    assert "replaylog:end;" in client.ask("vCont;c")
    assert client.end() == (0, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--gdb", "here"], "'here' is no .ADDRESS:.PORT, unix:PATH or -"),
        (["--gdb", "70000"], "'70000' is no"),
        (["--gdb", "unix:"], "needs the path"),
        (["--gdb", "/x/y:1"], "gdb cannot be waited for at /x/y:1"),
        (["--gdb", "unix:/nonexistent/socket"], "gdb cannot be waited for at /nonexistent/socket"),
        (["--gdb", "-", "--until", "1s"], "--gdb goes with no option"),
        (["--gdb", "-", "--stats"], "--gdb goes with no option"),
        (["--snapshot-memory", "1G"], "need --gdb"),
    ],
)
def test_what_cannot_be(isochron, interrupts_log, args, message):
    result = run(isochron, "replay", str(interrupts_log), *args)
    assert result.returncode == 2
    assert re.search(message, result.stderr.decode()), result.stderr.decode()


def test_no_log(isochron, tmp_path):
    assert_refused(run(isochron, "replay", str(tmp_path / "none"), "--gdb", "-"), "none")
