"""The Python driver's Timeline: a recording to go through, forwards and backwards, on each engine."""

import os
import pathlib
import signal
import subprocess

import pytest

from helpers.commands import run
from helpers.guests import own_guest
from isochron import Disk, IsochronError, Machine, RequestError, StopAt, Timeline, Unresponsive, Watch, engines
from isochron.remote import Stub


@pytest.fixture
def started(monkeypatch):
    """The processes that have been started."""
    processes = []

    class Noted(subprocess.Popen):
        """Is noted."""

        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            processes.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    return processes


def assert_gone(process):
    """Ended and waited for: nothing has its number."""
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


@pytest.fixture(params=["ref", "jit"])
def timeline(request, isochron, tmp_path):
    """A recording of the guest that reads its clocks."""
    if request.param not in engines(isochron):
        pytest.skip(f"{isochron} has no engine {request.param}")
    kernel, log = own_guest(isochron, "timers"), tmp_path / "log"
    recorded = run(isochron, "record", "-o", str(log), "--kernel", kernel, "--console", "null", "--max-cycles", "100M")
    assert recorded.returncode == 5, recorded.stderr
    with Timeline(log, engine=request.param, program=isochron) as opened:
        yield opened


def test_goes_anywhere_and_back(timeline):
    start = timeline.place()
    assert (start.cycle, start.instruction, start.event, start.pal_mode) == (0, 0, 0, True)
    here = timeline.goto(cycle=40_000_000)
    assert 40_000_000 <= here.cycle < 40_010_000
    registers = timeline.registers()
    assert registers["pc"] & ~3 == here.pc and registers["r31"] == 0 and len(registers) == 66
    places = [here] + [timeline.step() for _ in range(30)]
    assert [place.instruction for place in places[1:]] == list(range(places[1].instruction, places[1].instruction + 30))
    for place in reversed(places[1:-1]):
        assert timeline.reverse_step() == place
    assert timeline.goto(instruction=places[20].instruction) == places[20]
    assert timeline.goto(cycle=here.cycle) == here and timeline.registers() == registers
    assert timeline.goto_end().cycle >= 100_000_000
    assert timeline.goto_start() == start == timeline.reverse_step()
    with pytest.raises(TypeError):
        timeline.goto(cycle=1, event=1)


def test_runs_to_places_in_both_directions(timeline):
    main = timeline.address("guest_main")
    first = timeline.run(["guest_main"])
    assert first.reason == "breakpoint" and first.place.pc == main and first.place.symbol.startswith("guest_main")
    timeline.goto_end()
    last = timeline.reverse_continue([main])
    assert (last.reason, last.place) == ("breakpoint", first.place)
    assert timeline.reverse_continue([main]).reason == "begin"
    assert timeline.run([main]).place == first.place
    assert timeline.run().reason == "end"


def test_stops_at_what_happens(timeline):
    third, byte = StopAt("text", "\nok 3"), StopAt("console")
    first = timeline.run(stops=[StopAt("interrupt"), third, byte, StopAt("text", "o")])
    assert first.reason == "stop" and first.stops == (byte, StopAt("text", "o"))
    assert timeline.console() == "o\n"
    there = timeline.run(stops=[third])
    assert there.stops == (third,) and timeline.console().endswith("\nok 3\n")
    assert there.message == 'isochron: stop 5: text "\\nok 3"\n'
    assert timeline.run(stops=[third, StopAt("syscall", 4, when="after", asn=3)]).reason == "end"
    last = timeline.reverse_continue(stops=[third, StopAt("checkpoint")])
    assert (last.stops, last.place) == ((third,), there.place)
    assert timeline.reverse_continue(["guest_main"], stops=[third]).reason == "breakpoint"
    assert timeline.monitor("stops") == "there are no stops\n"
    with pytest.raises(RequestError, match="no system call of Linux is called 'nonsense'"):
        timeline.run(stops=[StopAt("syscall", "nonsense")])


