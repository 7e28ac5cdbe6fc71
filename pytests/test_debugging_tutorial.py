"""The bug that docs/debugging.md looks for is found as the page says, with what it shows, on every engine.

The guest is not among those that are built for all tests: scripts/build-guests linux-dirty-pipe.
"""

import re
import subprocess

import pytest

from conformance.tree import guest_path
from helpers.commands import run
from helpers.gdb import gdb
from helpers.recordings import record
from helpers.tree import ROOT
from isochron import engines

SECTION = (ROOT / "docs/debugging.md").read_text().split("## A bug in the kernel, found backwards")[1].split("\n## ")[0]
SHOWN = [line[4:] for line in SECTION.splitlines() if line.startswith("    ")]


@pytest.fixture(scope="module", name="guest")
def guest_with_the_bug():
    try:
        return guest_path("linux-dirty-pipe")
    except subprocess.CalledProcessError:
        pytest.skip("not built: scripts/build-guests linux-dirty-pipe")


@pytest.fixture(scope="module", name="book")
def recorded_book(isochron, guest, tmp_path_factory):
    """The log of the page's session, and what its console showed."""
    log = tmp_path_factory.mktemp("book") / "book.log"
    session = log.with_name("book")
    session.write_text("".join(f"{line}\n" for line in SHOWN if line.startswith(("expect ", "send "))))
    initrd = guest_path("initrd") / "initrd.cpio.gz"
    result = record(
        isochron, log, "--kernel", str(guest / "vmlinux"), "--initrd", str(initrd), "--append", "console=ttyS0",
        "--script", str(session),
    )  # fmt: skip
    return log, result.stdout.decode().replace("\r", "")


def answers_to(prompt):
    """What the page shows behind commands with this prompt: [(command, [line])]."""
    found = []
    for line in SHOWN:
        if line.startswith(("$ ", "(gdb) ", "expect ", "send ")):
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return [(line.removeprefix(prompt), shown) for line, shown in found if line.startswith(prompt)]


def assert_shown(lines, text):
    """The lines come in the text in this order; three dots stand for anything."""
    position = 0
    for line in lines:
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        found = re.compile(rf"^{pattern}", re.M).search(text, position)
        assert found, f"{line!r} is not in what comes behind {text[:position][-200:]!r}:\n{text[position:][:2000]}"
        position = found.end()


def test_the_symptom(book):
    command, shown = next(answer for answer in answers_to("$ ") if answer[0].startswith("isochron record"))
    assert "--script book" in command and len(shown) > 8
    assert_shown(shown, book[1])


def test_who_has_written_it(isochron, book):
    command, shown = next(answer for answer in answers_to("$ ") if answer[0].startswith("isochron query"))
    for engine in engines(isochron):
        result = run(isochron, "query", str(book[0]), *command.split()[3:], "--engine", engine)
        assert result.stdout.decode().splitlines() == shown


def test_the_way_back_to_the_cause(isochron, guest, book, engine, tmp_path):
    answers = answers_to("(gdb) ")
    assert answers[0][0].startswith("target remote") and len(answers) > 20
    path = f"set substitute-path /usr/src/linux-source-6.1 {guest}/source"
    commands = [path, *(command for command, _ in answers[1:])]
    output = gdb(tmp_path, isochron, book[0], commands, "--engine", engine, symbols=guest / "vmlinux")
    for text, monitor in zip(output, (False, True)):  # what monitor says goes to gdb's standard error
        shown = [lines for command, lines in answers if command.startswith("monitor") == monitor]
        assert_shown([line for lines in shown for line in lines if line.strip()], text)
