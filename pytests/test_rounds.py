"""The study of rounds: what CPUs share is counted, and what several cores would gain is reckoned from that."""

import json
import subprocess

import pytest

from conformance.bench import rounds_model
from conformance.tree import guest_path
from helpers.commands import run
from helpers.tree import HANG, ROOT

# Of a turn that the loops of the guest fill: more than a turn of each loop takes, less than a round of 1,000 cycles.
LOOP = 30
ROUNDS = 200


def study(build, log, *options):
    command = [str(build / "conformance" / "round_study"), str(log), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)


def record_sharing(isochron, build, log, words, *options):
    """conformance/guests/sharing.c, whose CPUs 1 to 3 read these words of a page."""
    guest = ["--kernel", str(build / "guests" / "sharing.elf"), "--append", words, "--memory", "16M"]
    result = run(isochron, "record", *guest, *(options or ["--cpus", "4", "--quantum", "1K"]), "--max-cycles", "3M", "-o", str(log))
    assert result.returncode == 5, result.stderr.decode()
    return log


# Which grains see that a word is read of which CPU 0 writes word 0, another number each time, and word 1, always the same.
SEEN = {"0": "page block byte value", "1": "page block byte", "2": "page block", "8": "page"}


@pytest.mark.parametrize("words", ["018", "210"])
def test_what_cpus_share_is_counted(isochron, build, tmp_path, words):
    log = record_sharing(isochron, build, tmp_path / "log", words)
    result = study(build, log, "--from", "sharing: begin", "--skip", "200000", "--rounds", str(ROUNDS))
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    rounds = rounds_model.rounds_of(found)
    assert found["rounds"] == len(rounds) == ROUNDS
    assert found["instructions"] == sum(turn.instructions for turns in rounds for turn in turns)
    assert all([turn.cpu for turn in turns] == [0, 1, 2, 3] for turns in rounds)
    # Events of devices and input points end rounds early.
    whole = [turns for turns in rounds if all(turn.instructions >= LOOP for turn in turns)]
    assert len(whole) > ROUNDS * 0.9
    for turns in whole:
        writer, *readers = turns
        assert (writer.pages_written, writer.blocks_written, writer.quadwords_written) == (1, 1, 2)
        assert writer.pages_read == 1  # of code
        assert LOOP / 3 < writer.stores < writer.instructions
        for turn, word in zip(readers, words):
            seen = [grain for grain in rounds_model.GRAINS if 0 <= rounds_model.conflict_of(turn, grain) < LOOP]
            assert " ".join(seen) == SEEN[word]
            assert (turn.pages_read, turn.pages_written, turn.stores) == (2, 0, 0)
        assert all(turn.device == -1 for turn in turns)
        assert rounds_model.conflict_of(writer, "page") == -1


