"""`isochron conform`, as a user meets it."""

import os
import pathlib
import re
import signal
import subprocess
import time
import xml.etree.ElementTree

import pytest

from helpers.commands import assert_refused, run, write
from helpers.recordings import rewritten
from helpers.tree import HANG, ROOT


def conform(isochron, *arguments, **options):
    return subprocess.run(
        [isochron, "conform", *arguments], capture_output=True, timeout=HANG, stdin=subprocess.DEVNULL, check=False, **options
    )


def agreement(error):
    found = re.search(r"agree: (\d+) events, (\d+) cycles \(\d+\.\d+ s\), (\d+) instructions, (\d+) checkpoints, identity ([0-9a-f]{32})", error)
    assert found, error
    return [int(number) for number in found.groups()[:4]], found.group(5)


def test_agreement_is_one_line_with_the_identity_of_the_log(isochron, console_guest, tmp_path):
    script = tmp_path / "script"
    script.write_text('expect "ready"\nsend "xq"\n')
    guest = ["--kernel", console_guest, "--script", str(script), "--max-cycles", "400M"]
    log = tmp_path / "log"
    recorded = subprocess.run([isochron, "record", "-o", str(log), *guest], capture_output=True, timeout=HANG, check=False)
    identity = re.search(r"identity ([0-9a-f]{32})", recorded.stderr.decode()).group(1)
    done = conform(isochron, *guest)
    assert agreement(done.stderr.decode())[1] == identity
    again = conform(isochron, str(log), "--console", "null")
    assert again.returncode == 0, again.stderr
    assert agreement(again.stderr.decode())[1] == identity


def test_a_limit_ends_the_comparison_and_is_no_difference(isochron, console_guest):
    done = conform(isochron, "--kernel", console_guest, "--console", "null", "--max-cycles", "5M")
    assert done.returncode == 0, done.stderr
    assert agreement(done.stderr.decode())[0][1] >= 5_000_000


@pytest.mark.parametrize("options, answers", [([], 2), (["--no-reboot"], 1)])
def test_a_reset_is_what_the_options_say(isochron, console_guest, tmp_path, options, answers):
    script = tmp_path / "script"
    script.write_text('expect "ready"\nsend "r"\nrun 100M\nsend "q"\n')
    done = conform(isochron, "--kernel", console_guest, "--script", str(script), *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"ready") == answers
    assert (b"asked for a reset" in done.stderr) == bool(options)


def test_an_interrupted_comparison_says_how_far_it_came(isochron, console_guest):
    process = subprocess.Popen(
        [isochron, "conform", "--kernel", console_guest, "--console", "null"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + HANG
    # It has begun when it has its second and third thread.
    while len(list(pathlib.Path(f"/proc/{process.pid}/task").iterdir())) < 3:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=HANG)[1].decode()
    assert process.returncode == 128 + signal.SIGINT, error
    assert "agree: " in error


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "give a log, or a guest with --kernel"),
        (["--kernel", "/no/such/kernel"], "/no/such/kernel"),
        (["/no/such/log"], "/no/such/log"),
        (["--engines", "ref"], "is not two engines"),
        (["--engines", "ref,none"], "there is no engine 'none'"),
        (["{log}", "--memory", "64M"], "--memory cannot be given"),
        (["{log}", "--max-cycles", "2M"], "--max-cycles cannot be given"),
        (["{log}", "--no-reboot"], "--no-reboot cannot be given"),
        (["{log}", "--script", "/dev/null"], "--script cannot be given"),
        (["{log}", "-o", ""], "the path is empty"),
        (["{log}", "-o", "/no/such/directory/log"], "cannot write /no/such/directory/log"),
        (["{log}", "--report", "/no/such/directory/report"], "cannot write /no/such/directory/report"),
    ],
)
def test_bad_input_is_one_line(isochron, conversation_log, arguments, message):
    done = conform(isochron, *(str(conversation_log) if argument == "{log}" else argument for argument in arguments))
    assert done.returncode == 2
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and message in lines[0], lines


