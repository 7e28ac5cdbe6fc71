"""Hunting: races that no boot by the fixed schedule shows are found, explained and replayed."""

import re
import subprocess

import pytest

from helpers.commands import run
from helpers.tree import HANG
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


def hunt_command(output, races, race, *options, schedule="pct:3", seeds="1-2000", more=()):
    command = ["hunt", "--seeds", seeds, "--schedule", schedule, "--fail", FAILURE, "--within", "20M", "-o", str(output)]
    return [*command, *options, "--", *machine(races, race), *more]


def hunt(isochron, *what, **how):
    return run(isochron, *hunt_command(*what, **how))


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


def test_each_run_begins_with_the_same_disk_and_nvram_and_logs_replay(isochron, races, tmp_path):
    disk, nvram = tmp_path / "disk", tmp_path / "nvram"
    disk.write_bytes(bytes(range(256)) * 256)
    nvram.write_text("isochron-nvram 1\nboot_osflags=kept\n")
    before = [(path.read_bytes(), path.stat().st_ino) for path in (disk, nvram)]
    more = ("--disk", str(disk), "--nvram", str(nvram))
    result = hunt(isochron, tmp_path / "hunt", races, "l", more=more)
    assert result.returncode == 3, result.stderr.decode()
    assert before == [(path.read_bytes(), path.stat().st_ino) for path in (disk, nvram)]
    logs = sorted((tmp_path / "hunt").glob("*.log"))
    assert len(logs) == 2
    for log in logs:
        header = Log(log).header
        assert [each["bytes"] for each in header["disks"]] == [65536]
        assert header["nvram"] == nvram.read_text()
        assert run(isochron, "replay", str(log)).returncode == 0
    # With something else there it is another hunt.
    nvram.write_text("isochron-nvram 1\nboot_osflags=other\n")
    assert b"another hunt" in hunt(isochron, tmp_path / "hunt", races, "l", more=more).stderr


def test_a_verdict_that_does_not_come_again_is_told_and_has_no_log(isochron, races, tmp_path):
    assert hunt(isochron, tmp_path, races, "l", "--no-explain").returncode == 3
    verdicts = tmp_path / "verdicts"
    lines = verdicts.read_text().splitlines()
    seed, fails, cycle, instructions = lines[-1].split()
    lines[-1] = f"{seed} {fails} {int(cycle) + 1} {instructions}"
    verdicts.write_text("\n".join(lines) + "\n")
    (tmp_path / f"{seed}.log").unlink()
    result = hunt(isochron, tmp_path, races, "l", "--no-explain")
    assert result.returncode == 1
    told = rf"{seed}\.log: is not written: the run .* fails and ends at cycle {cycle} .* now, and fails .* {int(cycle) + 1} "
    assert re.search(told, result.stderr.decode()), result.stderr.decode()
    assert not list(tmp_path.glob("*.log*"))


def test_how_far_an_explanation_is_is_told_behind_what_it_explains(isochron, races, tmp_path):
    command = [isochron, *hunt_command(tmp_path, races, "l", schedule="random:20-2K")]
    with (tmp_path / "told").open("wb") as told:
        subprocess.run(command, stdout=told, stderr=told, check=False, timeout=HANG)
    text = (tmp_path / "told").read_text()
    needed, of_all, runs = map(int, re.search(r"needs: (\d+) of (\d+) \((\d+) runs\)", text).groups())
    told = [tuple(map(int, each)) for each in re.findall(r"explaining: (\d+) switches, (\d+) runs", text)]
    assert told[0] == (of_all, 0)
    assert needed <= told[-1][0] < 2 * needed < of_all and told[-1][1] <= runs
    assert told == sorted(told, key=lambda each: (-each[0], each[1])), "fewer and fewer switches"
    assert text.index(" fails; the run ends") < text.index("explaining: ") < text.index("preemptions that it needs")


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
        (["--seeds", str(2**64 - 1)], [], "a seed is at most 18446744073709551614"),
        (["--seeds", f"1-{2**64 - 1}"], [], "a seed is at most 18446744073709551614"),
        (["--fail", "stop"], [], "--fail is an expect of the control language"),
        (["--fail", "expect /(/"], [], "--fail:1"),
        ([], ["--cpus", "1"], "a hunt needs --cpus of 2 or more"),
        ([], ["--schedule", "random:1"], "--schedule stands before --"),
        ([], ["--net", "user"], "--net: what comes from a network"),
        ([], ["--perf-map"], "--perf-map: a hunt runs many machines"),
        ([], ["--nvram", "."], ".: is no regular file"),
        ([], ["--outputs", "x"], "behind --: there is no option '--outputs'"),
        ([], ["--kernel", "/nowhere"], "/nowhere"),
    ],
)
def test_what_makes_no_hunt_is_refused_in_a_line(isochron, races, tmp_path, options, guest, why):
    given = {"--seeds": "1-3", "--schedule": "random", "--fail": FAILURE, "--within": "20M"}
    given |= dict(zip(options[::2], options[1::2]))
    words = [word for pair in given.items() for word in pair]
    rest = {"--kernel": races, "--cpus": "2"}
    for option in rest.keys() - guest:
        guest = [option, rest[option], *guest]
    result = run(isochron, "hunt", *words, "-o", str(tmp_path / "hunt"), "--", *guest)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert why in result.stderr.decode()
    assert not (tmp_path / "hunt").exists()
