"""The benchmark command: that it knows all programs, runs them and reports; not how fast anything is."""

import json
import re
import subprocess

import pytest

from conformance.bench import jit_bench, profile_bench, qemu_reverse, travel_bench
from conformance.bench.native import native_program
from conformance.tree import guest_path
from helpers.tree import ROOT

# Wall seconds that only a hang reaches.
HANG = 900

COMMAND = [str(ROOT / "scripts/bench"), "jit"]


def programs_of_the_source():
    source = (ROOT / "conformance/guests/linux/bench/main.c").read_text()
    return re.findall(r'^    \{"(\w+)", \w+, \d+, [01]\},$', source, re.M)


def listed(*args):
    return subprocess.run([*COMMAND, *args], capture_output=True, text=True, timeout=HANG, check=False)


def test_a_disk_is_measured(isochron):
    command = [str(ROOT / "scripts/bench"), "disk", "--runs", "1", "--mib", "16", "--json", "--isochron", str(isochron)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    for what in ("read", "write"):
        assert set(figures[what]["wall seconds"]) == {"run", "record", "qemu"}
        # What Linux has read ahead before is not counted.
        assert 50 < figures[what]["MB/s in the guest"] < 260


def test_several_cpus_are_measured(isochron):
    for guest in ("linux-smp", "bench"):
        guest_path(guest)
    command = [str(ROOT / "scripts/bench"), "smp", "--runs", "1", "--rounds", "1", "--json", "--isochron", str(isochron)]
    command += ["--ways", "one,busy,record", "hash", "fft"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert set(figures["programs"]) == {"hash", "fft"}
    for program in figures["programs"].values():
        assert set(program["seconds"]) == {"one", "busy", "record"}
    # Without QEMU and the idle machine there is nothing to compare them with.
    assert set(figures["geometric means"]) <= {"busy / one", "record time"}


def test_several_cpus_are_measured_in_ways_that_there_are():
    command = [str(ROOT / "scripts/bench"), "smp", "--ways", "one,many"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert result.returncode == 2
    assert "no way many; ways: one, busy, idle, record, qemu" in result.stderr


def test_refusals_name_all_programs_that_there_are():
    result = listed("nonsense")
    assert result.returncode == 2
    names = result.stderr.split("programs: ")[1].strip().split(", ")
    assert sorted(names) == sorted([*programs_of_the_source(), "boot"])


def test_the_documentation_has_a_row_for_each_program():
    text = (ROOT / "docs/benchmarks.md").read_text()
    rows = re.findall(r"^\|[ a-z]*\| `(\w+)` \|", text.split("## The programs")[1], re.M)
    assert sorted(rows) == sorted([*programs_of_the_source(), "boot"])


@pytest.mark.parametrize("way", ["ref", "ref-record"])
def test_a_short_run(isochron, way):
    guest_path("bench")
    result = listed(
        "--isochron", isochron, "--ways", way, "--runs", "2", "--rounds", "1", "--json", "-",
        "boot", "hash", "fft",
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert set(figures["programs"]) == {"boot", "hash", "fft"}
    for name, program in figures["programs"].items():
        assert len(program["samples"][way]) == 2
        # 0: on a busy host a program's first and last line may arrive together.
        assert all(seconds >= 0 for seconds in program["samples"][way])
        assert (program["checksum"] is None) == (name == "boot")


def checksums(command, names, folder):
    """By program, of one round each, which makes its files in the folder."""
    result = subprocess.run(
        [*command, "-r", "1", *names], cwd=folder, capture_output=True, text=True, timeout=HANG, check=True
    )
    found = dict(re.findall(r"bench: (\w+) end (\w+)", result.stdout))
    assert set(found) == set(names)
    return found


def test_the_programs_compute_the_same_outside_the_machine(isochron, tmp_path):
    """Their checksums under isochron against those under qemu-alpha, which has no kernel, and on the host."""
    kernel = ["stat", "pipe", "fork", "mmap", "signal", "storm"]
    expected = checksums(["qemu-alpha", str(guest_path("bench") / "programs/bench")], [*jit_bench.NATIVE, *kernel], tmp_path)
    native = checksums([str(native_program())], jit_bench.NATIVE, tmp_path)
    assert native == {name: expected[name] for name in jit_bench.NATIVE}
    names = ["hash", "compress", "bignum", "core", "records", "objects", "fft", "loops", "single", *kernel]
    tools = jit_bench.GROUPS["tools"]  # of BusyBox
    inside = listed(
        "--isochron", isochron, "--ways", "ref,native", "--runs", "1", "--rounds", "1", "--json", "-", *names, *tools
    )  # fmt: skip
    assert inside.returncode == 0, inside.stderr
    figures = json.loads(inside.stdout)["programs"]
    assert {name: figures[name]["checksum"] for name in names} == {name: expected[name] for name in names}
    assert all(figures[name]["checksum"] for name in tools)
    # What a kernel does has no time of its own on the host.
    timed = {name for name, program in figures.items() if program["medians"]["native"] is not None}
    assert timed == set(names) - set(kernel)


def test_a_wrong_checksum_ends_it():
    result = jit_bench.Result()
    result.check("fft", "jit", False, "1" * 16)
    result.check("fft", "qemu", True, "2" * 16)  # of fewer rounds
    result.check("fft", "native", False, "1" * 16)
    with pytest.raises(SystemExit) as caught:
        result.check("fft", "ref", True, "1" * 16)
    assert str(caught.value) == f"bench: fft: checksum {'1' * 16} on ref, {'2' * 16} on qemu"
    # Programs that are not long do all rounds everywhere.
    result = jit_bench.Result()
    result.check("hash", "jit", False, "1" * 16)
    with pytest.raises(SystemExit):
        result.check("hash", "qemu", True, "2" * 16)


CALLGRIND = """\
version: 1
positions: line
events: Ir

ob=/tree/build/release/cli/isochron
fl=/tree/jit/jit_engine.cc
fn=isochron::jit::JitEngine::RunBlock(isochron::alpha::Cpu&, isochron::ref::Block&)
100 7
fi=/usr/include/c++/12/bits/unique_ptr.h
191 2
cob=???
cfi=???
cfn=0x0000000018bc2000
calls=1 0
100 5000
fe=/tree/jit/jit_engine.cc
101 1

ob=???
fl=???
fn=0x0000000018bc2000
0 400
cob=/tree/build/release/cli/isochron
cfi=/tree/ref/execute_pal.cc
cfn=isochron::ref::HwMtpr()
calls=3 9
0 30

ob=/tree/build/release/cli/isochron
fl=/tree/ref/execute_pal.cc
fn=isochron::ref::HwMtpr()
9 30

fl=/tree/jit/emit_memory.cc
fn=isochron::jit::Emitter::EmitLoad()
1 11

fl=/usr/include/xbyak/xbyak.h
fn=Xbyak::CodeGenerator::mov(Xbyak::Operand const&, Xbyak::Operand const&)
1 13

ob=/usr/lib/x86_64-linux-gnu/libc.so.6
fl=./malloc/malloc.c
fn=malloc
3 17

totals: 481
"""


def test_a_profile_is_of_programs_that_there_are():
    command = [str(ROOT / "scripts/bench"), "profile", "storm", "nonsense"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANG, check=False)
    assert result.returncode == 2
    assert "bench profile: error: no program or group nonsense; programs: sieve, " in result.stderr


def test_a_profile_counts_what_a_function_does_itself(tmp_path):
    file = tmp_path / "callgrind.1"
    file.write_text(CALLGRIND)
    parts, functions = profile_bench.host_instructions([file, file])
    assert parts == {"code": 800, "loop": 20, "interpret": 60, "translate": 48, "rest": 34}
    assert functions["malloc"] == 34
    assert sum(functions.values()) == 2 * 481


def test_going_back_beside_qemu_says_why_there_is_none(tmp_path):
    with pytest.raises(qemu_reverse.Unable) as caught:
        qemu_reverse.Recording("no-such-qemu", [], 0, tmp_path)
    found = {"left out": str(caught.value)}
    found |= travel_bench.qemu_figures(found.get("samples"))
    assert travel_bench.qemu_table(found) == ["QEMU is left out: there is no no-such-qemu"]


def test_going_back_beside_qemu_is_told_as_ratios():
    samples = {"step back": [0.001, 0.002, 0.003], "back": [0.1], "qemu step back": [0.2], "qemu back": [0.4]}
    found = {"samples": samples, "far": "no answer"} | travel_bench.qemu_figures(samples)
    assert found["ratios"] == {"step back": 0.01, "back": 0.25}
    assert [line.split()[-1] for line in travel_bench.qemu_table(found)] == ["ratio", "0.010", "0.250", "answer"]
