"""Questions about recordings of several CPUs: the same answers with either engine, and however many machines look for them."""

import json
import re
import subprocess

import pytest

from helpers.commands import run
from helpers.linux_guest import boot_arguments, conversation, run_script

ENGINES = ["ref", "jit"]
CPUS = 3
GUEST = {"kernel": "linux-smp"}


@pytest.fixture(name="log", scope="module")
def linux_log(isochron, tmp_path_factory):
    """Linux on three CPUs, up to its shell and a little work, with snapshots."""
    directory = tmp_path_factory.mktemp("smp")
    log = directory / "log"
    arguments = [*boot_arguments(**GUEST), "--cpus", str(CPUS), "--engine", "jit", "-o", str(log)]
    arguments += ["--snapshot-every", "16M", "--checkpoint-interval", "16M"]
    work = ["for n in 1 2 3 4; do (seq 1 60 | md5sum) & done; wait"]
    run_script(isochron, arguments, directory / "script", conversation(work), "record").check()
    return log


def lines(isochron, *words):
    result = run(isochron, *[str(word) for word in words])
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode().splitlines()


def end_of(isochron, log):
    return json.loads(lines(isochron, "log", "dump", "--json", log)[-1])["cycle"]


QUESTIONS = [
    ["writes", "jiffies_64"],
    ["executions", "vfs_write"],
    ["exceptions"],
    ["interrupts"],
    ["syscalls"],
    ["tlb-misses"],
    ["switches"],
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question[0])
def test_answers_are_those_of_any_engine_and_number_of_machines(isochron, log, question):
    begin = end_of(isochron, log) - 20_000_000
    ask = ["query", log, *question, "--from", begin]
    answer = lines(isochron, *ask, "--engine", "ref")
    assert len(answer) > 3
    assert lines(isochron, *ask, "--engine", "jit", "--jobs", "2") == answer
    cpus = [line.split()[1] for line in answer[1:]]
    if question[0] in ("interrupts", "switches", "tlb-misses"):
        assert set(cpus) == {str(cpu) for cpu in range(CPUS)}
        chosen = [line for line, cpu in zip(answer[1:], cpus) if cpu == cpus[-1]]
        assert lines(isochron, *ask, "--engine", "jit", "--cpu", cpus[-1])[1:] == chosen


def test_the_last_write_is_the_last_of_all(isochron, log):
    end = end_of(isochron, log)
    for before, more in ((end - 2_000_000, []), (end - 30_000_000, ["--jobs", "2"])):
        writes = lines(isochron, "query", log, "writes", "jiffies_64", "--to", before, "--from", before - 20_000_000, "--engine", "jit")
        last = lines(isochron, "query", log, "last-write", "jiffies_64", "--before", before, "--engine", "jit", *more)
        assert last[1:] == writes[-1:]


def test_parts_of_a_question_are_the_whole(isochron, log):
    ask = ["query", log, "switches", "--engine", "jit", "--from", end_of(isochron, log) - 80_000_000]
    parts = lines(isochron, *ask, "--part", "list")
    assert len(parts) > 3
    seen = "".join(line + "\n" for part in parts for line in lines(isochron, *ask, "--part", part))
    assert re.search(r"^\d+@2 ", seen, re.M)
    command = [isochron, *[str(word) for word in ask], "--part", "join"]
    joined = subprocess.run(command, input=seen, capture_output=True, text=True, check=True)
    assert joined.stdout.splitlines() == lines(isochron, *ask)


def test_a_trace_lists_the_turns_of_all(isochron, log):
    # Where those that wait are waked by their clocks.
    interrupts = lines(isochron, "query", log, "interrupts", "--from", end_of(isochron, log) - 12_000_000, "--engine", "jit")
    waked = int(interrupts[1].split()[0])
    ask = ["trace", log, "--from", waked - 20_000, "--to", waked + 20_000]
    listed = lines(isochron, *ask, "--engine", "ref")
    assert lines(isochron, *ask, "--engine", "jit") == listed
    for cpu in range(CPUS):
        own = [line for line in listed[1:] if line.split()[1] == f"cpu{cpu}"]
        # Each CPU's own time does not go back, and what waits is listed when it goes on.
        cycles = [int(line.split()[0]) for line in own]
        assert cycles == sorted(cycles)
    assert lines(isochron, *ask, "--engine", "jit", "--cpu", CPUS - 1)[1:] == own
    assert re.search(r"cpu[0-2] . 0x\w+ -- waits \d+ cycles", "\n".join(listed))
    found = [json.loads(line) for line in lines(isochron, *ask, "--engine", "jit", "--json")]
    assert [(step["cycle"], f"cpu{step['cpu']}") for step in found] == [
        (int(line.split()[0]), line.split()[1]) for line in listed[1:]
    ]


def test_a_profile_counts_all_and_each(isochron, log):
    end = end_of(isochron, log)
    ask = ["profile", log, "--from", end - 30_000_000, "--to", end - 10_000_000, "--json"]
    whole = lines(isochron, *ask, "--engine", "ref")
    assert lines(isochron, *ask, "--engine", "jit") == whole

    def counts(*more):
        rows = [json.loads(line) for line in lines(isochron, *ask, "--by", "mode", "--engine", "jit", *more)]
        return {row["mode"]: (row["cycles"], row["instructions"]) for row in rows}

    apart = [counts("--cpu", cpu) for cpu in range(CPUS)]
    for mode, (cycles, instructions) in counts().items():
        assert sum(one.get(mode, (0, 0))[0] for one in apart) == cycles
        assert sum(one.get(mode, (0, 0))[1] for one in apart) == instructions
    # Each has as much time as has passed.
    times = [sum(cycles for cycles, _ in one.values()) for one in apart]
    assert max(times) - min(times) < 1_000_000 and min(times) > 19_000_000


def test_a_report_has_a_lane_for_each(isochron, log, tmp_path):
    pages = []
    for more in (["--engine", "ref"], ["--engine", "jit", "--jobs", "2"]):
        page = tmp_path / "page.html"
        lines(isochron, "report", log, "-o", page, *more)
        pages.append(page.read_text())
    assert pages[0] == pages[1]
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', pages[0], re.S)[1])
    lanes = {lane["id"]: lane for lane in data["lanes"]}
    for cpu in range(CPUS):
        lane = lanes[f"cpu{cpu}"]
        assert sum(part["total"] for part in lane["parts"]) == data["cycles"]
    assert {call[2].split(":")[0] for call in data["slow"]} <= {f"CPU {cpu}" for cpu in range(CPUS)}


def test_a_cpu_that_is_not_there_is_refused(isochron, log):
    for command in (["query", log, "switches"], ["trace", log], ["profile", log]):
        result = run(isochron, *[str(word) for word in command], "--cpu", "3")
        assert result.returncode == 2
        assert "the machine of this log has CPUs 0 to 2; there is no CPU 3" in result.stderr.decode()
    result = run(isochron, "query", str(log), "last-write", "jiffies_64", "--cpu", "1")
    assert result.returncode == 2 and "--cpu goes with the others" in result.stderr.decode()
