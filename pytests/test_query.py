"""`isochron query`: questions about a recording."""

import json
import subprocess

import pytest

from helpers.commands import assert_refused, run
from helpers.guests import own_guest
from helpers.recordings import dump, record, rewritten
from isochron import engines


@pytest.fixture(name="log")
def its_log(looked_at):
    return looked_at


@pytest.fixture(scope="module", name="symbols")
def addresses(looked_at_kernel):
    """Addresses of the kernel's symbols."""
    names = subprocess.run(["alpha-linux-gnu-nm", looked_at_kernel], stdout=subprocess.PIPE, text=True, check=True).stdout
    return {line.split()[2]: f"0x{line.split()[0]}" for line in names.splitlines()}


def lines(isochron, log, *args):
    """The output of a question, which all engines answer alike."""
    answers = set()
    for engine in engines(isochron):
        result = run(isochron, "query", str(log), *args, "--engine", engine)
        assert result.returncode == 0 and result.stderr == b"", result.stderr.decode()
        answers.add(result.stdout.decode())
    assert len(answers) == 1
    return answers.pop().splitlines()


def ask(isochron, log, *args):
    rows = [json.loads(line) for line in lines(isochron, log, *args, "--json")]
    assert [row["cycle"] for row in rows] == sorted(row["cycle"] for row in rows)
    assert len(lines(isochron, log, *args)) == len(rows) + 1
    return rows


