"""Linux on a network of the host: what comes and goes, recorded, and replayed where there is no network at all."""

import contextlib
import http.server
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from conformance.tree import guest_path
from helpers.commands import assert_refused, end_of, run, start
from helpers.linux_guest import Transcript, boot_arguments, conversation, run_script
from helpers.recordings import assert_replays, events
from helpers.tree import HANG
from isochron import Machine, Timeline, engines

# What the guest fetches, in bytes, and how many recordings are killed. ISOCHRON_NETWORK_BYTES=52428800
# ISOCHRON_NETWORK_KILLS=50 takes some minutes.
SIZE = int(os.environ.get("ISOCHRON_NETWORK_BYTES", 1 << 20))
KILLS = int(os.environ.get("ISOCHRON_NETWORK_KILLS", 3))
DATA = bytes(range(251)) * (SIZE // 251 + 1)
MODELS = ("virtio", "tulip")
DHCP = "udhcpc -i eth0 -n -q -f"


def boot():
    """Options of a Linux with drivers of networks and disks, where udhcpc sets up what it gets."""
    initrd = guest_path("initrd-network") / "initrd.cpio.gz"
    return boot_arguments(kernel="linux-disk", initrd=initrd)


def talk(commands):
    """A conversation that is over in time: with a network, guest seconds are no shorter than others."""
    return conversation(commands).replace("within 2000G", "within 100s")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


@pytest.fixture(scope="module", name="server")
def server_on_loopback():
    """The port of a web server that has DATA everywhere."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.send_header("Content-Length", str(SIZE))
            self.end_headers()
            self.wfile.write(DATA[:SIZE])

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever)
        thread.start()
        yield found.server_address[1]
        found.shutdown()
        thread.join()


class Caller:
    """Connects to a port until somebody there answers, says something, and keeps the answer."""

    def __init__(self, port, words):
        self.port, self.words, self.answer = port, words, b""
        self.enough = threading.Event()
        self.thread = threading.Thread(target=self._call)

    def _call(self):
        while not self.answer and not self.enough.wait(0.1):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=HANG) as called:
                    called.sendall(self.words)
                    called.shutdown(socket.SHUT_WR)
                    self.answer = called.makefile("rb").read()
            except OSError:
                pass  # nobody listens yet

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.thread.join()


def md5(data):
    return subprocess.run(["md5sum"], input=data, stdout=subprocess.PIPE, check=True).stdout.decode().split()[0]


def record_session(isochron, directory, server, engine, model):
    """The log of a guest that does all that a guest does with a network."""
    port = free_port()
    log = directory / f"{engine}-{model}.log"
    commands = [
        DHCP,
        "ping -c 3 10.0.2.2",
        f"wget -q -O /tmp/file http://10.0.2.2:{server}/file && md5sum /tmp/file",
        "echo from the guest | nc -l -p 7 > /tmp/called; cat /tmp/called",
        "ip addr show eth0; cat /proc/net/dev",
    ]
    arguments = [*boot(), "--engine", engine, "--net", f"user,model={model},hostfwd=tcp::{port}-:7", "-o", str(log)]
    arguments += ["--snapshot-every", "2s", "--stats"]
    with Caller(port, b"from the host\n") as caller:
        transcript = run_script(isochron, arguments, directory / f"{engine}-{model}", talk(commands), "record")
    transcript.check()
    return log, transcript, caller


@pytest.fixture(scope="module", name="session", params=[f"{engine}-{model}" for engine in ("jit", "ref") for model in MODELS])
def recorded_session(isochron, server, request, tmp_path_factory):
    engine, model = request.param.split("-")
    if engine not in engines(isochron):
        pytest.skip(f"built without {engine}")
    return record_session(isochron, tmp_path_factory.mktemp("network"), server, engine, model)


def without_network(isochron, *arguments):
    """The program where there is no network at all, as far as this host allows that."""
    alone = ["unshare", "-n", "--"]
    if subprocess.run([*alone, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        alone = ["unshare", "-r", "-n", "--"]
    if subprocess.run([*alone, "true"], stderr=subprocess.DEVNULL, check=False).returncode != 0:
        alone = []
    return run(*alone, isochron, *arguments)


def test_a_guest_is_on_the_network(session):
    log, transcript, caller = session
    assert re.search(r"lease of 10\.0\.2\.15 obtained", "\n".join(transcript.output(0))), transcript.text
    assert "3 packets transmitted, 3 packets received, 0% packet loss" in "\n".join(transcript.output(1))
    # Its kernel may have something to say of the link in between.
    assert transcript.output(2)[-1].split()[0] == md5(DATA[:SIZE])
    assert transcript.output(3)[-1] == "from the host"
    assert caller.answer == b"from the guest\n"
    assert any("52:54:00:12:34:56" in line for line in transcript.output(4))
    counted = re.search(r"network: (\d+) frames received \((\d+) bytes\), (\d+) sent", transcript.errors)
    assert counted and int(counted[2]) > SIZE and int(counted[3]) > 10, transcript.errors
    assert log.stat().st_size > 0


def test_it_replays_without_a_network_on_every_engine(isochron, session):
    log = session[0]
    for engine in engines(isochron):
        result = without_network(isochron, "replay", str(log), "--engine", engine)
        assert result.returncode == 0, result.stderr.decode()
        assert b"events are equal" in result.stderr
        assert result.stdout.decode().replace("\r", "") == session[1].text


def test_it_is_gone_through_in_both_directions(isochron, session, tmp_path):
    log = session[0]
    result = run(isochron, "replay", str(log), "--from", "3s", "--console", "null")
    assert result.returncode == 0, result.stderr.decode()
    assert b"from the snapshot" in result.stderr or b"events are equal" in result.stderr
    bundle = tmp_path / "bundle"
    made = run(isochron, "log", "bundle", str(log), "-o", str(bundle))
    assert made.returncode == 0, made.stderr.decode()
    assert run(isochron, "log", "verify", str(bundle)).returncode == 0
    with Timeline(log, program=isochron) as timeline:
        end = timeline.goto_end()
        text = timeline.console()
        middle = timeline.goto(cycle=end.cycle * 3 // 4)
        registers = timeline.registers()
        timeline.goto_start()
        assert timeline.goto(cycle=end.cycle * 3 // 4) == middle
        assert timeline.registers() == registers
        assert timeline.goto_end() == end
        assert timeline.console() == text


def test_two_machines_are_joined_by_a_socket(isochron, tmp_path):
    """One serves what the other fetches; both are recorded, and replay alone."""
    wire = tmp_path / "wire"
    machines = []
    for number in (1, 2):
        net = f"socket:{wire},model={MODELS[number % len(MODELS)]},mac=52:54:00:00:00:0{number}"
        script = [f"ip addr add 192.168.7.{number}/24 dev eth0; ip link set eth0 up"]
        if number == 1:
            # Who has given everything to the kernel must not power off before the other has it: states 1 and 4.
            all_there = "while grep -q ':0007 [^ ]* 0[14]' /proc/net/tcp; do sleep 1; done"
            script.append(f"seq 1 50000 > /tmp/numbers; nc -l -p 7 < /tmp/numbers; {all_there}; md5sum /tmp/numbers")
        else:
            again = "until nc 192.168.7.1 7 < /dev/null > /tmp/got && [ -s /tmp/got ]; do sleep 1; done"
            script.append(f"{again}; md5sum /tmp/got")
        path = tmp_path / f"script{number}"
        path.write_text(talk(script))
        log = tmp_path / f"log{number}"
        arguments = [*boot(), "--net", net, "-o", str(log), "--script", str(path)]
        machines.append((log, start(isochron, "record", *arguments, stdin=subprocess.DEVNULL)))
    sums = []
    for log, process in machines:
        output, errors = process.communicate(timeout=HANG)
        transcript = Transcript(subprocess.CompletedProcess([], process.returncode, output, errors))
        transcript.check()
        sums.append(transcript.output(1)[-1].split()[0])
        assert without_network(isochron, "replay", str(log), "--console", "null").returncode == 0
    numbers = "".join(f"{number}\n" for number in range(1, 50_001)).encode()
    assert sums == [md5(numbers)] * 2
    assert not wire.exists()


def test_a_flood_grows_a_log_no_faster_than_its_rate(isochron, tmp_path):
    wire, log = tmp_path / "wire", tmp_path / "log"
    script = tmp_path / "script"
    script.write_text(talk(["ip link set eth0 up; sleep 2; cat /sys/class/net/eth0/statistics/rx_packets"]))
    arguments = [*boot(), "--net", f"socket:{wire}", "-o", str(log), "--script", str(script)]
    process = start(isochron, "record", *arguments, stdin=subprocess.DEVNULL)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    deadline = time.monotonic() + HANG
    while peer.connect_ex(str(wire)) != 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    frame = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x88\xb5" + bytes(1500)
    sent = 0
    with contextlib.suppress(ConnectionError), peer:
        while True:
            peer.send(frame)
            sent += 1
    output, errors = process.communicate(timeout=HANG)
    transcript = Transcript(subprocess.CompletedProcess([], process.returncode, output, errors))
    transcript.check()
    assert int(transcript.output(0)[-1]) > 1000
    received = len(events(isochron, log, "received"))
    cycles = int(re.search(r"^duration +(\d+) cycles", run(isochron, "log", "info", str(log)).stdout.decode(), re.M)[1])
    # The same rate for a guest that is slower, or faster, than whoever floods it.
    assert 1000 < received <= min(sent, 32 * (cycles // (1 << 20) + 1))
    assert without_network(isochron, "replay", str(log), "--console", "null").returncode == 0


def test_a_killed_recording_replays(isochron, server, tmp_path):
    script = tmp_path / "script"
    fetch = f"while wget -q -O /tmp/file http://10.0.2.2:{server}/file; do :; done"
    script.write_text(talk([DHCP, fetch]))
    for number in range(KILLS):
        log = tmp_path / f"{number}.log"
        arguments = [*boot(), "--net", "user", "-o", str(log), "--script", str(script)]
        process = start(isochron, "record", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        partial = pathlib.Path(f"{log}.partial")
        deadline = time.monotonic() + HANG
        while not pathlib.Path(f"{log}.images").exists() or partial.stat().st_size < 2000:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        time.sleep(random.uniform(number, number + 1) * 4 / KILLS)
        process.kill()
        end_of(process)
        result = run(isochron, "replay", str(partial), "--console", "null")
        assert result.returncode == 0, result.stderr.decode()
        assert b"where it breaks off (it is partial)" in result.stderr


def network_process(process):
    """The process of --net user that a running program has."""
    deadline = time.monotonic() + HANG
    while time.monotonic() < deadline:
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in children:
            if pathlib.Path(f"/proc/{child}/comm").read_text() == "isochron-net\n":
                return int(child)
        time.sleep(0.01)
    raise AssertionError("there is no such process")


def test_the_guest_survives_its_network(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    process = start(isochron, "record", "--kernel", console_guest, "--net", "user", "-o", str(log))
    child = network_process(process)
    assert process.stdout.read(5) == b"ready"
    os.kill(child, signal.SIGKILL)
    while "has gone" not in (line := process.stderr.readline().decode()):
        assert line
    assert line == "isochron: the process of --net user has gone; the guest runs on without a network\n"
    process.stdin.write(b"q")
    code, errors = end_of(process)
    assert code == 0, errors
    assert_replays(isochron, log, "the guest powered off", "--console", "null")


def test_the_network_ends_with_its_program(isochron, console_guest):
    process = start(isochron, "run", "--kernel", console_guest, "--net", f"user,hostfwd=tcp::{free_port()}-:1")
    child = network_process(process)
    process.kill()
    end_of(process)
    deadline = time.monotonic() + HANG
    while pathlib.Path(f"/proc/{child}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    "net, message",
    [
        ("tap", "--net: 'tap' is not one of none, user and socket:PATH"),
        ("user,hostfwd=tcp:80", r"is not tcp\|udp:"),
        ("user,mac=ff:ff:ff:ff:ff:ff", "is no address of one station"),
        ("none,model=tulip", "has settings, and no network"),
        ("socket:/dev/null", "/dev/null: .*no socket"),
        ("socket:/nowhere/wire", "/nowhere/wire: its directory: No such file"),
        (f"socket:/tmp/{'x' * 200}", "at most 107 bytes"),
    ],
)
def test_a_network_that_cannot_be_is_refused(isochron, console_guest, net, message):
    assert_refused(run(isochron, "run", "--kernel", console_guest, f"--net={net}"), message)


def test_a_port_that_is_taken_is_refused(isochron, console_guest, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        log = tmp_path / "log"
        arguments = ["--kernel", console_guest, "-o", str(log), f"--net=user,hostfwd=tcp::{port}-:80"]
        assert_refused(run(isochron, "record", *arguments), rf"tcp:127\.0\.0\.1:{port}-.*: Address already in use")
    assert not list(tmp_path.iterdir())


def test_engines_agree_on_what_comes(isochron, server, tmp_path):
    """conform has the network on the engine that records."""
    if len(engines(isochron)) < 2:
        pytest.skip("built without jit")
    script = talk([DHCP, f"wget -q -O - http://10.0.2.2:{server}/file | head -c 100000 | md5sum"])
    transcript = run_script(isochron, [*boot(), "--net", "user"], tmp_path / "script", script, "conform")
    transcript.check()
    assert "agree: " in transcript.errors


def test_the_driver_has_networks(isochron, server, tmp_path):
    initrd = guest_path("initrd-network") / "initrd.cpio.gz"
    kernel = guest_path("linux-disk") / "vmlinux"
    machine = Machine(kernel, initrd, net="user", append="console=ttyS0", program=isochron)
    log = tmp_path / "log"
    with machine.record(log) as session:
        session.expect("# ")
        session.send(f"{DHCP}; wget -q -O - http://10.0.2.2:{server}/file | head -c 251 | md5sum\n")
        session.expect(md5(DATA[:251]))
        session.expect("# ")
        session.send("poweroff -f\n")
        session.finish()
    assert events(isochron, log, "received") and events(isochron, log, "sent")
