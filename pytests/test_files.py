"""What commands do to files: none is lost by having two uses, and logs, sidecars and snapshots belong together."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading

import pytest

from helpers.commands import assert_refused, end_of, run, start, write
from helpers.tree import HANG
from isochron import Log, Machine


@pytest.fixture
def kernel(console_guest, tmp_path, monkeypatch):
    """A copy of the console guest in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(console_guest, "k.elf")
    return "k.elf"


def record(isochron, kernel, log, *args, keys=b"Aq"):
    args = ["record", "-o", log, "--kernel", kernel, *args]
    return subprocess.run([isochron, *args], input=keys, capture_output=True, timeout=HANG)


def contents():
    """Every file in the working directory."""
    return {
        str(path): path.read_bytes() for path in pathlib.Path(".").rglob("*") if path.is_file()
    }


@pytest.mark.parametrize(
    "args, message",
    [
        ("record -o k.elf --kernel k.elf", "k.elf cannot be both the log and the kernel"),
        ("record -o link --kernel k.elf", "cannot be both the log and the kernel"),
        ("record -o k --kernel k.elf --initrd k.images", "a part of the log and the initrd"),
        ("run --kernel k.elf --console file:k.elf", "both the kernel and the console's output"),
        ("run --kernel k.elf --console file:./sub/../k.elf", "both the kernel and the console"),
        ("run --kernel k.elf --script s --console file:s", "both the script and the console"),
        ("record -o new --kernel k.elf --console file:new", "both the log and the console"),
        ("record -o new --kernel k.elf --console file:new.partial", "both the log, while"),
        ("replay old --live --until 1M -o old", "both the log that is replayed and the new log"),
        ("replay old.partial --live --until 1M -o old", "both the log that is replayed"),
        ("conform old -o old", "both the log that is repeated and the new log"),
        ("conform --kernel k.elf --report k.elf", "both the kernel and the report"),
        ("log bundle old -o old", "both the log and the bundle"),
        ("log bundle old -o k.elf", "both the kernel and the bundle"),
        # What cannot be written is found before anything runs.
        ("record -o no/dir/new --kernel k.elf", "cannot write no/dir/new: No such file"),
        ("record -o sub --kernel k.elf", "cannot write sub: Is a directory"),
        ("conform --kernel k.elf --report no/dir/x", "cannot write no/dir/x: No such file"),
        ("run --kernel k.elf --console file:no/dir/x", "cannot write no/dir/x: No such file"),
        ("record -o - --kernel k.elf --console null --snapshot-every 1M", "needs a log that is a"),
        ("conform --kernel k.elf -o -", "cannot both go to standard output"),
    ],
)
def test_refuses_and_loses_nothing(isochron, kernel, args, message):
    os.mkdir("sub")
    os.link(kernel, "link")
    shutil.copy(kernel, "k.images")
    write(pathlib.Path("s"), "stop\n")
    assert record(isochron, kernel, "old").returncode == 0
    shutil.copy("old", "old.partial")
    before = contents()
    assert_refused(run(isochron, *args.split()), message)
    assert contents() == before


def test_a_refused_command_leaves_the_console_file(isochron, kernel):
    """The lock of a log that is being written is the last thing that can refuse."""
    write(pathlib.Path("console"), "of an earlier run")
    recorder = start(isochron, "record", "-o", "log", "--kernel", kernel, "--console", "null")
    while not os.path.exists("log.partial"):
        assert recorder.poll() is None
    second = record(isochron, kernel, "log", "--console", "file:console")
    assert_refused(second, "another process is writing")
    assert pathlib.Path("console").read_text() == "of an earlier run"
    recorder.send_signal(signal.SIGTERM)
    assert end_of(recorder)[0] == 128 + signal.SIGTERM
    assert run(isochron, "run", "--kernel", kernel, "--console", "file:console", "--max-cycles", "2M").returncode == 5
    assert pathlib.Path("console").read_bytes() == b"ready\r\n"