def steps(isochron, log, *args):
    result = run(isochron, "trace", str(log), "--json", *args)
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def fields(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


TOTALS = ["0x3e8", "0x3f4", "0x409", "0x427"]


def test_writes_and_reads(isochron, log, symbols):
    stores = [step["cycle"] for step in steps(isochron, log) if step["symbol"] == "store"]
    writes = ask(isochron, log, "writes", "total")
    assert [row["cycle"] for row in writes] == stores
    assert fields(writes, "old", "new") == list(zip(TOTALS, TOTALS[1:]))
    assert {(row["pc"], row["place"], row["address"], row["size"], row["cpu"], row["asn"]) for row in writes} == {
        (symbols["store"], "store", symbols["total"], 8, 0, 0)
    }
    reads = ask(isochron, log, "reads", "total")
    assert fields(reads, "value", "place") == [(value, "add_up+0x4") for value in TOTALS[:3]]
    # A part of it, by its address, and where it lies in physical memory.
    part = ask(isochron, log, "writes", "total+1:1")
    assert fields(part, "cycle", "old", "new", "size") == [
        (stores[0], "0x3", "0x3", 1),
        (stores[1], "0x3", "0x4", 1),
        (stores[2], "0x4", "0x4", 1),
    ]
    physical = hex(int(symbols["total"], 16) & 0xFFFFFFFF)
    assert fields(ask(isochron, log, "writes", f"pa:{physical}"), "cycle", "new") == fields(writes, "cycle", "new")
    # What PALcode writes without a virtual address, and what only a device holds.
    assert {row["place"].split("+")[0] for row in ask(isochron, log, "writes", "pa:0x40000:128")} == {
        "pal.callpal_swpctx"
    }
    power = ask(isochron, log, "writes", "0xfffffd0140000000")
    assert fields(power, "old", "new", "place") == [(None, None, "power+0x8")]


def test_last_write(isochron, log):
    writes = ask(isochron, log, "writes", "total")
    assert ask(isochron, log, "last-write", "total") == writes[-1:]
    for i, row in enumerate(writes):
        assert ask(isochron, log, "last-write", "total", "--before", str(row["cycle"])) == writes[:i][-1:]
        assert ask(isochron, log, "last-write", "total", "--before", str(row["cycle"] + 1)) == [row]


def test_a_range_is_that_part_of_the_answers(isochron, log):
    for question in (["writes", "total"], ["executions", "store"], ["switches"], ["syscalls"]):
        rows = ask(isochron, log, *question)
        for first in range(len(rows)):
            for last in range(first, len(rows)):
                span = ["--from", str(rows[first]["cycle"]), "--to", str(rows[last]["cycle"])]
                assert ask(isochron, log, *question, *span) == rows[first:last]


def test_executions(isochron, log, symbols):
    calls = ask(isochron, log, "executions", "add_up")
    assert fields(calls, "a0", "a1", "a2", "v0") == [
        (f"0x{i:x}", f"0x{8 * i:x}", "0x3", TOTALS[i]) for i in (1, 2, 3)
    ]
    assert {(row["pc"], row["ra"], row["caller"]) for row in calls} == {
        (symbols["add_up"], symbols["returned"], "returned")
    }
    listed = steps(isochron, log)
    assert [row["cycle"] for row in calls] == [step["cycle"] for step in listed if step["symbol"] == "add_up"]
    assert [row["returned"] for row in calls] == [step["cycle"] for step in listed if step["symbol"] == "returned"]
    # What is in the middle of a function has no result.
    assert fields(ask(isochron, log, "executions", "add_up+4"), "v0", "returned") == [(None, None)] * 3
    assert len(ask(isochron, log, "executions", symbols["again"])) == 3
    assert len(ask(isochron, log, "executions", "callpal_callsys")) == 2


def test_exceptions(isochron, log, symbols):
    rows = ask(isochron, log, "exceptions")
    assert fields(rows, "entry", "pc", "mode") == [
        ("entUna", symbols["breakpoint"], "kernel"),
        ("entIF", hex(int(symbols["breakpoint"], 16) + 4), "kernel"),
    ]
    assert rows[0]["what"] == f"unaligned: opcode 0x29, register 1, address 0x{int(symbols['total'], 16) + 3:x}"
    assert rows[1]["what"] == "breakpoint"


def test_interrupts(isochron, log):
    rows = ask(isochron, log, "interrupts")
    assert [row["cycle"] for row in rows] == [event["cycle"] for event in dump(isochron, log, "--type", "interrupt")]
    assert fields(rows, "type", "vector", "place", "mode") == [("timer", "0x600", "wait+0x4", "kernel")] * 2


def test_system_calls(isochron, log, symbols):
    rows = ask(isochron, log, "syscalls")
    assert fields(rows, "number", "name", "a0", "result", "error", "pc") == [
        (20, "getxpid", "0x1", 42, False, symbols["first_system_call"]),
        (45, "open", "0x1000", 12, True, symbols["second_system_call"]),
    ]
    listed = steps(isochron, log)
    for row in rows:
        assert any(step["cycle"] == row["cycle"] and step["pc"] == row["pc"] for step in listed)
        end = row["cycle"] + row["cycles"]
        assert next(step for step in listed if step["cycle"] == end)["symbol"].startswith("on_system_call")


def test_switches(isochron, log, symbols):
    rows = ask(isochron, log, "switches")
    other = hex(int(symbols["other_process"], 16) & 0xFFFFFFFF)
    assert fields(rows, "from", "to", "asn", "place") == [
        ("0x40000", other, 5, "to_other"),
        (other, "0x40000", 0, "back"),
    ]


KSEG = "0xfffffc0000000000"
# A part of that guest's run, which is long.
PART = ["--from", "600000", "--to", "960000"]


def test_tlb_misses_are_those_that_happened(isochron, mmu):
    entries = {"pal.itb_miss", "pal.dtbm_single", "pal.dtbm_double_3"}
    listed = [step for step in steps(isochron, mmu, *PART) if step.get("to") in entries]
    rows = ask(isochron, mmu, "tlb-misses", *PART)
    assert fields(rows, "cycle", "pc", "mode") == fields(listed, "cycle", "pc", "mode") != []
    assert {row["what"] for row in ask(isochron, mmu, "tlb-misses")} == {"fetch", "load", "store", "page table"}


def test_all_writes_of_a_run_are_found(isochron, mmu):
    listed = [
        (step["cycle"], step["pc"], step["memory"]["pa"], int(step["memory"]["value"], 16))
        for step in steps(isochron, mmu, *PART)
        if step.get("memory", {}).get("kind") == "write" and int(step["memory"]["pa"], 16) < 1 << 26
    ]
    rows = ask(isochron, mmu, "writes", "pa:0:0x4000000", *PART)
    assert [(row["cycle"], row["pc"], int(row["new"], 16)) for row in rows] == [
        (cycle, pc, value) for cycle, pc, _, value in listed
    ] != []
    # Each finds what those before it left there.
    memory = {}
    for row, (_, _, pa, _) in zip(rows, listed):
        for i in range(row["size"]):
            old, new = (int(row[name], 16) >> 8 * i & 0xFF for name in ("old", "new"))
            assert memory.setdefault(int(pa, 16) + i, old) == old
            memory[int(pa, 16) + i] = new


def test_writes_by_virtual_address_know_what_was_there(isochron, mmu):
    """A virtual address has other memory behind it in each process: what was there before is looked up by going back."""
    written = [
        step
        for step in steps(isochron, mmu, *PART)
        if step.get("memory", {}).get("kind") == "write" and len(step["memory"]["va"] or KSEG) < len(KSEG)
    ]
    addresses_written = sorted({step["memory"]["va"] for step in written})[:3]
    assert addresses_written
    for address in addresses_written:
        physical = {step["memory"]["pa"] for step in written if step["memory"]["va"] == address}
        rows = ask(isochron, mmu, "writes", address, *PART)
        expected = [row for pa in physical for row in ask(isochron, mmu, "writes", f"pa:{pa}", *PART)]
        cycles = [row["cycle"] for row in rows]
        assert rows and fields(rows, "cycle", "old", "new") == fields(
            sorted((row for row in expected if row["cycle"] in cycles), key=lambda row: row["cycle"]),
            "cycle", "old", "new",
        )  # fmt: skip


def test_names_of_further_programs(isochron, log, looked_at_kernel):
    result = run(isochron, "query", str(log), "executions", "store", "--symbols", f"{looked_at_kernel}@0x100")
    assert_refused(result, "'store' is the name of several places: 0xfffffc")


def test_the_number_of_jobs_changes_no_answer(isochron, mmu, tmp_path):
    log = tmp_path / "log"
    every = ["--checkpoint-interval", "1M", "--snapshot-every", "1M"]
    record(isochron, log, "--kernel", own_guest(isochron, "mmu"), "--console", "null", *every)
    for question in (
        ["tlb-misses"],
        ["exceptions"],
        ["writes", "pa:0x10000:0x1000"],
        ["writes", "0x40000040:64"],
        ["executions", "pal.dtbm_single", "--from", "2M", "--to", "25M"],
        ["executions", "guest_main"],
        ["last-write", "0x40000040:64"],
        ["last-write", "pa:0x10180", "--before", "20M"],
    ):
        answer = run(isochron, "query", str(mmu), *question)
        assert answer.returncode == 0 and answer.stdout.count(b"\n") > 1, answer.stderr.decode()
        for jobs in ("1", "2", "5"):
            result = run(isochron, "query", str(log), *question, "--jobs", jobs)
            assert (result.returncode, result.stdout, result.stderr) == (0, answer.stdout, b"")
    assert_refused(run(isochron, "query", str(mmu), "syscalls", "--jobs", "2"), "--jobs needs snapshots")
    assert_refused(run(isochron, "query", "-", "syscalls", "--jobs", "2"), "must be a file then")


def test_a_run_that_leaves_its_log_is_told_of(isochron, conversation_log, tmp_path):
    """What was seen before it is certain, and is told."""
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")])
    for command in (["query", str(log), "executions", "put"], ["trace", str(log), "--from", "1M"]):
        for engine in engines(isochron):
            result = run(isochron, *command, "--engine", engine)
            assert result.returncode == 3
            assert result.stdout.count(b"\n") > 3
            assert b"[61][6X]" in result.stderr and result.stderr.startswith(b"isochron: ")


def test_questions_that_are_none(isochron, log, tmp_path):
    for args, said in {
        ("wonders",): "it is one of writes, reads,",
        ("writes",): "writes needs ADDRESS or a symbol",
        ("syscalls", "total"): "syscalls takes no place",
        ("writes", "totals"): "there is no symbol 'totals'",
        ("writes", "tota"): "there is no symbol 'tota'; there are total",
        ("writes", "total:0"): "has no bytes",
        ("writes", "total:x"): "'x' is not a number",
        ("writes", "0xffffffffffffffff:2"): "longer than the address space",
        ("executions", "0x1002"): "no address of code",
        ("executions", "add_up+2"): "no address of code",
        ("writes", "total", "--from", "1G"): "behind the end of the recording",
        ("writes", "total", "--before", "5"): "--before needs last-write",
        ("last-write", "total", "--from", "5"): "no --from and --to",
    }.items():
        assert_refused(run(isochron, "query", str(log), *args), said)
    assert_refused(run(isochron, "query", str(tmp_path / "absent"), "syscalls"), "absent")
