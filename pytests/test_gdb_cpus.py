"""Several CPUs in gdb: a thread for each, forwards and backwards, in a recording and in a run that is made."""

import re

import pytest

from helpers.commands import run
from helpers.gdb import gdb, gdb_on, repeated
from isochron import Log, Timeline, Watch

ENGINES = ["ref", "jit"]
SCHEDULES = ["fixed", "random:3:1-60"]
WHERE = 'printf "thread %d at %lx\\n", $_thread, $pc'


@pytest.fixture(name="races", scope="module")
def _races(build):
    """The kernel of conformance/guests/races.c, in which two CPUs count up without a lock."""
    return str(build / "guests" / "races.elf")


def machine(races, schedule):
    return ["--kernel", races, "--cpus", "2", "--memory", "16M", "--append", "l", "--schedule", schedule, "--quantum", "4K"]


@pytest.fixture(name="log", scope="module", params=SCHEDULES)
def recording(isochron, races, tmp_path_factory, request):
    log = tmp_path_factory.mktemp("races") / "log"
    result = run(isochron, "record", "-o", str(log), *machine(races, request.param), "--console", "null")
    assert result.returncode == 0, result.stderr.decode()
    return log


def places(text):
    return re.findall(r"^thread (\d) at (\w+)$", text, re.M)


@pytest.fixture(name="session")
def _session(isochron, races, log, tmp_path):
    """What gdb and the target say to the same commands, which is the same with either engine."""

    def said_to(lines):
        said = [gdb(tmp_path, isochron, log, lines, "--engine", engine, symbols=races) for engine in ENGINES]
        assert said[0] == said[1]
        return said[0]

    return said_to


def test_each_cpu_is_a_thread_that_breakpoints_name_and_reverse_execution_finds(session):
    hits = 60  # all
    text, said = session(
        ["break count_up", *repeated(hits, "continue", WHERE), "info threads"]
        + [*repeated(hits - 1, "reverse-continue", WHERE), "delete", "reverse-continue", "monitor when"]
    )
    seen = places(text)
    assert len(seen) == 2 * hits - 1
    assert {thread for thread, _ in seen} == {"1", "2"}
    assert len({pc for _, pc in seen}) == 1
    assert seen[hits:] == seen[: hits - 1][::-1]
    assert "CPU 0" in text and "CPU 1" in text
    assert "No more reverse-execution history." in text
    assert re.search(r"^cycle 0 .*\n  CPU 0: cycle 0, .*\n  CPU 1: cycle 0, ", said, re.M), said


def test_a_watchpoint_names_who_has_referred(session):
    hits = 24
    text, _ = session(
        ["break count_up", "continue", "delete", "awatch *(long *)&counter", *repeated(hits, "continue", WHERE)]
        + [*repeated(hits, "reverse-continue", WHERE)]
    )
    seen = places(text)
    assert len(seen) == 2 * hits
    assert text.count("Hardware access (read/write) watchpoint 2") == 2 * hits + 1
    # Forwards behind the reference, backwards in front of it.
    assert [thread for thread, _ in seen[hits:]] == [thread for thread, _ in seen[:hits]][::-1]
    assert [int(pc, 16) + 4 for _, pc in seen[hits:]] == [int(pc, 16) for _, pc in seen[:hits]][::-1]


def test_a_step_is_of_the_thread_that_steps(session):
    steps = 20
    text, said = session(
        ["monitor step exact", "break come_to", "continue", "delete", "thread 2"]
        + [*repeated(steps, WHERE, "monitor when", "stepi"), *repeated(steps, "reverse-stepi", WHERE, "monitor when")]
        + ["thread 1", *repeated(steps, WHERE, "monitor when", "stepi"), *repeated(steps, "reverse-stepi", WHERE, "monitor when")]
    )
    seen = places(text)
    instructions = [
        [int(count) for count in re.findall(rf"^[* ] CPU {cpu}: cycle \d+, instruction (\d+),", said, re.M)] for cpu in (0, 1)
    ]
    assert len(seen) == 4 * steps == len(instructions[0])
    for part, cpu in ((slice(0, 2 * steps), 1), (slice(2 * steps, None), 0)):
        turn, counts = seen[part], instructions[cpu][part]
        assert {thread for thread, _ in turn} == {str(cpu + 1)}
        assert turn[steps:] == turn[:steps][::-1]
        assert counts[:steps] == list(range(counts[0], counts[0] + steps))
        assert counts[steps:] == counts[:steps][::-1]