def test_a_new_recording_has_no_old_snapshots(isochron, kernel):
    assert record(isochron, kernel, "log", "--snapshot-every", "1M").returncode == 0
    assert os.path.exists("log.snapshots")
    assert record(isochron, kernel, "log", keys=b"BCq").returncode == 0
    assert not os.path.exists("log.snapshots")


def test_snapshots_that_cannot_be_written_cost_no_log(isochron, kernel):
    """Their reader goes away after the header."""
    os.mkfifo("log.snapshots")

    def read_header():
        with open("log.snapshots", "rb", buffering=0) as pipe:
            pipe.read(16)

    reader = threading.Thread(target=read_header)
    reader.start()
    result = record(
        isochron, kernel, "log", "--snapshot-every", "1M", "--checkpoint-interval", "1M",
        "--max-cycles", "50M", keys=b"",
    )  # fmt: skip
    reader.join()
    assert result.returncode == 1
    assert b"the snapshots are incomplete: " in result.stderr and b"log: log, " in result.stderr
    assert run(isochron, "replay", "log").returncode == 0


def test_snapshots_of_a_live_run_belong_to_its_log(isochron, kernel):
    machine = Machine(kernel, program=isochron, options=["--checkpoint-interval", "2M"])
    with machine.record("old", ["--snapshot-every", "4M"]) as session:
        session.expect("ready")
        session.run(40e6)
        session.stop()
    snapshots = pathlib.Path("old.snapshots").read_bytes()
    with Machine(kernel, program=isochron).replay("old", live=10_000_000, output="new") as session:
        session.snapshot()
        session.run(20e6)
        session.send("q")
        session.finish()
    assert pathlib.Path("old.snapshots").read_bytes() == snapshots
    for log, options in (("old", {"start": 30_000_000}), ("new", {"start": 20_000_000})):
        result = Machine(kernel, program=isochron).replay(log, **options).finish()
        assert result.exit_code == 0 and "begins at the snapshot" in result.errors


def test_conform_to_standard_output_is_the_log_of_record(isochron, kernel):
    """And has no sidecar."""
    assert record(isochron, kernel, "log", "--max-cycles", "5M", keys=b"").returncode == 5
    args = ["conform", "--kernel", kernel, "-o", "-", "--console", "null", "--max-cycles", "5M"]
    result = run(isochron, *args)
    assert result.returncode == 0 and result.stdout == pathlib.Path("log").read_bytes()
    assert not os.path.exists("-.images")
    machine = Machine(kernel, program=isochron, options=["--max-cycles", "5M"])
    summary = machine.conform(options=["-o", "same"]).finish().log
    assert summary.read().partial is False and pathlib.Path("same").read_bytes() == result.stdout


@pytest.mark.parametrize(
    "name, message",
    [
        ("log", "both the log and a copy of the log"),
        ("log.partial", "both the log, while it is written and a copy of the log"),
        ("log.images", "both a part of the log and a copy of the log"),
        ("k.elf", "both the kernel and a copy"),
        ("-", "needs the name of a file"),
        ("pipe", "needs the name of a file"),
        ("/dev/null", "needs the name of a file"),
        ("copy\\x00", "needs the name of a file"),
        ("no/dir/copy", "cannot write no/dir/copy: No such file"),
        ("x" * 245, "File name too long"),
    ],
)
def test_save_writes_over_nothing(isochron, kernel, name, message):
    from isochron import RequestError

    os.mkfifo("pipe")
    with Machine(kernel, program=isochron).record("log") as session:
        session.expect("ready")
        before = set(os.listdir("."))
        with pytest.raises(RequestError, match=message):
            session.request(f'save "{name}"')
        assert set(os.listdir(".")) == before
        session.send("Aq")
        result = session.finish()
    assert result.exit_code == 0
    log = Log("log")
    assert not log.partial and b"[41]" in log.output()
