"""A run in gdb while it is made: what it does when somebody looks, and what is recorded when somebody writes."""

import re
import resource
import signal
import struct

import pytest

from helpers.commands import run
from helpers.gdb import LiveClient, frame, gdb, gdb_on
from helpers.guests import own_guest
from helpers.recordings import events, record
from isochron import Log

ENGINES = ["ref", "jit"]


@pytest.fixture(name="kernel", scope="module")
def interrupts_guest(isochron):
    """A small guest with interrupts and user programs."""
    return own_guest(isochron, "interrupts")


@pytest.fixture(name="plain", scope="module")
def log_without_gdb(isochron, kernel, tmp_path_factory):
    log = tmp_path_factory.mktemp("plain") / "log"
    record(isochron, log, "--kernel", kernel)
    return log


def recording(isochron, kernel, log, engine, where="-"):
    """The command line of a recording that gdb starts."""
    return [isochron, "record", "-o", log, "--kernel", kernel, "--console", "null", "--engine", engine, "--gdb", where]


def quadword(number):
    return struct.pack("<Q", number).hex()


def address_of(client, symbol):
    """Where `monitor translate` finds a symbol, mapped or not."""
    client.send(frame("qRcmd," + f"translate {symbol}".encode().hex()))
    said = ""
    while (reply := client.reply()) != "OK":
        said += bytes.fromhex(reply[1:]).decode()
    return re.findall(r"^0x(\w+) is", said, re.M)[-1]


def assert_replays(isochron, log):
    for engine in ENGINES:
        result = run(isochron, "replay", str(log), "--engine", engine, "--console", "null")
        assert result.returncode == 0, result.stderr.decode()
    result = run(isochron, "conform", str(log), "--console", "null")
    assert "ref and jit agree" in result.stderr.decode()


@pytest.mark.parametrize("engine", ENGINES)
def test_looking_leaves_no_trace(isochron, kernel, plain, tmp_path, engine):
    log = tmp_path / "log"
    text, said = gdb_on(
        tmp_path, recording(isochron, kernel, log, engine),
        ["break record", "continue", "info registers", "stepi", "x/4i $pc", "watch *(long*)&clocks", "continue"]
        + ["monitor tlb", "monitor translate clocks", "monitor goto cycle 9000000", "reverse-stepi", "monitor step exact"]
        + ["stepi", "stepi", "finish", "delete", "continue", "monitor events", "continue"],
        symbols=kernel,
    )  # fmt: skip
    assert "Breakpoint 1, " in text and "New value = 1" in text, text
    assert "power-off" in said.split("--- here")[0], said
    assert said.count("the run has ended: power-off") == 2, said
    assert log.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_going_back_leaves_no_trace(isochron, kernel, plain, tmp_path, engine):
    """Steps, breakpoints, watchpoints and jumps back from the middle and from the end; and of the past all is as it was."""
    log, console = tmp_path / "log", tmp_path / "console"
    command = recording(isochron, kernel, log, engine)
    command[command.index("null")] = f"file:{console}"
    here = 'printf "at %lx %lx %lx\\n", $pc, $sp, *(long*)&clocks'
    text, said = gdb_on(
        tmp_path, command,
        ["break record", "continue", here, "continue 4", "stepi", here, "reverse-stepi", "stepi", here]
        + ["reverse-continue", "reverse-continue", "monitor when"]
        + ["delete", "watch *(long*)&clocks", "reverse-continue", "continue", "delete", "reverse-continue", "monitor when"]
        + ["monitor goto end", "monitor when", "monitor events 1", "monitor stop interrupt", "reverse-continue"]
        + ["monitor stop delete all", "continue", 'monitor stop text "ok 2"', "reverse-continue", "monitor goto end"]
        + ["monitor stop delete all", "break record", "reverse-continue", here, "monitor console", "delete"]
        + ["reverse-continue", "continue"],
        symbols=kernel,
    )  # fmt: skip
    places = re.findall(r"^at (.*)$", text, re.M)
    assert len(places) == 4 and places[1] == places[2] != places[0], text
    assert "cycles back in the run" in said
    # At power-on and at the end, twice each.
    assert text.count("No more reverse-execution history") == 4 and said.count("the run has ended: power-off") == 2, text
    assert "isochron: stop 1: interrupt" in said and 'isochron: stop 2: text "ok 2"' in said, said
    assert log.read_bytes() == plain.read_bytes()
    plain_text = run(isochron, "replay", str(plain)).stdout
    assert console.read_bytes() == plain_text


