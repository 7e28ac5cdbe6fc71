"""README's lines do the same in the shells that people have."""

import json
import os
import re
import subprocess

import pytest

from helpers.tree import HANG, ROOT

# Takes the place of the programs: tells how it was called.
STUB = """#!/usr/bin/python3
import json, os, pathlib, sys
name = pathlib.Path(sys.argv[0]).name
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([name, *sys.argv[1:]]) + "\\n")
if name == "build-guests":
    print("/guests of mine/" + sys.argv[2])
"""


def lines_of(section):
    """The commands of a section: its indented lines but for a script's, which is what has a quoted text."""
    text = (ROOT / "README.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^    (.*)", text, re.M)
    return [line for line in lines if re.match(r"export|isochron|cmake|cpack|sha256sum|scripts/", line)]


def calls_of(shell, lines, directory):
    """How the lines call programs in a shell."""
    calls = directory / f"calls of {shell}"
    for path in ("build/release/cli/isochron", "scripts/build-guests", "scripts/demo", "bin/cmake", "bin/cpack"):
        stub = directory / path
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text(STUB)
        stub.chmod(0o755)
    (directory / "one.log").touch()
    (directory / "two.log").touch()
    options = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    subprocess.run(
        [shell, *options, "-c", "\n".join(lines)],
        cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=HANG, check=True,
        env={"PATH": f"{directory}/bin:{os.environ['PATH']}", "CALLS": str(calls), "HOME": str(directory)},
    )  # fmt: skip
    return [json.loads(line) for line in calls.read_text().splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_lines_mean_the_same_in_every_shell(shell, tmp_path):
    calls = calls_of(shell, lines_of("Try it") + lines_of("Install it")[:2], tmp_path)
    runs = [call for call in calls if call[:2] in (["isochron", "run"], ["isochron", "record"])]
    assert len(runs) == 4
    for call in runs:
        assert call[call.index("--kernel") + 1] == "/guests of mine/linux/vmlinux"
        assert call[call.index("--initrd") + 1] == "/guests of mine/initrd/initrd.cpio.gz"
        assert call[call.index("--append") + 1] == "console=ttyS0"
    assert ["cmake", "--build", "build/release", "--target", "installable"] in calls


def test_the_demo_builds_what_the_tutorial_takes():
    """README's first command is scripts/demo; the tutorial's guests come of the same target."""
    assert "build_preset release installable" in (ROOT / "scripts/demo").read_text()
    rules = (ROOT / "packaging/CMakeLists.txt").read_text()
    target = re.search(r"add_custom_target\(installable.*?\)", rules, re.S)[0]
    assert "isochron_demo_guests" in target
