"""`isochron profile`: what a recording's guest spent its instructions and cycles on."""

import collections
import json
import re
import subprocess

import pytest

from helpers.commands import assert_refused, run
from helpers.guests import build_kernel, own_guest
from helpers.recordings import dump, record, recorded
from isochron import engines

# Instructions of each function of guests/profiled.S, as its source has them.
INSTRUCTIONS = {
    "main": 2 + (1 + 100 * 3) + 2 + (1 + 7 * 3) + (1 + 5 * 3) + (1 + 3 * 3) + 2 + 3 + 3,
    "leaf": 5 * (100 + 1),
    "down": 8 * 10 + 6,
    "hop": 2 * 7,
    "landing": 2 * 7,
    "outer": 9 * 5,
    "inner": 3 * 5,
    "deepest": 3 * 5,
    "switch_to": 6 * 2,
    "on_breakpoint": 3,
    "on_system_call": 2,
    "on_interrupt": 8 * 3,
    "pal.callpal_bpt": 3 * 3,
}
# The same by stack, below main.
STACKS = {
    "leaf": 5 * 100,
    **{";".join(["down"] * depth): 8 for depth in range(1, 11)},
    ";".join(["down"] * 11): 6,
    "hop": 2 * 7,
    "landing": 2 * 7,
    "outer": 9 * 5,
    "outer;inner": 3 * 5,
    "outer;inner;deepest": 3 * 5,
    "[exception];on_breakpoint": 3,
    "[system call];on_system_call": 2,
    "wait_for_clock;[interrupt];on_interrupt": 8 * 2,
    "poll_for_clock;[interrupt];on_interrupt": 8,
    "change_process;switch_to": 6,
}


@pytest.fixture(scope="module", name="profiled")
def recorded_guest(isochron, tmp_path_factory):
    """The log of guests/profiled.S."""
    directory = tmp_path_factory.mktemp("profiled")
    return recorded(isochron, build_kernel(directory / "kernel", ["pytests/guests/profiled.S"]), directory)


def profile(isochron, log, *args):
    result = run(isochron, "profile", str(log), *args)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout.decode()


def rows(isochron, log, *args):
    return [json.loads(line) for line in profile(isochron, log, "--json", *args).splitlines()]


def folded(isochron, log, *args):
    lines = profile(isochron, log, "--format", "folded", *args).splitlines()
    return {stack: int(value) for stack, value in (line.rsplit(" ", 1) for line in lines)}


def witness(isochron, log, *args):
    """Instructions and cycles by PC, mode and ASN, and cycles of waiting, counted in the lines of a trace."""
    result = run(isochron, "trace", str(log), "--json", *args)
    assert result.returncode == 0, result.stderr.decode()
    steps = [json.loads(line) for line in result.stdout.splitlines()]
    counts = {by: collections.Counter() for by in ("pc", "mode", "cycles")}
    for step, following in zip(steps, steps[1:]):
        cycles = following["cycle"] - step["cycle"]
        if step["kind"] == "instruction":
            counts["pc"][step["pc"]] += 1
            counts["mode"][step["mode"]] += 1
            counts["cycles"][step["pc"]] += cycles
        else:
            # An entry of PALcode counts where that begins.
            counts["cycles"]["idle" if step["kind"] == "wait" else following["pc"]] += cycles
    if steps[-1]["kind"] == "instruction":
        counts["pc"][steps[-1]["pc"]] += 1
        counts["mode"][steps[-1]["mode"]] += 1
    return steps, counts


def test_counts_are_what_the_source_of_the_guest_says(isochron, profiled):
    for engine in engines(isochron):
        check_counts(isochron, profiled, engine)


def check_counts(isochron, profiled, engine):
    counted = collections.Counter()
    for row in rows(isochron, profiled, "--engine", engine):
        counted[row["function"]] += row["instructions"]
    assert {name: counted[name] for name in INSTRUCTIONS} == INSTRUCTIONS
    end = dump(isochron, profiled, "--type", "end")[0]
    assert sum(counted.values()) == end["instructions"]
    stacks = folded(isochron, profiled, "--engine", engine, "--weight", "instructions")
    assert sum(stacks.values()) == end["instructions"]
    below = {stack.removeprefix("_start;main;"): value for stack, value in stacks.items()}
    assert {stack: below.get(stack) for stack in STACKS} == STACKS
    # The other process begins as if its call of switch_to returned; nothing was called in it before.
    assert stacks["other_begins;leaf"] == 5
    assert stacks["switch_to"] == 3
    turns = [row["instructions"] for row in rows(isochron, profiled, "--engine", engine, "--by", "pc") if row["place"]
             .startswith("poll_for_clock")]  # fmt: skip
    # The interrupt comes behind any instruction of a turn.
    assert sorted(turns)[:5] == [1] * 5 and len(turns) == 8 and max(turns) - sorted(turns)[5] <= 1


def test_a_trace_counted_line_by_line_says_the_same(isochron, profiled):
    for engine in engines(isochron):
        check_against_trace(isochron, profiled, engine)