@pytest.mark.parametrize("engine", ENGINES)
def test_writes_between_ways_back(isochron, kernel, tmp_path, engine):
    """What is written is there when one comes back to it, was not before, and the log replays."""
    log = tmp_path / "log"
    show = 'printf "clocks %ld\\n", *(long*)&clocks'
    text, said = gdb_on(
        tmp_path, recording(isochron, kernel, log, engine),
        ["break record", "continue", "continue", "stepi", "set var *(long*)&clocks = 4711", show, "monitor checkpoint"]
        + ["reverse-stepi", show, "stepi", show, "reverse-continue", "reverse-continue"]
        + ["monitor restore 1", show, "monitor goto end", "set var *(long*)&clocks = 4712", show, "stepi", show]
        + ["monitor goto start", "monitor goto end", show, "kill"],
        symbols=kernel,
    )  # fmt: skip
    shown = [int(value) for value in re.findall(r"^clocks (\d+)$", text, re.M)]
    assert shown[0] == 4711 and shown[1] < 4711 and shown[2:4] == [4711, 4711] and shown[4:] == [4712] * 3, (shown, said)
    assert len(events(isochron, log, "write")) == 2
    assert_replays(isochron, log)


def test_a_history_that_is_too_large(isochron, kernel, tmp_path):
    log = tmp_path / "log"
    command = recording(isochron, kernel, log, "jit") + ["--snapshot-memory", "1K"]
    _, said = gdb_on(
        tmp_path, command, ["break record", "continue", "continue 60", "reverse-stepi", "monitor goto start", "continue", "kill"], symbols=kernel
    )
    assert said.count("--snapshot-memory gives more") == 2, said
    assert_replays(isochron, log)


@pytest.mark.parametrize("engine", ENGINES)
def test_stops_leave_no_trace_either(isochron, kernel, plain, tmp_path, engine):
    log = tmp_path / "log"
    _, said = gdb_on(
        tmp_path, recording(isochron, kernel, log, engine),
        ['monitor stop text "ok 2"', "monitor stop interrupt", "continue", "monitor stop delete 2", "continue"]
        + ["monitor stop delete 1", "monitor stop callpal rti after", "continue", "monitor stop delete all", "continue"],
        symbols=kernel,
    )  # fmt: skip
    for line in ("stop 2: interrupt", 'stop 1: text "ok 2"', "stop 3: callpal 0x3f rti, after, at 0x"):
        assert said.count(f"isochron: {line}") == 1, said
    assert log.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_gdb_writes_is_recorded(isochron, kernel, tmp_path, engine):
    log = tmp_path / "log"
    gdb_on(
        tmp_path, recording(isochron, kernel, log, engine),
        ["set $t0 = 5", "break record", "continue", "set $f3 = 1.5", "print *(long*)&clocks = 1000", "set $t3 = 0x1234"]
        + ["set var *(int*)($pc + 4) = *(int*)($pc + 4)", "delete", "continue"],
        symbols=kernel,
    )  # fmt: skip
    writes = events(isochron, log, "write")
    assert writes[0]["cycle"] == 0 and writes[0]["space"] == "register" and writes[0]["address"] == 1
    assert [(write["space"], write["address"]) for write in writes[1:]][0] == ("register", 35)
    clocks = next(write for write in writes if write["space"] == "memory")
    assert clocks["bytes"].encode("latin-1") == struct.pack("<Q", 1000)
    assert len({write["cycle"] for write in writes}) == 2
    assert_replays(isochron, log)
    assert [event for event in Log(log) if event.type == "write"][0].bytes == struct.pack("<Q", 5)
    result = run(isochron, "log", "dump", str(log), "--type", "write")
    assert re.search(r" write +R1 0x5$", result.stdout.decode(), re.M), result.stdout.decode()
    result = run(isochron, "query", str(log), "writes", "clocks")
    rows = [row for row in result.stdout.decode().splitlines() if "by a debugger" in row]
    assert len(rows) == 1 and " 0x3e8 " in rows[0] and rows[0].split()[0] == str(clocks["cycle"]), result.stdout
    # A replay in gdb is where the run was.
    text, _ = gdb(
        tmp_path, isochron, log,
        ["break record", "continue", "print *(long*)&clocks", "print/x $t3", "reverse-continue", "stepi", "print $t0"],
        symbols=kernel,
    )  # fmt: skip
    assert "$1 = 1000" in text and "$2 = 0x1234" in text and "$3 = 5" in text, text