def test_another_kernel_than_the_logs_is_refused(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    subprocess.run(
        [isochron, "record", "-o", str(log), "--kernel", console_guest, "--console", "null", "--max-cycles", "2M"],
        capture_output=True, timeout=HANG, check=False,
    )
    other = tmp_path / "other"
    other.write_bytes(pathlib.Path(console_guest).read_bytes() + b"\0")
    done = conform(isochron, str(log), "--kernel", str(other), "--console", "null")
    assert done.returncode == 2
    assert str(other) in done.stderr.decode()


def test_a_difference_is_reported(isochron, console_guest, tmp_path):
    """By the program with planted faults, which the build has beside the other."""
    isochron = str(pathlib.Path(isochron).with_name("isochron-planted"))
    if not os.access(isochron, os.X_OK):
        pytest.skip("an installed program, or a build without tests")
    report = tmp_path / "report.html"
    done = conform(
        isochron, "--engines", "ref,ref!cycle@3000000", "--kernel", console_guest, "--console", "null",
        "--max-cycles", "20M", "--checkpoint-interval", "1M", "--report", str(report),
    )
    error = done.stderr.decode()
    assert done.returncode == 3, error
    assert "first visible difference: the instruction at cycle" in error
    assert re.search(r"^\* cycle +0x", error, re.MULTILINE)
    assert re.search(r"^=> [0-9a-f]{16}  [0-9a-f]{8}  \w", error, re.MULTILINE)
    assert "first visible difference" in report.read_text()
    assert "\\t" not in error + report.read_text()


def case_of(path):
    """The test of a file of JUnit XML, which is well-formed, and its failure, if any."""
    suites = xml.etree.ElementTree.parse(path).getroot()
    (suite,) = suites
    assert suites.tag == "testsuites" and suite.tag == "testsuite"
    (case,) = suite.iter("testcase")
    failure = case.find("failure")
    assert suites.get("failures") == suite.get("failures") == ("0" if failure is None else "1")
    return case, failure


def test_agreement_is_reported_on_a_page_and_in_junit(isochron, console_guest, tmp_path):
    page, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    done = conform(
        isochron, "--kernel", console_guest, "--script", script, "--console", "null", "--append", "a <b>",
        "--report", str(page), "--junit", str(junit),
    )  # fmt: skip
    assert done.returncode == 0
    identity = re.search(r"identity ([0-9a-f]{32});", done.stderr.decode())[1]
    text = page.read_text()
    digest = run(isochron, "--version").stdout.decode().splitlines()[1]
    for needed in ("agree", identity, digest, console_guest, "--append &#39;a &lt;b&gt;&#39;", "the guest powered off"):
        assert needed in text, needed
    case, failure = case_of(junit)
    assert failure is None and identity in case.find("system-out").text
    assert console_guest in case.get("name")


def test_a_failed_expect_fails_in_junit(isochron, console_guest, tmp_path):
    junit = tmp_path / "junit.xml"
    script = write(tmp_path / "script", 'expect "never" within 5M\n')
    done = conform(
        isochron, "--kernel", console_guest, "--script", script, "--console", "null", "--junit", str(junit)
    )
    assert done.returncode == 5
    assert case_of(junit)[1].get("message") == "ended with exit code 5"


@pytest.mark.parametrize("option", ["--report", "--junit"])
def test_reports_that_cannot_be_written(isochron, console_guest, tmp_path, option):
    refused = conform(isochron, "--kernel", console_guest, option, str(tmp_path / "no" / "x"))
    assert_refused(refused, "cannot write .*/no/x: No such file")
    done = conform(isochron, "--kernel", console_guest, "--max-cycles", "5M", "--console", "null", option, "/dev/full")
    assert done.returncode == 1
    assert "/dev/full: No space left" in done.stderr.decode()


def test_a_log_that_lies_is_reported(isochron, conversation_log, tmp_path):
    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")])
    done = conform(isochron, str(log), "--console", "null")
    error = done.stderr.decode()
    assert done.returncode == 3, error
    assert "the run differs from" in error and "at event 2," in error
    assert '"[61][6X][63]"' in error and "agree" not in error
    assert re.search(r'^- from byte 0 "\[61\]\[6X\]\[63\]"\n\+ from byte 0 "\[61\]\[62"\n {21}\^$', error, re.MULTILINE), error
    page, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    done = conform(isochron, str(log), "--console", "null", "--report", str(page), "--junit", str(junit))
    identity = re.search(r"identity +([0-9a-f]{32})", run(isochron, "log", "info", str(log)).stdout.decode())[1]
    text = page.read_text()
    assert "differs from its log" in text and identity in text and str(log) in text
    _, failure = case_of(junit)
    assert "differs" in failure.get("message") and "[61][6X][63]" in failure.text


def test_a_replay_is_reported_on_a_page_and_in_junit(isochron, conversation_log, tmp_path):
    page, junit = tmp_path / "page.html", tmp_path / "junit.xml"
    reports = ["--report", str(page), "--junit", str(junit), "--console", "null"]
    done = run(isochron, "replay", str(conversation_log), *reports)
    assert done.returncode == 0, done.stderr
    identity = re.search(r"identity +([0-9a-f]{32})", run(isochron, "log", "info", str(conversation_log)).stdout.decode())[1]
    text = page.read_text()
    for needed in ("as its log has it", identity, str(conversation_log), "the guest powered off", "events are equal"):
        assert needed in text, needed
    case, failure = case_of(junit)
    assert failure is None and "the guest powered off" in case.find("system-out").text

    log = tmp_path / "log"
    rewritten(log, conversation_log, lambda contents: [contents[0], contents[1].replace(b"[61][62]", b"[61][6X]")])
    (tmp_path / "log.images").write_bytes(pathlib.Path(f"{conversation_log}.images").read_bytes())
    done = run(isochron, "replay", str(log), *reports)
    assert done.returncode == 3, done.stderr
    assert "differs from its log" in page.read_text()
    _, failure = case_of(junit)
    assert "differs" in failure.get("message") and "[61][6X]" in failure.text


def test_the_page_of_a_live_branch_tells_how_that_ended(isochron, conversation_log, tmp_path):
    page = tmp_path / "page.html"
    script = write(tmp_path / "script", 'send "q"\n')
    done = run(
        isochron, "replay", str(conversation_log), "--until", "30M", "--live", "-o", str(tmp_path / "new"),
        "--script", script, "--report", str(page), "--console", "null",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    identity = re.search(r"identity ([0-9a-f]{32})", done.stderr.decode())[1]
    assert "The guest powered off" in page.read_text() and identity in page.read_text()


def test_documentation_has_the_options(isochron):
    text = (ROOT / "docs/cli.md").read_text()

    def manual(section):
        body = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
        return set(re.findall(r"^\| `(--[a-z0-9-]+)", body, re.MULTILINE))

    help_text = conform(isochron, "--help").stdout.decode()
    options = set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", help_text, re.MULTILINE)) - {"--help"}
    assert options == (manual("isochron run") | manual("isochron conform")) - {"--engine", "--perf-map", "--gdb", "--symbols", "--snapshot-memory"}
