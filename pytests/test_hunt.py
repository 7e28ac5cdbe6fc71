"""Hunting: races that no boot by the fixed schedule shows are found, explained and replayed."""

import re

import pytest

from helpers.commands import run
from isochron import Log

FAILURE = "expect /BUG: .*/"
# What a race is called on the guest's command line, what the guest says of it, and a function that matters.
RACES = {"l": ("lost update", "count_up"), "a": ("deadlock", "take_both"), "u": ("use after free", "sum_up")}


@pytest.fixture(name="races", scope="module")
def _races(build):
    """The kernel of conformance/guests/races.c."""
    return str(build / "guests" / "races.elf")


def machine(races, race):
    return ["--kernel", races, "--cpus", "2", "--memory", "16M", "--append", race]


def hunt(isochron, output, races, race, *options, schedule="pct:3", seeds="1-2000"):
    command = ["hunt", "--seeds", seeds, "--schedule", schedule, "--fail", FAILURE, "--within", "20M", "-o", str(output)]
    return run(isochron, *command, *options, "--", *machine(races, race))


def preemptions(text):
    """The table: cycle, CPU that stops, CPU that goes on, of each line."""
    return re.findall(r"^ *(\d+)  CPU (\d) at 0x\S+ .*->  CPU (\d) at 0x", text, re.MULTILINE)


@pytest.mark.parametrize("race", RACES)
def test_a_race_is_found_and_explained_and_its_log_replays(isochron, races, tmp_path, race):
    what, function = RACES[race]
    result = hunt(isochron, tmp_path, races, race)
    text = result.stdout.decode()
    assert result.returncode == 3, result.stderr.decode()
    seed = int(re.match(r"pct:(\d+):3:\d+ fails; the run ends at cycle \d+ ", text)[1])
    assert 1 <= seed <= 2000
    assert 1 <= len(preemptions(text)) <= 3, text
    assert function in text
    for name in (f"{seed}.log", f"{seed}-explained.log"):
        log = tmp_path / name
        replayed = run(isochron, "replay", str(log))
        assert replayed.returncode == 0, replayed.stderr.decode()
        assert f"BUG: {what}".encode() in replayed.stdout
    assert Log(tmp_path / f"{seed}-explained.log").header["schedule"].startswith("switches:")


@pytest.mark.parametrize("race", ["l", "u"])
def test_the_fixed_schedule_does_not_find_it_in_fifty_boots(isochron, races, tmp_path, race):
    """Each begins the race at another time."""
    for boot in range(50):
        arguments = machine(races, f"{race}{17 * boot}")
        result = run(isochron, "run", *arguments, "--max-cycles", "100M")
        assert result.stdout.decode().strip() == "all is well"


def test_random_turns_find_and_explain_as_well(isochron, races, tmp_path):
    """What sets the clocks of the CPUs so that they meet is needed, too."""
    result = hunt(isochron, tmp_path, races, "l", schedule="random:20-2K")
    text = result.stdout.decode()
    assert result.returncode == 3, result.stderr.decode()
    needed, of_all = map(int, re.search(r"preemptions that it needs: (\d+) of (\d+) ", text).groups())
    assert len(preemptions(text)) == needed < of_all
    assert "count_up" in text.splitlines()[1 + needed], text


def test_verdicts_are_the_same_whoever_works_and_where_it_was_interrupted(isochron, races, tmp_path):
    outputs = []
    for jobs in ("1", "4"):
        result = hunt(isochron, tmp_path / jobs, races, "u", "--all", "--jobs", jobs, "--no-explain", seeds="5-120")
        outputs.append(result.stdout.decode().replace(str(tmp_path / jobs), ""))
    verdicts = (tmp_path / "1" / "verdicts").read_bytes()
    assert verdicts.count(b"\n") == 117
    assert verdicts == (tmp_path / "4" / "verdicts").read_bytes()
    assert outputs[0] == outputs[1]
    # As if it had been killed while it wrote a line.
    (tmp_path / "1" / "verdicts").write_bytes(verdicts[: len(verdicts) // 2])
    result = hunt(isochron, tmp_path / "1", races, "u", "--all", "--no-explain", seeds="5-120")
    assert b"verdicts are known" in result.stderr
    assert (tmp_path / "1" / "verdicts").read_bytes() == verdicts
    assert result.stdout.decode().replace(str(tmp_path / "1"), "") == outputs[0]


def test_a_hunt_that_stops_at_the_first_has_the_same_verdicts_whoever_works(isochron, races, tmp_path):
    for jobs in ("1", "3"):
        assert hunt(isochron, tmp_path / jobs, races, "u", "--jobs", jobs, "--no-explain").returncode == 3
    assert (tmp_path / "1" / "verdicts").read_bytes() == (tmp_path / "3" / "verdicts").read_bytes()


def test_what_never_happens_is_not_found(isochron, races, tmp_path):
    command = ["hunt", "--seeds", "1-8", "--schedule", "random", "--fail", 'expect "no such text"', "--within", "20M"]
    result = run(isochron, *command, "-o", str(tmp_path), "--", *machine(races, "l"))
    assert (result.returncode, result.stdout) == (0, b"no schedule fails\n")


def test_the_verdicts_of_another_hunt_stay(isochron, races, tmp_path):
    hunt(isochron, tmp_path, races, "l", seeds="1-3")
    verdicts = (tmp_path / "verdicts").read_bytes()
    result = hunt(isochron, tmp_path, races, "u", seeds="1-3")
    assert result.returncode == 2
    assert b"holds verdicts of another hunt" in result.stderr
    assert (tmp_path / "verdicts").read_bytes() == verdicts


@pytest.mark.parametrize(
    "options, guest, why",
    [
        (["--schedule", "fixed"], [], "'fixed' is nothing to hunt with"),
        (["--schedule", "pct:0"], [], "a depth is from 1 to 64, not 0"),
        (["--schedule", "random:9-3"], [], "the least first"),
        (["--seeds", "9-3"], [], "'9-3' is not FIRST-LAST"),
        (["--fail", "stop"], [], "--fail is an expect of the control language"),
        (["--fail", "expect /(/"], [], "--fail:1"),
        ([], ["--cpus", "1"], "a hunt needs --cpus of 2 or more"),
        ([], ["--schedule", "random:1"], "--schedule stands before --"),
        ([], ["--net", "user"], "--net: what comes from a network"),
        ([], ["--outputs", "x"], "behind --: there is no option '--outputs'"),
        ([], ["--kernel", "/nowhere"], "/nowhere"),
    ],
)
def test_what_makes_no_hunt_is_refused_in_a_line(isochron, races, tmp_path, options, guest, why):
    given = {"--seeds": "1-3", "--schedule": "random", "--fail": FAILURE, "--within": "20M"}
    given |= dict(zip(options[::2], options[1::2]))
    words = [word for pair in given.items() for word in pair]
    rest = {"--kernel": races, "--cpus": "2"} | dict(zip(guest[::2], guest[1::2]))
    rest_words = [word for pair in rest.items() for word in pair]
    result = run(isochron, "hunt", *words, "-o", str(tmp_path / "hunt"), "--", *rest_words)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert why in result.stderr.decode()
    assert not (tmp_path / "hunt").exists()