def test_finds_the_last_write(timeline):
    timeline.run(["guest_main"])
    stack = timeline.registers()["r30"]
    timeline.goto(cycle=timeline.place().cycle + 20_000)
    watched = Watch(stack - 64, 64)
    write = timeline.reverse_continue(watches=[watched])
    assert write.reason == "watchpoint" and stack - 64 <= write.address < stack
    before = timeline.read(stack - 64, 64)
    behind = timeline.run(watches=[watched])
    assert behind.reason == "watchpoint" and behind.place.instruction == write.place.instruction + 1
    assert len(timeline.read(stack - 64, 64)) == len(before) == 64
    assert timeline.last_write(stack - 64, 64) == write.place
    timeline.goto(cycle=1000)
    assert timeline.last_write(0xFFFFFC0000700000) is None
    assert timeline.place().cycle == 0


def test_what_cannot_be_done_is_refused(timeline, isochron, tmp_path):
    with pytest.raises(RequestError, match="nonsense"):
        timeline.address("nonsense")
    with pytest.raises(RequestError):
        timeline.read(0x1234567890, 8)
    with pytest.raises(RequestError):
        timeline.monitor("goto cycle nowhere")
    # It is there still.
    assert timeline.place().cycle == 0
    (tmp_path / "other").write_text("no log")
    with pytest.raises(IsochronError, match="exit code 2\n.*other"):
        Timeline(tmp_path / "other", program=isochron)


@pytest.mark.parametrize("engine", ["ref", "jit"])
def test_a_session_has_a_timeline_of_what_it_has_recorded(isochron, tmp_path, engine):
    """Of several places of one run; it stands where the guest does, and the log has nothing of it."""
    if engine not in engines(isochron):
        pytest.skip(f"{isochron} has no engine {engine}")
    machine = Machine(kernel=own_guest(isochron, "timers"), engine=engine, program=isochron)
    with machine.record(tmp_path / "plain") as session:
        session.expect("ok 3")
        session.run(20_000_000)
    with machine.record(tmp_path / "log") as session:
        session.expect("ok 3")
        before = session.stats()
        with session.timeline() as timeline:
            here = timeline.place()
            assert (here.cycle, here.pc) == (before.cycle, before.pc & ~3)
            assert here.instruction == before.instructions
            registers = timeline.registers()
            assert registers["r30"] == session.inspect("cpu0.r[30]")["cpu0.r[30]"]
            assert "ok 3" in timeline.console()
            assert timeline.reverse_step().instruction == here.instruction - 1
            assert timeline.step() == here
            stack = registers["r30"]
            write = timeline.last_write(stack - 64, 128)
            assert write is not None and write.cycle < here.cycle
            first = timeline.reverse_continue(["guest_main"])
            assert first.reason == "breakpoint"
            assert timeline.run().reason == "end" and timeline.place() == here
            # The guest goes on meanwhile, and knows of nothing.
            assert session.stats() == before
            session.run(10_000_000)
            assert timeline.goto(cycle=here.cycle + 1) == here
        with session.timeline(symbols=[]) as timeline:
            assert timeline.place().cycle == session.stats().cycle > here.cycle + 9_000_000
        session.run(10_000_000)
    assert (tmp_path / "log").read_bytes() == (tmp_path / "plain").read_bytes()


def test_what_is_not_recorded_has_no_timeline(isochron):
    with Machine(kernel=own_guest(isochron, "timers"), program=isochron).run() as session:
        with pytest.raises(RequestError):
            session.timeline()
        session.run(1_000_000)


@pytest.mark.parametrize("at", ["QStartNoAckMode", "qSupported", "qRcmd"])
def test_what_is_left_on_the_way_to_a_timeline_leaves_no_process(isochron, tmp_path, monkeypatch, started, at):
    def interrupted(self, body, send=Stub._send):  # pylint: disable=protected-access
        send(self, body)
        if body.startswith(at):
            raise KeyboardInterrupt

    monkeypatch.setattr(Stub, "_send", interrupted)
    with Machine(kernel=own_guest(isochron, "timers"), program=isochron).record(tmp_path / "log") as session:
        session.run(10_000_000)
        with pytest.raises(KeyboardInterrupt):
            session.timeline()
        ours, its = started
        assert ours is session.process
        assert_gone(its)
        session.run(10_000_000)