@pytest.mark.parametrize(
    "options, words, why",
    [
        (["--cpus", "4"], ["--from", "never"], "nothing to measure: the console does not show 'never' so early"),
        (["--cpus", "2"], ["--skip", "1000000000"], "the run ends within the 1000000000 instructions that are skipped"),
        (
            ["--cpus", "4"],
            ["--from", "sharing", "--to", "begin", "--skip", "100000"],
            "the console shows 'begin' within the 100000 instructions that are skipped",
        ),
        (["--cpus", "1"], [], "only several CPUs by the schedule 'fixed' are measured"),
        (["--cpus", "2", "--schedule", "random:1"], [], "only several CPUs by the schedule 'fixed' are measured"),
        (["--cpus", "2"], ["--engine", "none"], "there is no engine 'none'; there is ref"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(isochron, build, tmp_path, options, words, why):
    result = study(build, record_sharing(isochron, build, tmp_path / "log", "000", *options), *words)
    assert result.returncode == 2
    assert why in result.stderr and result.stderr.count("\n") == 1


def test_a_load_is_measured(isochron, tmp_path):
    for guest in ("linux-smp", "smp-load"):
        guest_path(guest)
    command = [str(ROOT / "scripts/bench"), "rounds", "--isochron", str(isochron), "--runs", "1", "--json"]
    (tmp_path / "costs").write_text(json.dumps(FREE))
    command += ["--costs", str(tmp_path / "costs"), "--quanta", "65536", "--instructions", "2000000", "pipes"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["loads"]["pipes"]["65536"]
    assert found["rounds"] >= 2_000_000 / (4 * 65536)
    again = found["run again"]
    assert 1 >= again["page"] >= again["block"] >= again["byte"] >= again["value"] > 0
    assert 0 < found["speed"]["value, 4 cores"] <= found["most"] * 1.01


# What costs nothing, and instructions of a nanosecond each.
FREE = {"barrier": 0, "page copy": 0, "load": 1, "marked load": 1, "store": 1, "buffered store": 1, "buffered block": 0, "check": 0}
COLUMNS = ["round", "cpu", "instructions", "loads", "stores", "pages read", "pages written", "blocks read"]
COLUMNS += ["blocks written", "stale page", "page written again", "stale block", "stale byte", "stale value", "device"]
COLUMNS += ["interrupts changed", "lock lost", "horizon moved"]


def one_round(*turns):
    """Of so many instructions each, and what differs from a turn that has nothing to do with others."""
    rows = []
    for cpu, (instructions, changes) in enumerate(turns):
        row = dict.fromkeys(COLUMNS, 0) | dict.fromkeys(COLUMNS[9:15], -1)
        row |= {"round": 1, "cpu": cpu, "instructions": instructions, "loads": 10, "stores": 10} | changes
        rows.append([row[column] for column in COLUMNS])
    return rounds_model.rounds_of({"columns": COLUMNS, "turns": rows})


@pytest.mark.parametrize(
    "turns, cores, design, nanoseconds",
    [
        ([(100, {}), (80, {})], 2, "block", 100),
        ([(100, {}), (80, {})], 1, "block", 180),
        ([(100, {}), (80, {}), (50, {})], 2, "block", 130),
        ([(100, {}), (80, {}), (50, {}), (90, {})], 2, "block", 190),
        # Run again behind the first, of which the third knows nothing.
        ([(100, {}), (80, {"stale block": 60}), (50, {})], 3, "block", 180),
        ([(100, {}), (80, {"stale block": 60}), (50, {})], 3, "value", 100),
        # From the conflict on: 20 instructions.
        ([(100, {}), (80, {"stale value": 60})], 2, "value, rest", 120),
        ([(100, {}), (80, {"lock lost": 1})], 2, "value, rest", 180),
        ([(100, {}), (80, {"horizon moved": 1})], 2, "value, rest", 100),
        ([(100, {}), (80, {"horizon moved": 1})], 2, "value", 180),
        # It waits before the device for the first.
        ([(100, {}), (80, {"device": 30})], 2, "block", 150),
        ([(100, {"device": 30}), (80, {})], 2, "block", 100),
        # It has gone wrong before.
        ([(100, {}), (80, {"device": 30, "stale block": 20})], 2, "block", 180),
        ([(100, {}), (80, {"device": 30, "stale block": 40})], 2, "block", 150),
        # Where each has a core or turns come late, nobody is before them.
        ([(100, {}), (80, {"stale block": 0})], 1, "block", 180),
    ],
)
def test_the_model_has_turns_wait_and_run_again(turns, cores, design, nanoseconds):
    assert rounds_model.time_of(one_round(*turns), design, cores, FREE, 1.0) == pytest.approx(nanoseconds)


def test_the_model_counts_what_it_costs_to_look():
    turns = one_round((100, {}), (100, {"blocks read": 4, "blocks written": 5, "pages read": 3, "pages written": 2}))
    costs = FREE | {"barrier": 7, "marked load": 1.5, "buffered store": 3, "buffered block": 4, "check": 2}
    assert rounds_model.time_of(turns, "block", 2, costs, 1.0) == pytest.approx(100 + 10 * 0.5 + 10 * 2 + 4 * 2 + 5 * 4 + 7)
    costs = FREE | {"page copy": 300}
    assert rounds_model.time_of(turns, "page", 2, costs, 1.0) == pytest.approx(100 + 5 * rounds_model.REFILL + 2 * 300 * 2)
    alone = one_round((100, {}))
    assert rounds_model.time_of(alone, "page", 2, costs | {"barrier": 7}, 1.0) == pytest.approx(100)


def test_a_core_that_makes_a_turn_good_runs_no_other():
    turns = one_round((10, {}), *[(100, {"blocks written": 9})] * 3)
    costs = FREE | {"buffered block": 10}
    # The second core is at it from 100 to 190; the first has run and made good the third turn by 280, the last begins on the second.
    assert rounds_model.time_of(turns, "block", 2, costs, 1.0) == pytest.approx(380)


def test_what_a_host_takes_is_measured(build):
    result = subprocess.run([build / "conformance" / "host_costs"], capture_output=True, text=True, timeout=HANG, check=False)
    costs = json.loads(result.stdout)
    assert set(costs) == {*FREE, "cores"}
    assert all(value > 0 for name, value in costs.items() if name != "barrier" or costs["cores"] > 1)
