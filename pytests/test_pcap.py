"""`log pcap`: the frames of a log as packet analysers read them."""

import shutil
import struct
import subprocess

import pytest

STATION = bytes.fromhex("525400123456")
PEER = bytes.fromhex("52550a000202")
HZ = 600_000_000
RTC = 1_262_304_000


def varint(value):
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def field(number, value):
    value = varint(value) if isinstance(value, int) else value
    return varint(number) + varint(len(value)) + value


def header(network):
    fields = b"".join(
        field(number, value)
        for number, value in [
            (1, 3), (2, bytes(16)), (3, 64 << 20), (4, HZ), (5, 128), (6, 128), (7, RTC * 2), (8, 0),
            (9, 1 << 20), (10, 1 << 29), (11, b""), (12, 1),
        ]
    )
    if network:
        fields += field(16, varint(0) + varint(100) + STATION)
    return b"ISOCHLOG" + varint(2) + varint(0) + varint(len(fields)) + fields


def record(kind, delta, payload):
    return varint(kind) + varint(delta) + varint(len(payload)) + payload


def write_log(folder, records, network=True):
    """A log that breaks off behind these records, as docs/replay-log.md describes it."""
    log = b""
    for content in (header(network), record(0, 0, varint(0) + varint(0)) + b"".join(records)):
        part = folder / "part"
        part.write_bytes(content)
        log += subprocess.run(["zstd", "-q", "-c", "--check", part], stdout=subprocess.PIPE, check=True).stdout
    path = folder / "log"
    path.write_bytes(log)
    return path


def ping(to, by, size):
    payload = bytes(size - 42)
    message = b"\x08\x00\x00\x00\x00\x01\x00\x01" + payload
    total = sum(struct.unpack(f">{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    message = message[:2] + struct.pack(">H", ~total & 0xFFFF) + message[4:]
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(message), 1, 0, 64, 1, 0, bytes([10, 0, 2, 15]), bytes([10, 0, 2, 2]))
    return to + by + b"\x08\x00" + ip + message


@pytest.fixture(name="log")
def log_fixture(tmp_path):
    """A frame out at 1 s, one in half a second later, and one of which only size and digest are there."""
    return write_log(
        tmp_path,
        [
            record(68, HZ, ping(PEER, STATION, 98)),
            record(65, 0, varint(4)),
            record(5, HZ // 2, ping(STATION, PEER, 98)),
            record(69, 3, varint(1514) + bytes(range(16))),
        ],
    )


def pcap(isochron, log, capture):
    return subprocess.run(
        [isochron, "log", "pcap", log, "-o", capture], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False
    )


def packets(capture):
    """(nanoseconds, direction, bytes, size) of each packet."""
    data = capture.read_bytes()
    at = 0
    found = []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert struct.unpack_from("<I", data, at + length - 4) == (length,)
        if kind == 6:
            _, high, low, captured, size = struct.unpack_from("<IIIII", data, at + 8)
            options = data[at + 28 + (captured + 3) // 4 * 4 : at + length - 4]
            direction = options[options.index(b"\x02\0\x04\0") + 4]
            found.append((high << 32 | low, direction, data[at + 28 : at + 28 + captured], size))
        at += length
    return found


def test_both_directions_at_their_guest_time(isochron, log, tmp_path):
    capture = tmp_path / "frames.pcap"
    done = pcap(isochron, log, capture)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert packets(capture) == [
        (10**9, 2, ping(PEER, STATION, 98), 98),
        (1_500_000_000, 1, ping(STATION, PEER, 98), 98),
        (1_500_000_005, 2, b"", 1514),
    ]
    again = tmp_path / "again.pcap"
    assert pcap(isochron, log, again).returncode == 0
    assert again.read_bytes() == capture.read_bytes()


def test_the_analyser_has_no_complaint(isochron, log, tmp_path):
    if shutil.which("tshark") is None:
        pytest.skip("there is no tshark")
    capture = tmp_path / "frames.pcap"
    assert pcap(isochron, log, capture).returncode == 0
    fields = ["frame.time_epoch", "frame.len", "frame.cap_len", "frame.packet_flags_direction", "frame.comment"]
    read = subprocess.run(
        ["tshark", "-n", "-r", capture, "-T", "fields"] + [part for name in fields for part in ("-e", name)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
    )
    complaints = [line for line in read.stderr.splitlines() if "as user" not in line]
    assert complaints == []
    lines = [line.split("\t") for line in read.stdout.splitlines()]
    assert [line[0] for line in lines] == [f"{RTC + 1}.000000000", f"{RTC + 1}.500000000", f"{RTC + 1}.500000005"]
    assert [line[1:3] for line in lines] == [["98", "98"], ["98", "98"], ["1514", "0"]]
    assert [int(line[3], 16) for line in lines] == [2, 1, 2]
    assert lines[2][4] == "digest 000102030405060708090a0b0c0d0e0f"


def test_frames_are_told_by_the_other_commands(isochron, log):
    def run(*command):
        return subprocess.run([isochron, "log", *command], stdout=subprocess.PIPE, text=True, check=True).stdout

    dumped = run("dump", log, "--full", "--type", "sent", "--type", "received", "--type", "sent-long").splitlines()[1:]
    assert [line.split()[3:] for line in dumped] == [
        ["sent", "98", "bytes", "ICMP", "10.0.2.15", ">", "10.0.2.2"],
        ["received", "98", "bytes", "ICMP", "10.0.2.15", ">", "10.0.2.2"],
        ["sent-long", "1514", "bytes", bytes(range(16)).hex()],
    ]
    told = run("info", log)
    assert "virtio, 52:54:00:12:34:56" in told
    assert "with their bytes up to 100, beyond that their digest" in told
    assert "partial, sound" in run("verify", log)


def test_no_network_no_capture(isochron, tmp_path):
    log = write_log(tmp_path, [], network=False)
    capture = tmp_path / "frames.pcap"
    done = pcap(isochron, log, capture)
    assert done.returncode == 2
    assert "without a network device" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not capture.exists()


def test_a_damaged_log_leaves_no_capture(isochron, log, tmp_path):
    data = bytearray(log.read_bytes())
    data[-6] ^= 1
    log.write_bytes(data)
    capture = tmp_path / "frames.pcap"
    capture.write_bytes(b"mine")
    assert pcap(isochron, log, capture).returncode == 2
    assert capture.read_bytes() == b"mine"
    assert not (tmp_path / "frames.pcap.partial").exists()