def test_the_patience_of_a_session_is_that_of_its_timeline(isochron, tmp_path, monkeypatch, started):
    def hang(self, command):
        os.kill(self.pid, signal.SIGSTOP)
        return monitor(self, command)

    monitor = Stub.monitor
    monkeypatch.setattr(Stub, "monitor", hang)
    with Machine(kernel=own_guest(isochron, "timers"), program=isochron).record(tmp_path / "log") as session:
        session.run(10_000_000)
        session.patience = 10
        with pytest.raises(Unresponsive, match="no answer within 10 s"):
            session.timeline()
        session.patience = None
        assert_gone(started[1])
        assert started[1].returncode == -signal.SIGKILL


def test_a_program_that_is_gone_is_told_of(timeline, isochron, tmp_path, started):
    with Timeline(tmp_path / "log", program=isochron) as other:
        started[0].kill()
        os.waitid(os.P_PID, started[0].pid, os.WEXITED | os.WNOWAIT)
        for _ in range(2):
            with pytest.raises(IsochronError, match="ended with exit code -9"):
                other.place()
        assert_gone(started[0])
    assert timeline.place().cycle == 0


@pytest.mark.parametrize("options", [["--engine=jit"], ["--engine", "jit"]], ids=" ".join)
def test_a_timeline_has_the_engine_of_its_session(isochron, tmp_path, started, options):
    if "jit" not in engines(isochron):
        pytest.skip(f"{isochron} has no engine jit")
    started.clear()
    machine = Machine(kernel=own_guest(isochron, "timers"), options=options, program=isochron)
    with machine.record(tmp_path / "log") as session:
        session.run(10_000_000)
        with session.timeline():
            words = pathlib.Path(f"/proc/{started[1].pid}/cmdline").read_text().split("\0")
            assert words[words.index("--engine") + 1] == "jit"


def test_what_a_recording_does_not_tell_of_is_not_known(isochron, tmp_path):
    """`known_to` too far is a mistake of who gives it, no difference of the run; a log with its end has no need of it."""
    with Machine(kernel=own_guest(isochron, "timers"), program=isochron).record(tmp_path / "log") as session:
        session.run(1_000_000)
        session.save(tmp_path / "copy")
    with Timeline(tmp_path / "copy", known_to=100_000_000, program=isochron) as timeline:
        with pytest.raises(RequestError, match=r"does not tell of cycle \d+ .*; is --known-to right\?"):
            timeline.goto_end()
        assert 1_000_000 <= timeline.goto(cycle=1_000_000).cycle < 1_010_000
        assert timeline.goto_start().cycle == 0
    with pytest.raises(IsochronError, match="exit code 2\n.*log: the log tells of the run to its end: leave --known-to"):
        Timeline(tmp_path / "log", known_to=20_000_000, program=isochron)


def test_a_run_that_commits_its_disk_has_no_timeline(isochron, tmp_path):
    """Nobody else may read the image meanwhile, and that is said. The run goes on."""
    (tmp_path / "disk").write_bytes(bytes(1 << 20))
    disk = Disk(tmp_path / "disk", commit=True)
    machine = Machine(kernel=own_guest(isochron, "timers"), disks=[disk], program=isochron)
    with machine.record(tmp_path / "log") as session:
        session.run(10_000_000)
        with pytest.raises(IsochronError, match="exit code 2\n.*disk: somebody else is going to write to it"):
            session.timeline()
        session.run(10_000_000)


def test_a_run_of_several_cpus_has_a_timeline_too(isochron, tmp_path):
    machine = Machine(kernel=own_guest(isochron, "timers"), cpus=2, program=isochron)
    with machine.record(tmp_path / "log") as session:
        session.run(10_000_000)
        with session.timeline() as timeline:
            end = timeline.goto_end()
            assert end.cycle >= 10_000_000
            assert timeline.registers(cpu=1)["pc"] == timeline.place(1).pc
            assert timeline.reverse_step(cpu=0).instruction < end.instruction
        session.run(10_000_000)