def test_monitor_is_about_the_thread_that_is_looked_at(session):
    text, said = session(
        ["break count_up", "continue", "thread 2", "info registers pc", "monitor ipr", "monitor stats", "thread 1", "info registers pc"]
        + ["monitor tlb", "monitor goto instruction 900 cpu 1", "monitor goto cycle 280000 cpu 0", "monitor goto round"]
        + ["monitor goto instruction 5 cpu 2", "monitor translate counter", "monitor events", "monitor goto event 0", "monitor console"]
    )
    assert text.count("pc  ") == 2
    assert "CPU 1\n" in said and "CPU 0\nASN" in said
    assert re.search(r"CPU 1: cycle \d+, instruction 900,", said)
    assert re.search(r"^\* CPU 0: cycle 28\d{4},", said, re.M)
    assert "between rounds" in said and "there is no CPU 2" in said


@pytest.mark.parametrize("engine", ENGINES)
def test_looking_leaves_no_trace_and_what_is_written_replays(isochron, races, tmp_path, engine):
    schedule = SCHEDULES[1]
    plain, log = tmp_path / "plain", tmp_path / "log"
    assert run(isochron, "record", "-o", str(plain), *machine(races, schedule), "--console", "null").returncode == 0
    command = [isochron, "record", "-o", log, *machine(races, schedule), "--console", "null", "--engine", engine, "--gdb", "-"]
    look = ["break count_up", *repeated(5, "continue"), "stepi", "reverse-stepi", "thread 2", "stepi", *repeated(3, "reverse-continue")]
    text, _ = gdb_on(tmp_path, command, [*look, "delete", "continue", "monitor when"], symbols=races)
    assert "Breakpoint 1, " in text
    assert log.read_bytes() == plain.read_bytes()

    # Inside a round nothing can be written.
    text, said = gdb_on(
        tmp_path, command,
        [*look, "monitor goto end", "maintenance flush register-cache"]
        + ["python", "try: gdb.execute('set var *(long *)&counter = 1000')", "except gdb.error as error: print(error)", "end"]
        + ["monitor goto round", "maintenance flush register-cache", "set var *(long *)&counter = 1000", "thread 2"]
        + ["set var $t12 = 5", "delete", "continue"],
        symbols=races,
    )  # fmt: skip
    assert "inside a round of several CPUs" in text + said
    writes = [event for event in Log(log) if event.type == "write"]
    assert [write.cpu for write in writes] in ([0, 1], [1, 1]), writes
    for replaying in ENGINES:
        result = run(isochron, "replay", str(log), "--engine", replaying, "--console", "null")
        assert result.returncode == 0, result.stderr.decode()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_timeline_has_cpus(isochron, races, log, engine):
    with Timeline(log, engine=engine, kernel=races, program=isochron) as timeline:
        for _ in range(8):
            stop = timeline.run(watches=[Watch("counter")])
            behind = stop.place
            assert behind == timeline.place(stop.cpu)
            before = timeline.last_write("counter")
            assert before.cpu == stop.cpu and before.symbol.startswith("count_up")
            assert timeline.registers()["pc"] == before.pc == timeline.registers(cpu=stop.cpu)["pc"]
            other = timeline.registers(cpu=1 - stop.cpu)
            assert other["pc"] == timeline.place(1 - stop.cpu).pc
            assert timeline.step().cpu == stop.cpu
            assert timeline.read("counter", cpu=0) == timeline.read("counter", cpu=1)
            for cpu in (0, 1):
                timeline.registers(cpu=1 - cpu)
                assert timeline.monitor("ipr", cpu).startswith(f"CPU {cpu}\n")
            assert timeline.monitor("ipr").startswith(f"CPU {stop.cpu}\n")
        there = timeline.goto(instruction=900, cpu=1)
        assert timeline.step(3, cpu=1).pc != there.pc
        assert timeline.reverse_step(3, cpu=1) == there
