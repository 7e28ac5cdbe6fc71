"""Random user-mode sequences under qemu-alpha and in our guest; docs/conformance.md, "An outside witness"."""

import pathlib
import re
import shutil
import subprocess

import pytest

from conformance.witness import user_sequence_rules as rules
from helpers.tree import ROOT

needs_qemu = pytest.mark.skipif(
    not shutil.which("qemu-alpha"), reason="qemu-alpha is missing: scripts/setup installs it (package qemu-user)"
)

SEEDS = 400


@pytest.fixture
def compare(isochron):
    """Runs the comparison with the programs of one build."""
    build = pathlib.Path(isochron).resolve().parent.parent
    programs = {
        "--isochron": isochron,
        "--program": build / "conformance/random_sequences",
        "--runner": build / "guests/run_sequences",
    }
    for path in programs.values():
        if not pathlib.Path(path).exists():
            pytest.skip(f"{path} is not built")

    def run(*arguments):
        command = [str(ROOT / "scripts/compare-qemu-user")]
        for option, path in programs.items():
            command += [option, str(path)]
        command += map(str, arguments)
        return subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)

    return run


def figure(text, what):
    return int(re.search(rf"^{re.escape(what)} +(\d+)$", text, re.M)[1])


@needs_qemu
def test_every_difference_is_explained(compare, engine):
    done = compare("--seeds", f"1-{SEEDS}", "--engine", engine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert figure(done.stdout, "sequences") == SEEDS
    assert figure(done.stdout, "not explained") == 0
    equal, explained = (figure(done.stdout, what) for what in ("equal at once", "equal but for explained differences"))
    assert equal > SEEDS // 2
    assert equal + explained >= SEEDS - 2
    # QEMU's habits that no choice of seeds hides.
    for name in ("si_code of SIGFPE", "sign of the canonical NaN", "destination after a trap without /S"):
        assert int(re.search(rf"^ +(\d+)  {name}:", done.stdout, re.M)[1]) > 0


@needs_qemu
def test_a_difference_without_a_rule_is_reported(compare, tmp_path):
    """A witness that lacks instructions stands for an engine that is wrong about them."""
    older = tmp_path / "qemu-alpha"
    older.write_text('#!/bin/sh\nshift 2\nexec qemu-alpha -cpu ev56 "$@"\n')
    older.chmod(0o755)
    done = compare("--seeds", "1-40", "--qemu", older, "--engine", "ref")
    assert done.returncode == 3, done.stdout + done.stderr
    assert figure(done.stdout, "not explained") > 0
    assert re.search(r"NOT EXPLAINED: seed \d+, instruction \d+: [0-9a-f]{8}", done.stdout)


def test_without_the_witness(compare, tmp_path):
    done = compare("--qemu", tmp_path / "nothing")
    assert done.returncode == 2
    assert "not installed" in done.stderr
    assert len(done.stderr.splitlines()) == 1


# The rules. mult/su f1,f2,f3; amask r1,r2.
MULT_SU = 0x16 << 26 | 1 << 21 | 2 << 16 | 0x5A2 << 5 | 3
AMASK = 0x11 << 26 | 31 << 21 | 1 << 16 | 0x61 << 5 | 2
ZERO, INFINITY, POSITIVE_NAN = "0" * 16, "7ff" + "0" * 13, "7ff8" + "0" * 12
NEGATIVE_NAN = "fff8" + "0" * 12
INVALID = "p=8010000000000000"


def explain(word, before, ours, theirs, control=0):
    start = rules.State(before)
    return rules.Case(word, control, start, start.changed(ours), start.changed(theirs)).explain()


def test_a_rule_explains_what_qemu_does():
    before = [f"f1={ZERO}", f"f2={INFINITY}"]
    ours, theirs = [f"f3={NEGATIVE_NAN}", INVALID], [f"f3={POSITIVE_NAN}", INVALID]
    assert explain(MULT_SU, before, ours, theirs) == {"sign of the canonical NaN"}
    assert explain(AMASK, ["r1=1fff"], ["r2=1cf8"], ["r2=0cf8"]) == {"AMASK bit 12"}
    gentrap = explain(0xAA, ["r16=fffffffffffffffc"], ["0=8:3:4:4"], ["0=5:0:4:4"])
    assert gentrap == {"GENTRAP of a division by zero"}


def test_no_rule_excuses_us():
    before = [f"f1={ZERO}", f"f2={INFINITY}"]
    right, wrong = [f"f3={NEGATIVE_NAN}", INVALID], [f"f3={POSITIVE_NAN}", INVALID]
    assert explain(MULT_SU, before, wrong, right) is None
    # A status bit that we forget, a signal that we make up, another register that we change.
    assert explain(MULT_SU, before, [f"f3={NEGATIVE_NAN}"], right) is None
    assert explain(MULT_SU, before, right + ["0=8:7:4:4"], right) is None
    assert explain(MULT_SU, before, right + ["f4=1"], right) is None
    assert explain(AMASK, ["r1=1fff"], ["r2=1cf9"], ["r2=0cf8"]) is None


def test_no_rule_excuses_any_number():
    """QEMU may differ where a rule says so, and only in the way that it says."""
    before = [f"f1={ZERO}", f"f2={INFINITY}"]
    ours = [f"f3={NEGATIVE_NAN}", INVALID]
    assert explain(MULT_SU, before, ours, ["f3=7ff8000000000001", INVALID]) is None
    assert explain(MULT_SU, before, ours, [f"f3={ZERO}", INVALID]) is None
    # addq
    assert explain(0x10 << 26 | 0x20 << 5, [], ["r0=1"], ["r0=2"]) is None


def test_every_rule_is_documented():
    table = (ROOT / "docs/qemu-differences.md").read_text()
    for rule in rules.RULES:
        assert f"| {rule.name} |" in table
