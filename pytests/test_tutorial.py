"""docs/tutorial.md does what it says, to the last digit: a run is the same everywhere, and a log has one identity."""

import re
import subprocess
import sys

import pytest

from helpers.commands import run
from helpers.guests import own_guest
from helpers.tree import DRIVER, HANG, ROOT

TEXT = (ROOT / "docs/tutorial.md").read_text()


def block(first_line):
    """The indented block that begins with a line."""
    found = re.search(rf"^    {re.escape(first_line)}\n(?:    .*\n|\n(?=    ))*", TEXT, re.M)
    assert found, first_line
    return re.sub(r"^    ", "", found[0], flags=re.M)


@pytest.fixture
def here(isochron, tmp_path, monkeypatch):
    """A directory that looks like the tree to the page's commands."""
    guests = tmp_path / "build/release/guests"
    guests.mkdir(parents=True)
    for name in ("keys", "keys-mended"):
        (guests / f"{name}.elf").symlink_to(own_guest(isochron, name))
    (tmp_path / "typed").write_text(block('expect "> "'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def follow(isochron, command):
    """Runs a command of the page; what it says and what the page shows of its table must agree."""
    text = block(f"$ isochron {command}").splitlines()
    result = run(isochron, *command.split())
    for line in result.stderr.decode().splitlines():
        assert line in text
    if command.startswith("log dump"):
        assert {*text[1:]} - {"..."} <= {*result.stdout.decode().splitlines()}
    return result


def python(isochron, name):
    """Runs a program of the page; what it prints is the next block but one."""
    program = block(f"# {name}")
    expected = re.search(rf"# {re.escape(name)}\n.*?\nprints\n\n((?:    [^\n]*\n)+)", TEXT, re.S)[1]
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(DRIVER), "ISOCHRON": isochron},
        stdout=subprocess.PIPE, text=True, timeout=HANG, check=True,
    )  # fmt: skip
    assert done.stdout == re.sub(r"^    ", "", expected, flags=re.M)


def check_listing(kernel):
    """The instructions that the page shows are in the kernel."""
    listing = subprocess.run(["alpha-linux-gnu-objdump", "-d", kernel], stdout=subprocess.PIPE, text=True, check=True)
    shown = re.findall(r"^    (fffffc[0-9a-f]+):  (\w+) +(\S+)", TEXT, re.M)
    assert len(shown) == 4
    for address, name, operands in shown:
        assert re.search(rf"^{address}:.*\t{name}\t{re.escape(operands)}", listing.stdout, re.M), address


@pytest.mark.usefixtures("here")
def test_tutorial(isochron):
    kernel = "build/release/guests/keys.elf"
    assert follow(isochron, f"record -o hang.log --kernel {kernel} --script typed").returncode == 5
    assert follow(isochron, "replay hang.log --console null").returncode == 0
    dumped = follow(isochron, "log dump hang.log --from 1M").stdout.decode()
    assert dumped.count(" interrupt ") == 12
    python(isochron, "look.py")
    fine = f"record -o fine.log --input-interval 1000 --kernel {kernel} --script typed --console null"
    run(isochron, *fine.split())
    assert f"$ isochron {fine}\n" in TEXT
    python(isochron, "find.py")
    check_listing(kernel)
    mended = "build/release/guests/keys-mended.elf"
    result = follow(isochron, f"record -o mended.log --kernel {mended} --script typed")
    assert result.returncode == 0 and b"keys: 11\r\n" in result.stdout
    assert run(isochron, "replay", "hang.log", "--kernel", mended).returncode == 2