def check_against_trace(isochron, profiled, engine):
    interrupts = [event["cycle"] for event in dump(isochron, profiled, "--type", "interrupt")]
    # All but the most of what it polls.
    for span in (["--to", str(interrupts[1] + 2000)], ["--from", str(interrupts[2] - 20000)]):
        steps, counts = witness(isochron, profiled, *span)
        by_pc = rows(isochron, profiled, "--engine", engine, "--by", "pc", *span)
        assert {row["pc"]: row["instructions"] for row in by_pc if row["instructions"]} == counts["pc"]
        # The last instruction has no line behind it.
        last = steps[-1]["pc"]
        cycles = {row["pc"]: row["cycles"] for row in by_pc if row["pc"] not in (None, last)}
        idle = counts["cycles"].pop("idle", 0)
        counts["cycles"].pop(last, None)
        assert cycles == counts["cycles"]
        modes = {row["mode"]: row for row in rows(isochron, profiled, "--engine", engine, "--by", "mode", *span)}
        assert {mode: row["instructions"] for mode, row in modes.items() if mode != "idle"} == counts["mode"]
        assert modes.get("idle", {"cycles": 0})["cycles"] == idle
    asns = {row["asn"] for row in rows(isochron, profiled, "--engine", engine, "--by", "asn")}
    assert asns == {"0", "5"}


@pytest.mark.parametrize("guest, span", [("interrupts", "7025k 7045k"), ("kernel_stack", "1200k 1220k")])
def test_guests_of_all_kinds_are_counted_right(isochron, tmp_path, guest, span):
    log = tmp_path / "log"
    record(isochron, log, "--kernel", own_guest(isochron, guest), "--console", "null")
    begin, end = span.split()
    span = ("--from", begin, "--to", end)
    _, counts = witness(isochron, log, *span)
    for engine in engines(isochron):
        by_pc = rows(isochron, log, "--engine", engine, "--by", "pc", *span)
        assert {row["pc"]: row["instructions"] for row in by_pc if row["instructions"]} == counts["pc"]


def test_both_engines_write_the_same_files(isochron, tmp_path):
    log = tmp_path / "log"
    record(isochron, log, "--kernel", own_guest(isochron, "asn"), "--console", "null")
    forms = [["--format", form] for form in ("folded", "speedscope", "html")]
    forms += [["--by", by] for by in ("function", "line", "pc", "stack", "mode", "asn")]
    for form in forms:
        written = {profile(isochron, log, "--engine", engine, *form) for engine in engines(isochron)}
        assert len(written) == 1, form


def test_a_range_is_the_part_that_it_is_of_the_whole(isochron, profiled):
    whole = collections.Counter({row["pc"]: row["instructions"] for row in rows(isochron, profiled, "--by", "pc")})
    parts = collections.Counter()
    for span in (["--to", "1500"], ["--from", "1500", "--to", "3001"], ["--from", "3001"]):
        for row in rows(isochron, profiled, "--by", "pc", *span):
            parts[row["pc"]] += row["instructions"]
    assert +parts == +whole


def test_speedscope_gets_what_its_schema_asks_for(isochron, profiled):
    scope = json.loads(profile(isochron, profiled, "--format", "speedscope"))
    assert scope["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    frames = [frame["name"] for frame in scope["shared"]["frames"]]
    assert [one["name"] for one in scope["profiles"]] == ["cycles", "instructions"]
    for one in scope["profiles"]:
        assert one["type"] == "evented" and one["unit"] == "none"
        own = collections.Counter()
        stack, at = [], one["startValue"]
        for event in one["events"]:
            if stack:
                own[";".join(stack[1:])] += event["at"] - at
            assert event["at"] >= at
            at = event["at"]
            if event["type"] == "O":
                stack.append(frames[event["frame"]])
            else:
                assert stack.pop() == frames[event["frame"]]
        assert not stack and at == one["endValue"]
        assert +own == folded(isochron, profiled, "--weight", one["name"])


def test_a_page_needs_nothing_else(isochron, profiled, tmp_path):
    page = tmp_path / "page.html"
    profile(isochron, profiled, "--format", "html", "-o", str(page))
    text = page.read_text()
    assert not re.search(r"(src|href)\s*=|@import|url\(", text)
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*)</script>', text)[1])
    nodes, names = data["nodes"], data["names"]
    assert sum(nodes[4::5]) == dump(isochron, profiled, "--type", "end")[0]["instructions"]
    assert {"main", "leaf", "[interrupt]", "[idle]"} <= set(names)
    assert list(tmp_path.iterdir()) == [page]


def test_symbols_name_the_functions_of_programs(isochron, tmp_path):
    log = tmp_path / "log"
    record(isochron, log, "--kernel", own_guest(isochron, "asn"), "--console", "null")
    source = tmp_path / "program.S"
    source.write_text(".globl program\n.type program, @function\nprogram:\n  nop\n  nop\n  nop\n  nop\n.size program, 4096\n")
    subprocess.run(
        ["alpha-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,-Ttext=0x10000000", "-o", str(tmp_path / "program"), str(source)],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    plain = {row["function"]: row for row in rows(isochron, log)}
    named = {row["function"]: row for row in rows(isochron, log, "--symbols", f"{tmp_path}/program@0x10000000")}
    assert plain["0x20000000"]["mode"] in ("user", "kernel")
    assert "program" in named and "0x20000000" not in named


def test_bad_input_is_refused_in_a_line(isochron, profiled, tmp_path):
    for args, said in (
        (["--by", "colour"], "--by"),
        (["--format", "pdf"], "--format"),
        (["--from", "10G"], "behind the end"),
        (["--from", "2M", "--to", "1M"], "behind --to"),
        (["--format", "folded", "--by", "pc"], "--by"),
        (["--format", "html", "--json"], "--json"),
        (["--weight", "cycles"], "--weight"),
        (["--symbols", str(tmp_path / "absent")], "absent"),
        (["-o", str(tmp_path / "no" / "file")], "no"),
    ):
        assert_refused(run(isochron, "profile", str(profiled), *args), said)
    assert_refused(run(isochron, "profile", str(tmp_path / "absent")), "absent")
    assert list(tmp_path.iterdir()) == []