def test_the_same_writes_make_the_same_log(isochron, kernel, tmp_path):
    logs = []
    for engine in ENGINES:
        logs.append(tmp_path / engine)
        gdb_on(
            tmp_path, recording(isochron, kernel, logs[-1], engine),
            ["break record", "continue 3", "set var *(long*)&clocks = 77", "kill"], symbols=kernel,
        )  # fmt: skip
    assert logs[0].read_bytes() == logs[1].read_bytes()
    (stop,) = events(isochron, logs[0], "stop")
    assert stop["cause"] == "quit"
    assert events(isochron, logs[0], "write")[0]["cycle"] == stop["cycle"]
    assert_replays(isochron, logs[0])


def test_code_that_is_written_is_what_runs(isochron, kernel, tmp_path):
    """A function that is returned from at once, in the middle of a run whose code is translated."""
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    where = address_of(client, "record")
    client.ask(f"Z0,{where},4")
    for _ in range(5):
        assert "thread" in client.resumed("vCont;c")
    client.ask(f"z0,{where},4")
    assert client.ask(f"M{where},4:0180fa6b") == "OK"  # ret (ra)
    assert client.ask(f"m{where},4") == "0180fa6b"
    client.ask(f"Z0,{int(where, 16) + 4:x},4")
    client.send(frame("vCont;c") + b"\x03")
    assert client.reply().startswith("T02"), "the old code runs"
    client.send(frame("k"))
    assert client.end()[0] == 0
    assert len(events(isochron, log, "write")) == 1
    assert_replays(isochron, log)


def test_what_cannot_be_written(isochron, kernel, tmp_path):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    assert client.ask("P1f=" + quadword(1)).startswith("E.")
    assert client.ask("P41=" + quadword(1)).startswith("E.")
    assert client.ask("P42=" + quadword(1)) == "E.there is no process yet"
    assert client.ask("P40=" + quadword(0x8782)).startswith("E.")
    assert client.ask("M700000000,1:00") == "E.0x700000000 is not mapped"
    assert client.ask("M1,0:") == "OK"
    client.ask(f"Z0,{address_of(client, 'record')},4")
    client.resumed("vCont;c")
    assert client.ask("Mfffffd01fc0003f8,1:00") == "E.0xfffffd01fc0003f8 is no RAM"
    assert client.ask("D") == "OK"
    assert client.end()[0] == 0
    assert events(isochron, log, "write") == []


@pytest.mark.parametrize("leave", ["detach", "close"])
def test_the_run_goes_on_when_gdb_has_gone(isochron, kernel, plain, tmp_path, leave):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    client.ask(f"Z0,{address_of(client, 'record')},4")
    assert "thread" in client.resumed("vCont;c")
    if leave == "detach":
        assert client.ask("D") == "OK"
    code, _ = client.end()
    assert code == 0
    assert log.read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("leave", ["D", "close"])
