"""The driver's reader of logs: what it makes of files that are damaged, huge, or made to deceive it."""

import random
import struct
import subprocess
import sys
import time

import hypothesis
import hypothesis.strategies as st
import pytest
import zstandard

from helpers.tree import DRIVER
from isochron import Event, Log, LogError


@pytest.fixture(scope="session")
def log_path(isochron, console_guest, tmp_path_factory):
    """A small log of several frames, with events of all types."""
    path = tmp_path_factory.mktemp("logs") / "log"
    script = path.with_name("script")
    script.write_text('expect "ready"\nsend "abc"\nrun 1200M\nsend "q"\n')
    subprocess.run(
        [isochron, "record", "-o", path, "--kernel", console_guest, "--console", "null"]
        + ["--script", script, "--checkpoint-interval", "100M"],
        stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def log(log_path):
    """Its bytes."""
    return log_path.read_bytes()


@pytest.fixture(scope="session")
def bundle(isochron, log_path):
    """The same log with its images."""
    path = log_path.with_name("bundle")
    subprocess.run([isochron, "log", "bundle", log_path, "-o", path], check=True)
    return path.read_bytes()


def contents_of(data):
    """What the frames of a complete log hold."""
    count = struct.unpack("<I", data[-9:-5])[0]
    contents = []
    at = 0
    for compressed, _, _ in struct.iter_unpack("<III", data[-9 - 12 * count : -9]):
        contents.append(zstandard.ZstdDecompressor().decompress(data[at : at + compressed]))
        at += compressed
    return contents


def make_log(contents, complete=True):
    """A log with frames of these contents."""
    compressor = zstandard.ZstdCompressor(write_checksum=True, write_content_size=True)
    frames = [compressor.compress(content) for content in contents]
    table = b"".join(
        struct.pack("<II", len(frame), len(content)) + frame[-4:] for frame, content in zip(frames, contents)
    )
    table = struct.pack("<II", 0x184D2A5E, len(table) + 9) + table + struct.pack("<IBI", len(frames), 0x80, 0x8F92EAB1)
    return b"".join(frames) + (table if complete else b"")


def read(path, data):
    """The events of a log, or the LogError."""
    path.write_bytes(data)
    try:
        events = list(Log(path))
    except LogError as error:
        return error
    assert all(isinstance(event, Event) for event in events)
    return events


def test_damaged_files(log, tmp_path):
    path = tmp_path / "log"

    @hypothesis.given(st.integers(0, len(log) - 1), st.binary(max_size=4), st.integers(0, 4))
    @hypothesis.settings(max_examples=500, deadline=None, database=None)
    def check(at, new, removed):
        read(path, log[:at] + new + log[at + removed :])

    check()
    events = read(path, log)
    for size in range(len(log)):
        got = read(path, log[:size])
        assert isinstance(got, LogError) or got == events[: len(got)]


def test_bundles(log, bundle, tmp_path):
    path = tmp_path / "log"
    events = read(path, log)
    assert read(path, bundle) == events
    start = bundle.index(log)

    @hypothesis.given(st.integers(0, start + len(log) - 1), st.binary(max_size=4), st.integers(0, 4))
    @hypothesis.settings(max_examples=1000, deadline=None, database=None)
    def check(at, new, removed):
        read(path, bundle[:at] + new + bundle[at + removed :])

    check()

    @hypothesis.given(st.sampled_from([0, 512]), st.integers(124, 135), st.binary(min_size=1, max_size=12))
    @hypothesis.settings(max_examples=500, deadline=None, database=None)
    def check_sizes(header, at, new):
        """Sizes that are none, in headers whose checksum is right."""
        block = bytearray(bundle[header : header + 512])
        block[at : at + len(new)] = new[: 136 - at]
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
        read(path, bundle[:header] + bytes(block) + bundle[header + 512 :])

    check_sizes()
    for size in range(16, start + len(log)):
        assert isinstance(read(path, bundle[:size]), LogError)


def test_frames_that_are_whole_and_hold_nonsense(log, tmp_path):
    path = tmp_path / "log"
    contents = contents_of(log)
    assert len(contents) > 2
    events = read(path, log)
    assert read(path, make_log(contents)) == events

    @hypothesis.given(st.data(), st.integers(0, len(contents) - 1), st.binary(max_size=3), st.booleans())
    @hypothesis.settings(max_examples=1000, deadline=None, database=None)
    def check(data, frame, new, complete):
        old = contents[frame]
        near = data.draw(st.integers(0, 255))
        at = data.draw(st.sampled_from([near, len(old) - near, near * len(old) >> 8])) % len(old)
        removed = data.draw(st.sampled_from([len(new), len(new), 0, 1, 2, 3]))
        mutated = [*contents]
        mutated[frame] = old[:at] + new + old[at + removed :]
        read(path, make_log(mutated, complete))

    check()


def varint(value):
    """As logs write numbers."""
    digits = []
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def frame_start(cycle, number):
    """The first record of a frame."""
    payload = varint(cycle) + varint(number)
    return b"\0\0" + varint(len(payload)) + payload


def with_role_2(header):
    """A header whose image, the last field, has a role that there is not."""
    at = next(at for at in range(len(header)) if header[at] == 13 and at + 2 + header[at + 1] == len(header))
    return header[: at + 2] + b"\2" + header[at + 3 :]


@pytest.mark.parametrize(
    "record, message",
    [
        (b"\x43\0\x12\x05" + bytes(17), "from 0 to 4"),  # an end
        (b"\x02\0\x02\x06\0", "from 0 to 5"),  # a stop
        (b"\x01\0\0", "no bytes"),
        (b"\x40\0\x02\0\0", "no bytes"),
        (b"\x41\0\x01\0", "the log has no end"),
        (b"\x80" * 20, "not a varint"),
        (b"\x06\0\0", "must be understood"),
        (b"\x05\0\x0d" + bytes(13), "too short or too long"),
        (b"\x44\0\xeb\x0b" + bytes(1515), "too short or too long"),
        (b"\x45\0\x11\x0d" + bytes(16), "too short"),
        (b"\x05\0\x0e" + bytes(14), "no network device"),
        (b"\x44\0\x0e" + bytes(14), "no network device"),
        (b"\x45\0\x11\x0e" + bytes(16), "no network device"),
        (b"\x04\0\x0a\0\x1f" + bytes(8), "a write to no register"),
        (b"\x04\0\x09\0\0" + bytes(7), "a write to no register"),
        (b"\x04\0\x02\1\0", "or to no memory"),
        (b"\x04\0\x0a\2\0" + bytes(8), "from 0 to 1|must be understood"),
        ((b"\x43\0\x12" + bytes(18)) * 2, "follows the end"),
        (b"\x41" + b"\xff" * 9 + b"\x01\x01\0" + b"\x41\x01\x01\0", "cycles go back"),
    ],
    ids=["end", "stop", "input", "output", "no-end", "varint", "type", "received", "sent", "sent-long"]
    + ["received-by-none", "sent-by-none", "sent-long-by-none"]
    + ["zero-register", "short-register", "no-bytes", "space", "after-end", "cycles"],
)
def test_values_that_there_are_not(log, tmp_path, record, message):
    header, *_ = contents_of(log)
    with pytest.raises(LogError, match=message):
        raise read(tmp_path / "log", make_log([header, frame_start(0, 0) + record]))


def with_field(header, number, value):
    """A header with one field more, which is the last."""
    end = next(at for at in range(10, len(header)) if header[at] < 0x80) + 1
    fields = header[end:] + varint(number) + varint(len(value)) + value
    return header[:10] + varint(len(fields)) + fields


def test_headers_that_there_are_not(log, tmp_path):
    header, *rest = contents_of(log)
    for changed, message in [
        (with_role_2(header), "from 0 to 1"),
        (header[:-40], "breaks off"),
        (header[:10] + b"\0", "missing"),
        (header + b"\0", "follow the header"),
        (b"x" + header, "no log"),
        (header + bytes(1 << 16), "too large"),
        (with_field(header, 16, b"\0\0" + bytes(6)), "no address of one station"),
        (with_field(header, 16, b"\1\0\3" + bytes(5)), "no address of one station"),
    ]:
        with pytest.raises(LogError, match=message):
            raise read(tmp_path / "log", make_log([changed, *rest]))


def bomb(content_size, blocks):
    """A frame of blocks that unpack to 128 KiB each, and what it says that it holds."""
    block = ((128 << 10) << 3 | 1 << 1).to_bytes(3, "little") + b"\x00"
    last = (1 << 3 | 1).to_bytes(3, "little") + b"\x00"
    # The content's size in 8 bytes, a checksum, a window of 128 KiB.
    return b"\x28\xb5\x2f\xfd\xc4\x38" + content_size.to_bytes(8, "little") + block * blocks + last + bytes(4)


@pytest.mark.parametrize("told", [8192 << 17 | 1, 2 << 20, 100])
@pytest.mark.parametrize("first", [True, False])
def test_a_frame_that_unpacks_to_a_gigabyte(log, tmp_path, told, first):
    header = make_log(contents_of(log)[:1], complete=False)
    (tmp_path / "log").write_bytes((b"" if first else header) + bomb(told, 8192))
    code = """
import resource, sys
from isochron import Log, LogError
import zstandard
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(Log("log"))
except LogError as error:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(DRIVER), "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 16 << 10  # KiB


def test_reading_takes_time_as_the_file_is_long(log, tmp_path):
    header, *_ = contents_of(log)
    noise = random.Random(1).randbytes(60_000)  # which stays as long as it is

    def seconds(frames):
        record = b"\x7f\0" + varint(len(noise)) + noise
        contents = [header, *(frame_start(0, number) + record for number in range(frames))]
        (tmp_path / "log").write_bytes(make_log(contents, complete=False))
        before = time.process_time()
        assert sum(1 for _ in Log(tmp_path / "log")) == frames
        return time.process_time() - before

    few, many = (min(seconds(frames) for _ in range(3)) for frames in (50, 800))
    assert many < 4 * 16 * few + 0.5
