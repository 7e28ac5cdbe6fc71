"""`isochron trace`: what a recording's guest executed, an instruction a line."""

import json

import pytest

from helpers.commands import assert_refused, run
from helpers.guests import own_guest
from helpers.recordings import dump, record
from isochron import engines


def trace(isochron, log, *args):
    result = run(isochron, "trace", str(log), *args)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def steps(isochron, log, *args):
    return [json.loads(line) for line in trace(isochron, log, "--json", *args).splitlines()]


def test_every_instruction_is_listed_with_what_it_did(isochron, looked_at):
    listed = steps(isochron, looked_at)
    end = dump(isochron, looked_at, "--type", "end")[0]
    executed = [step for step in listed if step["kind"] == "instruction"]
    assert len(executed) == end["instructions"]
    assert [step["cycle"] for step in listed] == sorted(step["cycle"] for step in listed)
    stores = [step for step in executed if step["symbol"] == "store"]
    assert [step["memory"]["value"] for step in stores] == [f"0x{value:016x}" for value in (1012, 1033, 1063)]
    for step in stores:
        assert step["memory"]["kind"] == "write" and step["memory"]["size"] == 8
        assert int(step["memory"]["va"], 16) & 0xFFFFFFFF == int(step["memory"]["pa"], 16)
    call = next(step for step in executed if step["symbol"] == "again+0xc")
    assert call["mode"] == "kernel" and call["text"].split()[0] == "bsr"
    assert call["registers"] == {"ra": next(s["pc"] for s in executed if s["symbol"] == "returned")}
    # A write of the value that was there is one, too.
    assert {"a2": "0x3"} in [step["registers"] for step in executed if step["symbol"] == "again+0x8"][1:]
    # What a device is sent is known, what it answers shows in the register.
    powers = [step for step in executed if step.get("memory", {}).get("va") == "0xfffffd0140000000"]
    assert powers[-1]["memory"]["value"] == "0x0000000000000001"


def test_exceptions_interrupts_and_waits_are_lines_of_their_own(isochron, looked_at):
    others = [step for step in steps(isochron, looked_at) if step["kind"] != "instruction"]
    interrupts = [event["cycle"] for event in dump(isochron, looked_at, "--type", "interrupt")]
    assert [step["cycle"] for step in others if step["kind"] == "interrupt"] == interrupts
    assert [(step["symbol"], step["to"]) for step in others if step["kind"] == "exception"] == [
        ("unaligned_load", "pal.unalign")
    ]
    assert [step["kind"] for step in others if step["kind"] != "exception"] == ["wait", "interrupt"] * 2
    assert all(step["cycles"] > 500_000 for step in others if step["kind"] == "wait")


def test_a_part_of_a_run_is_that_part(isochron, looked_at):
    whole = steps(isochron, looked_at)
    middle = steps(isochron, looked_at, "--from", "800", "--to", "900")
    assert middle == [step for step in whole if 800 <= step["cycle"] < 900]
    for mode in ("kernel", "pal", "user"):
        assert steps(isochron, looked_at, "--mode", mode) == [step for step in whole if step["mode"] == mode]
    assert steps(isochron, looked_at, "--mode", "pal", "--mode", "kernel") == whole
    assert steps(isochron, looked_at, "--cpu", "0") == whole
    assert steps(isochron, looked_at, "--asn", "5") == [step for step in whole if step["asn"] == 5] != []
    lines = trace(isochron, looked_at).splitlines()
    assert len(lines) == len(whole) + 1
    assert "add_up+0x8" in lines[1 + [step["symbol"] for step in whole].index("add_up+0x8")]


@pytest.mark.parametrize("name", ["looked_at", "mmu", "ieee_traps"])
def test_engines_list_the_same(isochron, looked_at, name, tmp_path):
    log = looked_at
    if name != "looked_at":
        log = tmp_path / "log"
        record(isochron, log, "--kernel", own_guest(isochron, name), "--console", "null")
    last = ["--from", "100000", "--to", "160000"] if name != "looked_at" else []
    for form in ([], ["--json"]):
        listings = {trace(isochron, log, "--engine", engine, *form, *last) for engine in engines(isochron)}
        assert len(listings) == 1 and listings.pop().count("\n") > 1000


def test_what_cannot_be_listed_is_refused(isochron, looked_at, tmp_path):
    for args, said in {
        ("--from", "2", "--to", "1"): "--from is behind --to",
        ("--from", "1G"): "--from is behind the end of the recording",
        ("--mode", "super"): "user, kernel or pal",
        ("--asn", "256"): "an ASN is 0 to 255",
        ("--cpu", "x"): "a CPU is a number",
        ("--cpu", "1"): "the machine of this log has one CPU, 0; there is no CPU 1",
        ("--symbols", str(tmp_path / "none")): "none",
    }.items():
        assert_refused(run(isochron, "trace", str(looked_at), *args), said)
    assert_refused(run(isochron, "trace", str(tmp_path / "absent")), "absent")
