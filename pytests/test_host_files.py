"""Files, pipes, limits and signals of the host that do not do what one hopes."""

import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import time

import pytest

from helpers.commands import assert_refused, end_of, run, start, write
from helpers.tree import HANG
from isochron import Log, Machine

ENDLESS = 'expect "ready"\nsend "l"\n'


@pytest.fixture
def kernel(console_guest, tmp_path, monkeypatch):
    """A copy of the console guest in the working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(console_guest, "k.elf")
    return "k.elf"


def record(isochron, kernel, log, *args, keys=b"Aq", **options):
    return run(isochron, "record", "-o", log, "--kernel", kernel, *args, stdin=None, input=keys, **options)


def limit_files(size):
    """For a child: no file of it grows beyond so many bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def await_file(path, process):
    deadline = time.monotonic() + HANG
    while not os.path.exists(path):
        assert process.poll() is None and time.monotonic() < deadline


# Files that never end.


@pytest.mark.parametrize(
    "args",
    [
        "log info /dev/zero",
        "log dump /dev/zero",
        "log diff log /dev/zero",
        "log verify /dev/zero",
        "log bundle /dev/zero -o out",
        "log pcap /dev/zero -o out",
        "replay /dev/zero",
        "conform /dev/zero",
        "replay log --kernel /dev/zero",
    ],
)
def test_devices_are_no_logs(isochron, kernel, args):
    assert record(isochron, kernel, "log").returncode == 0
    assert_refused(run(isochron, *args.split()), "/dev/zero: is a device")


def test_a_pipe_is_read_up_to_a_limit(isochron, kernel):
    assert record(isochron, kernel, "log").returncode == 0
    log = pathlib.Path("log").read_bytes()
    for limit, fits in ((str(len(log)), True), (str(len(log) - 1), False)):
        for command in (["log", "verify", "-"], ["log", "info", "-"], ["replay", "-", "--kernel", kernel]):
            result = run(isochron, *command, "--max-pipe", limit, stdin=None, input=log)
            if fits:
                assert result.returncode == 0, result.stderr
            else:
                assert_refused(result, f"standard input: more than {limit} bytes .*--max-pipe")
    with subprocess.Popen(["cat", "/dev/zero"], stdout=subprocess.PIPE) as zeros:
        assert_refused(run(isochron, "log", "info", "-", "--max-pipe", "1M", stdin=zeros.stdout), "more than 1048576")
        zeros.kill()


# Limits of the host.


def test_a_limit_on_files_is_an_error_and_the_log_stays_readable(isochron, kernel):
    script = write(pathlib.Path("s"), ENDLESS)
    args = ["--script", script, "--console", "null", "--checkpoint-interval", "1M"]
    result = record(isochron, kernel, "log", *args, preexec_fn=limit_files(16 << 10))
    assert result.returncode == 1 and b"cannot write log.partial: File too large" in result.stderr, result.stderr
    assert run(isochron, "replay", "log.partial", "--console", "null").returncode == 0


def test_a_limit_on_files_stops_snapshots_and_console(isochron, kernel):
    args = ["--snapshot-every", "1M", "--checkpoint-interval", "1M", "--max-cycles", "20M"]
    result = record(isochron, kernel, "log", *args, keys=b"", preexec_fn=limit_files(4 << 10))
    assert result.returncode == 1, result.stderr
    assert b"the snapshots are incomplete: cannot write log.snapshots.partial: File too large" in result.stderr
    assert run(isochron, "replay", "log").returncode == 0
    result = run(isochron, "run", "--kernel", kernel, "--console", "file:out", preexec_fn=limit_files(4))
    assert result.returncode == 1 and b"cannot write the console output: File too large" in result.stderr


def test_a_start_that_finds_no_room_leaves_no_file(isochron, kernel):
    """The limit meets the sidecar, the log's header, or the snapshots' header."""
    refused = 0
    for limit in range(0, 400, 16):
        result = record(isochron, kernel, "log", "--snapshot-every", "1M", preexec_fn=limit_files(limit))
        if result.returncode == 2:
            refused += 1
            assert_refused(result, "cannot write log.*File too large")
            assert sorted(os.listdir()) == ["k.elf"], limit
        else:
            assert result.returncode in (0, 1), result.stderr
            for path in pathlib.Path(".").glob("log*"):
                path.unlink()
    assert refused >= 5


