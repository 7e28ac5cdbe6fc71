"""Disks of the command line: which images there can be, and how a log finds its own again. No guest here uses them."""

import json
import os
import shutil

import pytest

from helpers.commands import assert_refused, end_of, run, start
from helpers.recordings import dump, record, replay
from isochron import Disk, IsochronError, Log, Machine

SECTORS = 8
IMAGE = bytes(range(256)) * 2 * SECTORS


@pytest.fixture
def images(tmp_path, monkeypatch):
    """The names of three images, which are here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, content in (("one", IMAGE), ("two", IMAGE[::-1]), ("a,b", IMAGE)):
        (tmp_path / name).write_bytes(content)
    return tmp_path


@pytest.fixture
def log(isochron, looked_at_kernel, images):
    record(isochron, images / "log", "--kernel", looked_at_kernel, "--disk", "one", "--disk", "two,readonly")
    return images / "log"


@pytest.mark.parametrize(
    "disk, message",
    [
        ("missing", "missing: No such file or directory"),
        (".", r"\.: is no regular file"),
        ("/dev/null", "/dev/null: is no regular file"),
        ("empty", "empty: is empty; a disk has at least one sector of 512 bytes"),
        ("odd", "odd: has 513 bytes, which are not whole sectors of 512"),
        ("one,commit,readonly", "nothing to commit"),
        ("one,slow", "'slow' is not one of interface=virtio"),
        ("a,b", "a comma stands twice"),
        (",readonly", "needs the name of a file"),
        ("one,overlay=", "overlay= needs the name of a file"),
        ("one,overlay=over,readonly", "nothing to put into an overlay"),
        ("one,overlay=two", "two: is no overlay of a disk"),
        ("one,overlay=one", "one: somebody else uses it"),
        ("one,overlay=nowhere/over", "nowhere/over.*: No such file or directory"),
        ("one,overlay=/dev/null", "/dev/null"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["record", "-o", "new"]], ids=["run", "record"])
def test_refuses_what_is_no_disk(isochron, looked_at_kernel, images, command, disk, message):
    (images / "empty").touch()
    (images / "odd").write_bytes(bytes(513))
    assert_refused(run(isochron, *command, "--kernel", looked_at_kernel, "--disk", disk), message)
    assert not (images / "new").exists() and not (images / "new.partial").exists()


def test_refuses_a_ninth_disk(isochron, looked_at_kernel, images):
    result = run(isochron, "run", "--kernel", looked_at_kernel, *["--disk", "one"] * 9)
    assert_refused(result, "at most 8 disks, not 9")


def test_a_file_cannot_be_read_by_one_and_written_by_another(isochron, looked_at_kernel, images):
    arguments = ["run", "--kernel", looked_at_kernel, "--disk", "one,commit", "--disk", "one"]
    assert_refused(run(isochron, *arguments), "one: somebody else")
    log = ["record", "-o", "one", "--kernel", looked_at_kernel, "--disk", "one"]
    assert_refused(run(isochron, *log), "one cannot be both")


def test_conform_commits_nothing(isochron, looked_at_kernel, images):
    result = run(isochron, "conform", "--kernel", looked_at_kernel, "--disk", "one,commit")
    assert_refused(result, "one: conform writes to no disk: leave commit out")
    result = run(isochron, "conform", "--kernel", looked_at_kernel, "--disk", "one,overlay=over")
    assert_refused(result, "one: conform writes to no disk: leave overlay= out")
    assert not (images / "over").exists()


def test_a_log_has_its_disks(isochron, log):
    header = dump(isochron, log)[0]
    assert header["disks"] == [
        {"interface": "virtio", "read_only": False, "bytes": len(IMAGE)},
        {"interface": "virtio", "read_only": True, "bytes": len(IMAGE)},
    ]
    assert [image["role"] for image in header["images"]] == ["kernel", "disk0", "disk1"]
    assert Log(log).header == header
    info = run(isochron, "log", "info", str(log)).stdout.decode()
    assert "virtio, read-only" in info and "disk1" in info


def test_a_replay_finds_its_disks(isochron, images, log):
    assert replay(isochron, log).returncode == 0
    (images / "moved").mkdir()
    for name in ("one", "two"):
        shutil.move(images / name, images / "moved" / name)
    assert_refused(replay(isochron, log), "one: No such file or directory")
    # In whatever order.
    named = ["--disk", "moved/two", "--disk", "moved/one"]
    assert replay(isochron, log, *named).returncode == 0
    assert_refused(replay(isochron, log, *named, "--disk", "moved/one"), "is one disk more than the log has")
    (images / "log.images").unlink()
    assert_refused(replay(isochron, log, *named), "needs its kernel")


def test_a_replay_wants_the_disks_as_they_were(isochron, images, log):
    (images / "two").write_bytes(IMAGE)
    assert_refused(replay(isochron, log), "two: not the disk1 of this log: digest")
    (images / "two").write_bytes(IMAGE + IMAGE)
    assert_refused(replay(isochron, log), f"two: not the disk1 of this log: {2 * len(IMAGE)} bytes")
    assert_refused(replay(isochron, log, "--disk", "two"), "two: .* is not on any disk of the log that is left: disk0 of")


def test_a_bundle_has_the_disks(isochron, images, log):
    assert run(isochron, "log", "bundle", str(log), "-o", "bundle").returncode == 0
    for name in ("one", "two", "log", "log.images"):
        (images / name).unlink()
    assert replay(isochron, "bundle").returncode == 0


def test_engines_and_disks_agree(isochron, images, log):
    result = run(isochron, "conform", str(log))
    assert result.returncode == 0, result.stderr
    (images / "one").rename("moved")
    assert run(isochron, "conform", str(log), "--disk", "moved", "--disk", "two").returncode == 0
    assert_refused(run(isochron, "conform", str(log), "--disk", "moved,readonly"), "leave its settings out")


def test_a_file_that_changes_under_the_machine_is_told_of(isochron, console_guest, images):
    for change, message in (
        (lambda: (images / "one").write_bytes(IMAGE[::-1]), "one: somebody has changed it"),
        (lambda: (images / "two").rename(images / "one"), "one: somebody has put another file in its place"),
    ):
        arguments = ["run", "--kernel", console_guest, "--disk", "one,commit"]
        process = start(isochron, *arguments)
        assert process.stdout.read(7) == b"ready\r\n"
        change()
        now = (images / "one").read_bytes()
        process.stdin.write(b"q")
        process.stdin.flush()
        code, errors = end_of(process)
        assert code == 2 and message in errors, errors
        assert "what the guest has written is lost" in errors
        assert (images / "one").read_bytes() == now


def test_nothing_is_committed_without_an_end_in_order(isochron, console_guest, images):
    arguments = ["run", "--kernel", console_guest, "--disk", "one,commit", "--max-cycles", "50M"]
    result = run(isochron, *arguments)
    assert result.returncode == 5
    assert b"one stays as it is, and what the guest has written is lost: the guest has not come to" in result.stderr


def test_the_driver_gives_disks(isochron, looked_at_kernel, images):
    machine = Machine(looked_at_kernel, disks=["a,b", Disk("two", readonly=True)], program=isochron)
    with machine.record("driven") as session:
        assert session.finish().exit_code == 0
    assert [disk["read_only"] for disk in Log("driven").header["disks"]] == [False, True]
    os.rename("a,b", "moved")
    os.rename("two", "2,two")
    moved = Machine(looked_at_kernel, disks=["moved", "2,two"], program=isochron)
    assert moved.replay("driven").finish().exit_code == 0
    assert moved.conform("driven").finish().exit_code == 0
    with pytest.raises(IsochronError, match="no disk 1 at 'nowhere'"):
        Machine(looked_at_kernel, disks=["moved", "nowhere"], program=isochron)


def test_the_driver_gives_overlays(isochron, looked_at_kernel, images):
    machine = Machine(looked_at_kernel, disks=[Disk("a,b", overlay="o,1")], program=isochron)
    with machine.record("driven") as session:
        assert session.finish().exit_code == 0
    # The guest has written nothing, so there is nothing to keep, and the log needs nothing but the image.
    assert not (images / "o,1").exists()
    assert replay(isochron, "driven").returncode == 0
    assert Disk("a", overlay="b,c").option() == "a,overlay=b,,c"


def test_logs_of_other_disks_differ(isochron, looked_at_kernel, images, log):
    record(isochron, "other", "--kernel", looked_at_kernel, "--disk", "one", "--disk", "two")
    result = run(isochron, "log", "diff", str(log), "other", "--json")
    assert result.returncode == 3
    differences = [json.loads(line) for line in result.stdout.decode().splitlines()]
    assert {"type": "header", "field": "disks", "left": "virtio, virtio read-only", "right": "virtio, virtio"} in differences
