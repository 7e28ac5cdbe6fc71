"""Disks of a run that is gone back in while it is made: what has been written goes and comes, and is committed once."""

import random

import pytest

from helpers.commands import run
from helpers.gdb import LiveClient, frame
from helpers.linux_guest import boot_arguments, conversation, run_script

GUEST = {"kernel": "linux-disk"}
BYTES = 1 << 20
WRITE = "seq 1 20000 | dd of=/dev/vda bs=4096 seek=16; sync; md5sum /dev/vda"


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(random.Random(15).randbytes(BYTES))
    return path


def monitor(client, command):
    """What a command prints."""
    client.send(frame("qRcmd," + command.encode().hex()))
    said = ""
    while (reply := client.reply()) != "OK":
        said += bytes.fromhex(reply[1:]).decode()
    return said


def record(isochron, tmp_path, name, disk, commands):
    (tmp_path / "script").write_text(conversation(commands))
    return LiveClient(
        isochron, "record", "-o", str(tmp_path / name), *boot_arguments(**GUEST), "--engine", "jit", "--console", "null",
        "--script", str(tmp_path / "script"), "--disk", disk,
    ).connect()  # fmt: skip


def test_what_is_committed_is_what_a_run_without_gdb_commits(isochron, tmp_path, image):
    before = image.read_bytes()
    arguments = [*boot_arguments(**GUEST), "--engine", "jit", "--disk", f"{image},commit", "-o", str(tmp_path / "plain")]
    run_script(isochron, arguments, tmp_path / "script", conversation([WRITE]), "record").check()
    committed = image.read_bytes()
    assert committed != before
    image.write_bytes(before)
    client = record(isochron, tmp_path, "log", f"{image},commit", [WRITE])
    monitor(client, 'stop text "md5sum /dev/vda"')
    client.resumed("vCont;c")
    monitor(client, "checkpoint")
    monitor(client, 'stop text "  /dev/vda"')
    client.resumed("vCont;c")
    for place in ("restore 1", "goto end", "goto start", "restore 1"):
        assert "error" not in monitor(client, f"{place}")
    assert "thread" in client.resumed("vCont;c")
    monitor(client, "stop delete all")
    assert "replaylog:end" in client.resumed("vCont;c")
    # From behind its end, too, where nothing is written yet.
    monitor(client, "restore 1")
    code, said = client.end()
    assert code == 0, said
    assert (tmp_path / "log").read_bytes() == (tmp_path / "plain").read_bytes()
    assert image.read_bytes() == committed


def test_an_image_that_somebody_changes_is_told_of_and_the_exit_code_says_so(isochron, tmp_path, image):
    before = image.read_bytes()
    client = record(isochron, tmp_path, "log", str(image), ["md5sum /dev/vda"])
    monitor(client, 'stop text "md5sum /dev/vda"')
    client.resumed("vCont;c")
    monitor(client, "checkpoint")
    monitor(client, 'stop text "  /dev/vda"')
    client.resumed("vCont;c")
    image.write_bytes(before[::-1])
    assert "error" not in monitor(client, "restore 1")
    client.send(frame("vCont;c"))
    said = ""
    while (reply := client.reply()).startswith("O"):
        said += bytes.fromhex(reply[1:]).decode()
    assert "isochron: the run differs from the log" in said
    # The run itself is what it was.
    assert "error" not in monitor(client, "goto end")
    # Before the run goes on without gdb, and to its end.
    image.write_bytes(before)
    assert client.ask("D") == "OK"
    code, errors = client.end()
    assert code == 1 and "in the past: the run differs" in errors, errors
    assert "identity" in errors
    result = run(isochron, "replay", str(tmp_path / "log"), "--engine", "jit", "--console", "null")
    assert result.returncode == 0, result.stderr.decode()