def test_memory_and_threads_that_are_refused_end_in_a_line(isochron, kernel):
    codes = set()
    for size in range(300, 420, 6):
        def limit(size=size):
            resource.setrlimit(resource.RLIMIT_AS, (size << 20, size << 20))

        result = record(isochron, kernel, "log", "--script", write(pathlib.Path("s"), "stop\n"), preexec_fn=limit)
        assert result.returncode in (0, 1), (size, result.returncode, result.stderr)
        if result.returncode == 1:
            assert result.stderr.startswith(b"isochron: ") and result.stderr.count(b"\n") == 1, result.stderr
        codes.add(result.returncode)
    assert codes == {0, 1}


def test_a_log_does_not_get_more_memory_than_it_may(isochron, kernel):
    assert record(isochron, kernel, "log", "--memory", "64M").returncode == 0
    for command in ("replay", "conform"):
        refused = run(isochron, command, "log", "--max-memory", "63M")
        assert_refused(refused, "log: the log's machine has 64 MiB of memory, more than the 63 MiB")
        assert run(isochron, command, "log", "--max-memory", "64M").returncode == 0
    host = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE")
    if host < 32 << 30:
        assert record(isochron, kernel, "large", "--memory", "32G").returncode == 0
        assert_refused(run(isochron, "replay", "large"), "of this host; --max-memory 32768M allows it")


# Pipes that nobody opens.


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "args",
    [
        "record -o pipe --kernel k.elf --console null",
        "run --kernel k.elf --console file:pipe",
        "record -o log --kernel pipe",
        "replay pipe",
        "log info pipe",
    ],
)
def test_a_signal_ends_the_wait_for_a_pipe(isochron, kernel, args, number):
    os.mkfifo("pipe")
    process = start(isochron, *args.split())
    # It waits in the kernel when it takes no more time.
    status = pathlib.Path(f"/proc/{process.pid}/stat")
    state = []
    while not (len(state) > 50 and len(set(state[-20:])) == 1):
        state.append(tuple(status.read_text().split()[13:15]))
        time.sleep(0.01)
    assert process.poll() is None
    process.send_signal(number)
    assert end_of(process)[0] in (-number, 128 + number)
    assert sorted(os.listdir()) == [kernel, "pipe"]


def test_a_pipe_in_the_place_of_a_partial_file_is_refused(isochron, kernel):
    for name in ("log.partial", "log.images.partial"):
        os.mkfifo(name)
        assert_refused(record(isochron, kernel, "log"), f"{name}: is no regular file")
        os.unlink(name)
        assert sorted(os.listdir()) == [kernel]


# What others have put there.


@pytest.mark.parametrize("name", ["log.partial", "log.images.partial", "log.snapshots.partial"])
def test_links_in_the_place_of_a_partial_file_lead_nowhere(isochron, kernel, name):
    victim = pathlib.Path("victim")
    victim.write_bytes(b"precious")
    os.symlink("victim", name)
    assert_refused(record(isochron, kernel, "log", "--snapshot-every", "1M"), f"{name}: is no regular file")
    os.unlink(name)
    os.link("victim", name)
    assert record(isochron, kernel, "log", "--snapshot-every", "1M").returncode == 0
    assert victim.read_bytes() == b"precious"
    assert run(isochron, "replay", "log").returncode == 0


@pytest.mark.parametrize("change", ["truncate", "append", "delete"])
def test_a_partial_log_that_somebody_changes_is_noticed(isochron, kernel, change):
    machine = Machine(kernel, program=isochron, options=["--checkpoint-interval", "1M"])
    with machine.record("log") as session:
        session.expect("ready")
        if change == "truncate":
            os.truncate("log.partial", 10)
        elif change == "append":
            with open("log.partial", "ab") as file:
                file.write(b"more")
        else:
            os.unlink("log.partial")
        session.send("q")
        result = session.finish()
    assert result.exit_code == 1 and not os.path.exists("log")
    expected = "is no longer the file" if change == "delete" else "has been changed by somebody else"
    assert f"log.partial {expected}" in result.errors


def test_a_perf_map_follows_no_link(isochron, kernel, request):
    victim = pathlib.Path("victim")
    victim.write_bytes(b"precious")
    os.symlink("victim", "map")
    args = ["run", "--kernel", kernel, "--engine", "jit:perf-map=map", "--max-cycles", "2M"]
    result = run(isochron, *args)
    if b"not in this build" in result.stderr:
        pytest.skip("a build without engine jit")
    assert_refused(result, "map: File exists .perf map.")
    os.unlink("map")
    os.link("victim", "map")
    assert run(isochron, *args).returncode == 5
    assert victim.read_bytes() == b"precious"
    assert os.stat("map").st_mode & 0o777 == 0o600


