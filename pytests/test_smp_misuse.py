"""Several CPUs used as nobody should: it ends as documented, on both engines in the same log, and never hangs the host."""

import re

import pytest

from helpers.commands import run
from helpers.guests import own_guest
from helpers.recordings import assert_replays

# For a guest that does not end.
LIMIT = "200M"


@pytest.fixture(name="misuse")
def runner(isochron, tmp_path):
    """misuse(HOW): how a recording of guest misuse ends, and what the guest printed, the same with both engines."""

    def record(how, *options, cpus=4, code=0, limit=LIMIT, end="the guest powered off"):
        seen = {}
        for engine in ("ref", "jit"):
            log = tmp_path / f"{engine}.log"
            result = run(
                isochron, "record", "--kernel", own_guest(isochron, "misuse"), "--append", how, "--cpus", str(cpus),
                "--max-cycles", limit, "--on-panic", "exit", "--engine", engine, "-o", str(log), *options,
            )  # fmt: skip
            assert result.returncode == code, result.stderr.decode()
            seen[engine] = result.stdout.decode(), log.read_bytes()
        assert seen["ref"] == seen["jit"]
        assert_replays(isochron, tmp_path / "jit.log", end, "--console", "null")
        assert "not ok" not in seen["ref"][0] and "Bail out!" not in seen["ref"][0], seen["ref"][0]
        return result.stderr.decode(), seen["ref"][0]

    return record


@pytest.mark.parametrize("cpus", [2, 4])
@pytest.mark.parametrize("options", [[], ["--schedule", "random:3:1-500"], ["--quantum", "1000000"]])
def test_a_cpu_starts_once(misuse, cpus, options):
    _, said = misuse("s", *options, cpus=cpus)
    assert f"1..{7 + cpus - 1 - 1}" in said


FATAL = "the guest could not go on: .*"


@pytest.mark.parametrize(
    "address, why",
    [
        ("1234567000", "entMM"),  # not mapped
        ("fffffd01fc000000", "entInt"),  # I/O space
        ("fffffc0080000000", "entInt"),  # behind RAM
        ("ffffffffffffffff", "entIF"),  # an entry of the page tables
    ],
)
def test_a_wild_start_names_the_cpu_and_its_registers(misuse, address, why):
    errors, _ = misuse(f"w{address}", code=4, end=FATAL)
    assert re.match(rf"isochron: the guest cannot go on: CPU 1: an exception before the kernel has set {why}: ", errors), errors
    assert re.search(r"\n  CPU 1 at cycle \d+ ", errors), errors
    # The restart routine's argument, which is its address.
    assert re.search(rf"R27 +{int(address, 16):016x}\b", errors), errors


def test_a_start_among_zeros_halts(misuse):
    _, said = misuse("wfffffc0008000000")
    assert said.startswith("ok 1 ")


def test_an_interrupt_storm_passes(misuse):
    errors, said = misuse("i", "--stats")
    assert len(re.findall("^ok ", said, re.MULTILINE)) == 4
    stats = dict(re.findall(r"^( *\S.*?)  +([\d.]+)$", errors, re.MULTILINE))
    each = [int(stats[f"  of CPU {cpu}"]) for cpu in range(4)]
    assert min(each) > 0 and sum(each) == int(stats["instructions"])
    assert int(stats["interrupts"]) >= 4 * 2000
    assert float(stats["idle share (%)"]) < 50


@pytest.mark.parametrize("how", ["I", "d"])
@pytest.mark.parametrize("options", [[], ["--schedule", "random:3:1-500"], ["--quantum", "1"]])
def test_what_never_ends_is_ended(misuse, how, options):
    # Short turns take their time.
    errors, _ = misuse(how, *options, code=5, limit="3M" if options else LIMIT, end="--max-cycles was reached")
    assert "--max-cycles" in errors


def test_all_can_halt(misuse):
    misuse("h")


def test_the_first_can_halt_while_others_go_on(misuse):
    _, said = misuse("p")
    assert said == "CPU 1 goes on\r\n"


@pytest.mark.parametrize("how", ["l", "n"])
def test_a_loop_without_end_is_one_when_no_cpu_can_end_it(misuse, how):
    errors, _ = misuse(how, code=4, end="the guest was in a loop without end")
    assert errors.startswith(
        "isochron: the guest cannot go on: all its CPUs are in loops without end, or stand still, and interrupts are off\n  CPU 0 "
    )


def test_a_driver_sees_each_cpu(isochron, machine):
    with machine(kernel=own_guest(isochron, "misuse"), append="d", cpus=3).run() as session:
        session.run("20M")
        stats = session.stats()
        session.stop()
    assert len(stats.cpus) == 3 and stats.instructions == sum(cpu.instructions for cpu in stats.cpus)
    assert {cpu.symbol.split("+")[0] for cpu in stats.cpus} == {"wait_for_next"}
    assert stats.pc == stats.cpus[0].pc and not any(cpu.waiting for cpu in stats.cpus)
