"""docs/replay-log.md suffices: a reader made from it reads what the program writes."""

import json
import subprocess

from helpers.tree import DRIVER


def test_reader_made_from_the_document(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    subprocess.run(
        [isochron, "record", "-o", log, "--kernel", console_guest, "--max-cycles", "200000000"]
        + ["--checkpoint-interval", "20000000", "--console", "null"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    dumped = subprocess.run(
        [isochron, "log", "dump", "--json", log], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    # The distribution's Python has the zstandard module; another may run the tests.
    read = subprocess.run(
        ["/usr/bin/python3", "-m", "isochron.log", log],
        env={"PYTHONPATH": str(DRIVER)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    ours = [json.loads(line) for line in dumped.splitlines()]
    theirs = [json.loads(line) for line in read.splitlines()]
    assert len(ours) > 5
    assert theirs == ours