def test_what_is_written_is_its_owners_alone(isochron, kernel):
    process = start(
        isochron, "record", "-o", "log", "--kernel", kernel, "--control", "socket", "--snapshot-every", "1M",
        preexec_fn=lambda: os.umask(0),
    )  # fmt: skip
    await_file("log.snapshots.partial", process)
    for name in ("socket", "log.partial", "log.images", "log.snapshots.partial"):
        assert os.stat(name).st_mode & 0o777 == 0o600, name
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("socket")
        client.sendall(b"stop\n")
        assert end_of(process)[0] == 0
    for name in ("log", "log.images", "log.snapshots"):
        assert os.stat(name).st_mode & 0o777 == 0o600, name
    assert run(isochron, "log", "bundle", "log", "-o", "bundle", preexec_fn=lambda: os.umask(0o277)).returncode == 0
    assert os.stat("bundle").st_mode & 0o777 == 0o400


# Several at once.


def test_of_recorders_to_one_file_one_wins_at_the_start(isochron, kernel):
    script = write(pathlib.Path("s"), "run 3M\nstop\n")
    wins = 0
    for _ in range(4):
        recorders = [
            start(isochron, "record", "-o", "log", "--kernel", kernel, "--seed", str(seed), "--snapshot-every", "1M",
                  "--script", script)
            for seed in range(6)
        ]  # fmt: skip
        ends = [end_of(recorder) for recorder in recorders]
        for code, errors in ends:
            assert code == 0 or (code == 2 and "another process is writing log" in errors), errors
        won = [seed for seed, (code, _) in enumerate(ends) if code == 0]
        assert won
        wins += len(won)
        # The last to finish is the one whose log is there, with all that belongs to it.
        assert Log("log").header["seed"] in won
        assert run(isochron, "replay", "log", "--from", "2M").returncode == 0
        assert sorted(os.listdir()) == [kernel, "log", "log.images", "log.snapshots", "s"]
    assert wins >= 4


# Standard output and images that come through pipes.


def reluctant(arguments, **options):
    """What a program says to a pipe that does not wait and is read slowly."""
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, **options) as it:
        os.close(theirs)
        time.sleep(0.2)  # for the pipe to fill
        with open(ours, "rb") as pipe:
            output = pipe.read()
        errors = it.stderr.read()
        assert it.wait(timeout=HANG) == 0, errors
    return output


def test_standard_output_that_does_not_wait(isochron, kernel):
    script = write(pathlib.Path("s"), 'expect "ready"\nsend "l"\nrun 20M\nstop\n')
    args = ["--kernel", kernel, "--script", script, "--console", "null", "--checkpoint-interval", "1000"]
    assert record(isochron, kernel, "log", *args[2:]).returncode == 0
    assert os.path.getsize("log") > 2 << 16  # more than a pipe holds
    assert reluctant([isochron, "record", "-o", "-", *args]) == pathlib.Path("log").read_bytes()
    dump = [isochron, "log", "dump", "log"]
    assert reluctant(dump) == subprocess.run(dump, stdout=subprocess.PIPE, check=True).stdout


def test_an_image_that_cannot_be_opened_again_is_refused(isochron, kernel):
    def through_a_pipe(*args):
        ours, theirs = os.pipe()
        with subprocess.Popen(["cat", kernel], stdout=theirs):
            os.close(theirs)
            result = run(isochron, *(arg.format(f"/dev/fd/{ours}") for arg in args), pass_fds=[ours])
            os.close(ours)
        return result

    assert through_a_pipe("run", "--kernel", "{}", "--max-cycles", "2M").returncode == 5
    refused = through_a_pipe("record", "-o", "log", "--kernel", "{}")
    assert_refused(refused, r"/dev/fd/\d+: a replay could not open it again")
    assert sorted(os.listdir()) == [kernel]
    # An open file may have a name that lasts.
    with open(kernel, "rb") as file:
        result = record(isochron, f"/dev/fd/{file.fileno()}", "log", pass_fds=[file.fileno()])
    assert result.returncode == 0, result.stderr
    assert pathlib.Path("log.images").read_text().splitlines()[1].endswith(f" {os.path.realpath(kernel)}")
    assert run(isochron, "replay", "log").returncode == 0