def test_who_leaves_in_the_past_leaves_the_run_where_it_was(isochron, kernel, plain, tmp_path, leave):
    """It goes on from its present, and what comes is what would have come."""
    log, console = tmp_path / "log", tmp_path / "console"
    client = LiveClient(
        isochron, "record", "-o", str(log), "--kernel", kernel, "--console", f"file:{console}", "--stats"
    ).connect()
    client.ask(f"Z0,{address_of(client, 'record')},4")
    for packet in ("vCont;c", "vCont;c", "vCont;c", "bc", "bs"):
        assert "thread" in client.resumed(packet)
    if leave == "D":
        assert client.ask("D") == "OK"
    code, said = client.end()
    assert code == 0
    assert log.read_bytes() == plain.read_bytes()
    assert console.read_bytes() == run(isochron, "replay", str(plain)).stdout
    stats = run(isochron, "run", "--kernel", kernel, "--console", "null", "--stats").stderr.decode()
    assert len({re.search(r"idle share \(%\) +(\S+)", text)[1] for text in (said, stats)}) == 1


def test_who_kills_in_the_past_ends_the_run_in_its_present(isochron, kernel, tmp_path):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    client.ask(f"Z0,{address_of(client, 'record')},4")
    for packet in ("vCont;c", "vCont;c", "vCont;c", "bc"):
        assert "thread" in client.resumed(packet)
    client.send(frame("qRcmd," + b"when".hex()))
    said = ""
    while (reply := client.reply()) != "OK":
        said += bytes.fromhex(reply[1:]).decode()
    here, back = (int(re.search(pattern, said)[1]) for pattern in (r"^cycle (\d+)", r"(\d+) cycles back"))
    client.send(frame("k"))
    assert client.end()[0] == 0
    (stop,) = events(isochron, log, "stop")
    assert (stop["cause"], stop["cycle"]) == ("quit", here + back)
    assert_replays(isochron, log)


@pytest.mark.parametrize("packet", ["k", "vKill;1"])
def test_kill_ends_the_run_in_order(isochron, kernel, tmp_path, packet):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    assert client.ask("!") == "OK"
    client.ask(f"Z0,{address_of(client, 'record')},4")
    client.resumed("vCont;c")
    client.send(frame(packet))
    code, said = client.end()
    assert code == 0 and "identity" in said
    assert len(events(isochron, log, "stop")) == 1
    assert_replays(isochron, log)


