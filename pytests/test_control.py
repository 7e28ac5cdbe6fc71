"""`--control PATH` as a client without the driver meets it, a rude one included."""

import json
import os
import pathlib
import signal
import socket
import subprocess

import pytest

from helpers.commands import assert_refused, end_of, run, start, write
from helpers.tree import HANG


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The name of a socket in a directory of its own, which is the working directory: short enough for any tmp_path."""
    monkeypatch.chdir(tmp_path)
    return "control"


def wait_for(place, process):
    """The program listens."""
    while not os.path.exists(place):
        assert process.poll() is None, process.stderr.read()


def connect(place, process):
    wait_for(place, process)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(HANG)
    while True:
        try:
            client.connect(place)
            return client
        except (ConnectionRefusedError, FileNotFoundError):
            # It does not listen yet, or is just taking the place of one that is gone.
            assert process.poll() is None


def begin(isochron, kernel, place, *args, command="run"):
    return start(
        isochron, command, "--kernel", kernel, "--control", place, "--console", "null", *args,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def answers(client):
    """Everything that is still to come."""
    with client.makefile("rb") as file:
        return [json.loads(line) for line in file]


def test_the_guest_waits_for_the_client(isochron, console_guest, place):
    process = start(
        isochron, "run", "--kernel", console_guest, "--control", place, "--max-cycles", "1G",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    )  # fmt: skip
    wait_for(place, process)
    # When it sleeps it waits for us.
    while pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        pass
    os.set_blocking(process.stdout.fileno(), False)
    assert process.stdout.read() is None
    client = connect(place, process)
    os.set_blocking(process.stdout.fileno(), True)
    client.sendall(b'expect "ready"\nstop\n')
    assert answers(client)[0]["output"] == "ready"
    assert process.stdout.read().startswith(b"ready")
    assert process.wait(HANG) == 0


def test_a_comparison_saves_its_log(isochron, console_guest, place):
    process = begin(isochron, console_guest, place, "-o", "log", command="conform")
    client = connect(place, process)
    client.sendall(b'expect "ready"\nsave "copy"\nsnapshot\nsend "q"\nrun\n')
    _, saved, snapshot, *_ = answers(client)
    assert saved["ok"] and not snapshot["ok"] and "conform takes no snapshots" in snapshot["error"]
    assert process.wait(HANG) == 0
    copied = run(isochron, "log", "verify", "copy")
    assert copied.returncode == 0, copied.stderr


def test_a_session(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b'expect "ready"\n\n# a comment\nsend "A"\nexpect "[41]"\nstats\nsend "q"\nrun\n')
    first, second, third, stats, fourth, last, end = answers(client)
    assert [answer["request"] for answer in (first, second, third, stats, fourth, last)] == list(range(1, 7))
    assert all(answer["ok"] for answer in (first, second, third, stats, fourth, last))
    assert (first["output"], third["output"]) == ("ready", "\r\n[41]")
    assert len(stats["state"]) == 32 and stats["instructions"] > 1000
    assert end["end"]["reason"] == "power-off" and end["end"]["exit_code"] == 0
    assert end["end"]["cycle"] == last["cycle"]
    assert end_of(process) == (0, "")


def test_there_is_one_client(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b"run 1\n")
    assert json.loads(client.recv(1000))["ok"]
    assert not os.path.exists(place)
    client.sendall(b"stop\n")
    assert end_of(process)[0] == 0


@pytest.mark.parametrize("command", ["run", "record"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_wait_for_a_client(isochron, console_guest, place, command, number):
    args = ["-o", "log"] if command == "record" else []
    process = begin(isochron, console_guest, place, *args, command=command)
    wait_for(place, process)
    process.send_signal(number)
    code, errors = end_of(process)
    assert code == 128 + number, errors
    complete = {"log", "log.images"} if command == "record" else set()
    assert set(os.listdir(".")) == complete


def test_a_signal_ends_the_wait_for_a_request(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b'expect "ready"\n')
    assert json.loads(client.recv(1000))["ok"]
    process.send_signal(signal.SIGTERM)
    assert answers(client)[-1]["end"]["exit_code"] == 128 + signal.SIGTERM
    assert end_of(process)[0] == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_the_end_loses_nothing(isochron, console_guest, place, number):
    """When the answer to the last request is there, the log is still to be completed."""
    for attempt in range(8):
        process = begin(isochron, console_guest, place, "-o", "log", command="record")
        client = connect(place, process)
        with client, client.makefile("rb") as lines:
            client.sendall(b'expect "ready"\nsend "q"\nrun\n')
            for _ in range(3):
                assert json.loads(lines.readline())["ok"]
            process.send_signal(number)
            end = json.loads(lines.readline())["end"]
        assert end["reason"] == "power-off" and end["exit_code"] == 0
        assert end_of(process)[0] == 0
        assert set(os.listdir(".")) == {"log", "log.images"}


def test_an_answer_is_complete_also_after_a_stop(isochron, console_guest, place):
    """More than the socket holds, to a client that reads only when the run is over."""
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b'send "l"\nrun 2G\n')
    client.shutdown(socket.SHUT_WR)
    *_, end = answers(client)
    assert end["end"]["exit_code"] == 128 + signal.SIGHUP and len(end["end"]["output"]) > 300_000
    assert end_of(process)[0] == 128 + signal.SIGHUP


def test_an_endless_run_ends_when_nobody_is_left(isochron, console_guest, place):
    process = begin(isochron, console_guest, place, "-o", "log", command="record")
    client = connect(place, process)
    client.sendall(b'expect "ready"\nsend "A"\nexpect "[41]"\nrun\n')
    client.close()
    assert end_of(process)[0] == 128 + signal.SIGHUP
    assert run(isochron, "replay", "log").returncode == 0


def test_an_endless_run_goes_on_for_a_client_that_only_reads(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b'at 100M send "q"\nrun\n')
    client.shutdown(socket.SHUT_WR)
    assert answers(client)[-1]["end"]["reason"] == "power-off"
    assert end_of(process)[0] == 0


@pytest.mark.parametrize("half", [b"", b'send "half a li', b"\xff\xfe"])
def test_a_client_that_goes_away(isochron, console_guest, place, half):
    process = begin(isochron, console_guest, place, "-o", "log", command="record")
    client = connect(place, process)
    client.sendall(b'expect "ready"\nsend "A"\nexpect "[41]"\n' + half)
    client.close()
    code, errors = end_of(process)
    assert code == 128 + signal.SIGHUP and "isochron: log: log, " in errors
    dumped = run(isochron, "log", "dump", "--json", "log").stdout.decode().splitlines()
    events = [json.loads(line) for line in dumped]
    assert [event["type"] for event in events] == ["header", "output", "input", "output", "stop", "end"]
    assert (events[4]["cause"], events[4]["detail"]) == ("signal", signal.SIGHUP)
    assert run(isochron, "replay", "log").returncode == 0


def test_nonsense(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    noise = [b"fly", b"send", b'send "', b'send "\\q"', b"expect", b"at once stop", b"run away", b"\x00", b"\xff" * 300]
    long = b"#" + b"x" * (1 << 17)
    client.sendall(b"".join(line + b"\n" for line in [*noise, long]) + b"stop\n")
    *refused, stopped, _ = answers(client)
    assert len(refused) == len(noise) + 1
    assert not any(answer["ok"] for answer in refused) and stopped["ok"]
    assert refused[3]["error"].startswith("request:4:7: unknown escape")
    assert refused[-1]["error"] == "a request has at most 65536 bytes"
    assert len({answer["cycle"] for answer in [*refused, stopped]}) == 1
    assert end_of(process) == (0, "")


def test_a_client_that_does_not_read(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.settimeout(0.5)
    with pytest.raises(TimeoutError):  # the program waits for us, and we for it
        while True:
            client.sendall(b"stats\n" * 1000)
    process.send_signal(signal.SIGTERM)
    assert end_of(process)[0] == 128 + signal.SIGTERM


def test_output_that_nobody_expects(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b'send "l"\nrun 100M\nstop\n')
    end = answers(client)[-1]["end"]
    assert end["output"].startswith("ready\r\n") and len(end["output"]) > 1000
    assert end_of(process)[0] == 0


# What cannot be had.


def test_refuses_paths(isochron, console_guest, place, tmp_path):
    write(tmp_path / "file", "precious")
    lonely = socket.socket(socket.AF_UNIX)
    for path, message in [
        ("file", "file: something is there already"),
        (".", "something is there already"),
        ("no/such/directory/control", "No such file"),
        ("/proc/control", "cannot be controlled at /proc/control"),
        ("x" * 108, "at most 107 bytes"),
        ("", "empty"),
        ("fd:0", "3 or more"),
        ("fd:x", "number of an inherited socket"),
        ("fd:77", "Bad file descriptor"),
        (f"fd:{lonely.fileno()}", "nobody is connected"),
    ]:
        result = run(
            isochron, "run", "--kernel", console_guest, "--control", path,
            pass_fds=[lonely.fileno()],
        )  # fmt: skip
        assert_refused(result, message)
    lonely.close()
    assert (tmp_path / "file").read_text() == "precious"


def test_refuses_a_path_in_use(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    wait_for(place, process)
    assert_refused(run(isochron, "run", "--kernel", console_guest, "--control", place), "already")
    client = connect(place, process)
    client.sendall(b"stop\n")
    assert end_of(process)[0] == 0


def test_replaces_the_socket_of_a_killed_process(isochron, console_guest, place):
    process = begin(isochron, console_guest, place)
    wait_for(place, process)
    process.kill()
    process.communicate()
    assert os.path.exists(place)
    process = begin(isochron, console_guest, place)
    client = connect(place, process)
    client.sendall(b"stop\n")
    assert answers(client)[-1]["end"]["reason"] == "stopped"
    assert end_of(process)[0] == 0


def test_refuses_two_masters(isochron, console_guest, place, tmp_path):
    script = write(tmp_path / "s", "stop\n")
    result = run(isochron, "run", "--kernel", console_guest, "--control", place, "--script", script)
    assert_refused(result, "--control excludes --script|--script excludes --control")