def test_ctrl_c_and_signals(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", console_guest, "--console", "null").connect()
    client.send(frame("vCont;c") + b"\x03")
    assert client.reply().startswith("T02thread:1;")
    client.process.send_signal(signal.SIGTERM)
    code, said = client.end()
    assert code == 128 + signal.SIGTERM
    assert "stopped by signal 15" in said and "identity" in said
    assert_replays(isochron, log)


def test_a_signal_while_nobody_comes(isochron, kernel, tmp_path):
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null")
    client.process.send_signal(signal.SIGINT)
    code, _ = client.end()
    assert code == 128 + signal.SIGINT
    assert_replays(isochron, log)


def test_run_without_a_log(isochron, kernel):
    client = LiveClient(isochron, "run", "--kernel", kernel).connect()
    client.ask(f"Z0,{address_of(client, 'record')},4")
    client.resumed("vCont;c")
    assert client.ask("P1=" + quadword(3)) == "OK"
    assert client.ask("p1") == quadword(3)
    before = client.ask("g")
    client.resumed("vCont;c")
    after = client.ask("g")
    assert "thread" in client.resumed("bc") and client.ask("g") == before
    assert client.ask("P1=" + quadword(4)).startswith("E.the past")
    assert "thread" in client.resumed("vCont;c") and client.ask("g") == after
    client.send(frame("k"))
    assert client.end()[0] == 0


def test_a_signal_in_the_past(isochron, kernel, tmp_path):
    """The run ends where it had come to."""
    log = tmp_path / "log"
    client = LiveClient(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null").connect()
    client.ask(f"Z0,{address_of(client, 'record')},4")
    client.resumed("vCont;c")
    client.resumed("vCont;c")
    client.resumed("bc")
    client.process.send_signal(signal.SIGTERM)
    code, said = client.end()
    assert code == 128 + signal.SIGTERM and "identity" in said
    (stop,) = events(isochron, log, "stop")
    assert stop["cause"] == "signal"
    assert_replays(isochron, log)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_branch(isochron, kernel, plain, tmp_path, engine):
    log = tmp_path / "branch"
    text, said = gdb(
        tmp_path, isochron, plain,
        ["break record", "continue", "continue 2", "reverse-continue", f"monitor branch {log}", "set var *(long*)&clocks = 500"]
        + ["print *(long*)&clocks", "reverse-continue", "print *(long*)&clocks", f"monitor branch {log}", "continue"]
        + ["print *(long*)&clocks", "delete", "continue", "reverse-continue"],
        "--engine", engine, symbols=kernel,
    )  # fmt: skip
    assert "$1 = 500" in text
    assert "from here on it is a run of its own" in said and "already" in said
    before, branched = (int(value) for value in re.findall(r"^\$[23] = (\d+)$", text, re.M))
    assert before < 500 == branched, text
    (write,) = events(isochron, log, "write")
    before = [event for event in events(isochron, plain) if event.get("cycle", 0) < write["cycle"]]
    assert events(isochron, log)[: len(before) - 1] == before[:-1]
    assert_replays(isochron, log)


def test_a_branch_of_nothing_new_is_the_same_log(isochron, kernel, plain, tmp_path):
    """Also from within a line of output, and from power-on."""
    for place in ("start", "cycle 5000001", "event 20", "instruction 400000"):
        log = tmp_path / "branch"
        gdb(tmp_path, isochron, plain, [f"monitor goto {place}", f"monitor branch {log}", "continue"], symbols=kernel)
        assert log.read_bytes() == plain.read_bytes(), place


def test_branches_that_cannot_be(isochron, kernel, plain, tmp_path):
    _, said = gdb(
        tmp_path, isochron, plain,
        ["monitor branch", f"monitor branch {plain}", "monitor branch /nonexistent/log", "monitor branch -"]
        + ["monitor goto end", f"monitor branch {tmp_path}/new"],
        symbols=kernel,
    )  # fmt: skip
    assert said.count("error: ") == 5, said
    assert "the log that is replayed" in said and "the recording ends here" in said and "a branch needs the name" in said
    assert not (tmp_path / "new").exists() and not (tmp_path / "new.partial").exists()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--gdb", "-"], "--gdb - has standard input and output to itself"),
        (["--gdb", "0", "--control", "fd:9"], "--gdb and --control exclude each other"),
        (["--symbols", "/dev/null"], "--snapshot-memory and --symbols need --gdb"),
        (["--snapshot-memory", "1G"], "--snapshot-memory and --symbols need --gdb"),
        (["--gdb", "unix:/nonexistent/socket"], "gdb cannot be waited for at /nonexistent/socket"),
    ],
)
def test_what_cannot_be(isochron, kernel, tmp_path, args, message):
    log = tmp_path / "log"
    result = run(isochron, "record", "-o", str(log), "--kernel", kernel, *args)
    assert result.returncode == 2
    assert message in result.stderr.decode()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written_ends_the_run_and_is_no_fault_of_its_past(isochron, console_guest, tmp_path):
    (tmp_path / "script").write_text('expect "ready"\nsend "l"\n')
    client = LiveClient(
        isochron, "record", "-o", str(tmp_path / "log"), "--kernel", console_guest, "--console", "null",
        "--script", str(tmp_path / "script"), "--checkpoint-interval", "1M",
    ).connect()  # fmt: skip
    resource.prlimit(client.process.pid, resource.RLIMIT_FSIZE, (16 << 10, 16 << 10))
    client.send(frame("vCont;c"))
    said = ""
    while (reply := client.reply()).startswith("O"):
        said += bytes.fromhex(reply[1:]).decode()
    assert "log.partial: File too large" in said
    # It can be gone back in, still.
    assert "begin" in client.resumed("bc")
    code, errors = client.end()
    assert code == 1 and errors.count("log.partial: File too large") == 1, errors
    assert "in the past" not in errors
