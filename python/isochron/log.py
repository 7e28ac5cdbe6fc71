"""Reads replay logs, as docs/replay-log.md describes them. As a program: what `isochron log dump --json` prints."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import struct
import sys
import tarfile
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

from isochron.codings import Event, Payload, name_of, require
from isochron.errors import IsochronError, LogError, hide
from isochron.records import OLD_RECORDS, RECORDS, Checkpoint, End, Input, Interrupt, Output, Received, Sent, SentLong, Stop, Write
from isochron.script import prefix, printable, sends, when

__all__ = ["Checkpoint", "End", "Event", "Input", "Interrupt", "Log", "Output", "Stop", "Unknown"]

__tracebackhide__ = hide

_BUNDLE_MAGIC = b"isochron-bundle\0"
_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1
_MAX_HEADER = 64 << 10
_MAX_CONTENT = 2 << 20
_MAX_PAYLOAD = (1 << 20) + 64

_BOOT_ROLES = ["kernel", "initrd"]
_MAX_DISKS = 8
_INTERFACES = ["virtio", "ide", "cdrom"]
_NETWORK_MODELS = ["virtio", "tulip"]
_MIN_FRAME, _MAX_FRAME = 14, 1514
_NUMBER_FIELDS = {
    1: "model_version",
    3: "memory_bytes",
    4: "clock_hz",
    5: "itb_entries",
    6: "dtb_entries",
    8: "seed",
    9: "input_interval",
    10: "checkpoint_interval",
}


@dataclasses.dataclass(frozen=True)
class Unknown(Event):
    """A witness of a newer version of the format."""

    type: ClassVar[str] = "unknown"

    record_type: int
    payload: str


class _Frame(NamedTuple):
    """Where a frame lies in a file, and the size of its content."""

    start: int
    end: int
    content: int


def _measure_frame(data: bytes, start: int) -> _Frame | None:
    """The frame at `start`, by its own account; None when the data breaks off in it."""
    magic = data[start : start + 4]
    require(magic == _FRAME_MAGIC[: len(magic)], f"no zstd frame at byte {start}")
    if start + 5 > len(data):
        return None
    descriptor = data[start + 4]
    require(descriptor & 0b1111 == 0b0100, f"the frame at byte {start} has no checksum, or a dictionary")
    single_segment = descriptor >> 5 & 1
    size = [single_segment, 2, 4, 8][descriptor >> 6]
    require(size != 0, f"the frame at byte {start} does not tell the size of its content")
    at = start + 6 - single_segment  # behind the window's size
    content = int.from_bytes(data[at : at + size], "little") + (256 if size == 2 else 0)
    at += size
    last = False
    while not last:
        if at + 3 > len(data):
            return None
        block = int.from_bytes(data[at : at + 3], "little")
        last, kind = block & 1 == 1, block >> 1 & 3
        require(kind != 3, f"the frame at byte {start} is damaged")
        at += 3 + (1 if kind == 1 else block >> 3)
    at += 4  # the checksum
    if at > len(data):
        return None
    require(content <= (_MAX_HEADER if start == 0 else _MAX_CONTENT), f"the frame at byte {start} is too large")
    return _Frame(start, at, content)


def _read_seek_table(data: bytes) -> list[_Frame] | None:
    """All frames but the table's own; None in a partial log."""
    if len(data) < 17:
        return None
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    if magic != _SEEKABLE_MAGIC:
        return None
    size = 17 + 12 * count
    table = len(data) - size
    require(
        descriptor == 0x80
        and table >= 0
        and struct.unpack("<II", data[table : table + 8]) == (_SKIPPABLE_MAGIC, size - 8),
        "the seek table is damaged",
    )
    frames = []
    at = 0
    for compressed, content, checksum in struct.iter_unpack("<III", data[table + 8 : -9]):
        frame = _measure_frame(data, at)
        require(
            frame == (at, at + compressed, content)
            # The table's checksum is the one with which a frame ends.
            and data[at + compressed - 4 : at + compressed] == checksum.to_bytes(4, "little"),
            f"the frame at byte {at} is not the one in the seek table",
        )
        frames.append(_Frame(at, at + compressed, content))
        at += compressed
    require(at == table and frames, "the frames in the seek table do not make up the file")
    return frames


def _log_in(bundle: bytes) -> bytes:
    """The log of a bundle, which is a tar archive."""
    try:
        with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:") as archive:
            archive.next()  # the list of images
            log = archive.next()
    except (tarfile.TarError, ValueError, OverflowError) as error:  # the latter two of numbers that no size can be
        raise LogError(f"the bundle is damaged: {error}") from error
    if log is None or log.name != "log":
        raise LogError("the bundle's second member is no log")
    data = bundle[log.offset_data : log.offset_data + log.size]
    require(len(data) == log.size, "the bundle breaks off in its log")
    return data


def _find_frames(data: bytes) -> list[_Frame]:
    """The frames of a partial log that are whole."""
    frames: list[_Frame] = []
    at = 0
    # What breaks off may be the seek table, too.
    while at < len(data) and not (at > 0 and data.startswith(struct.pack("<I", _SKIPPABLE_MAGIC), at)):
        frame = _measure_frame(data, at)
        if frame is None:
            break
        frames.append(frame)
        at = frame.end
    require(frames, "the file breaks off within the header")
    return frames


def _read_frame(data: bytes, frame: _Frame) -> bytes:
    try:
        import zstandard  # pylint: disable=import-outside-toplevel  # driving guests does without it
    except ImportError as error:
        raise IsochronError("reading logs needs the module zstandard (Debian: python3-zstandard)") from error
    try:
        # Allocates what the frame says, which has been measured, and decompresses no more than that.
        content: bytes = zstandard.ZstdDecompressor().decompress(memoryview(data)[frame.start : frame.end])
    except zstandard.ZstdError as error:
        raise LogError(f"the frame at byte {frame.start} is damaged: {error}") from error
    require(len(content) == frame.content, f"the frame at byte {frame.start} is damaged")
    return content


def _read_header(content: bytes) -> dict[str, Any]:
    data = Payload(content)
    require(content[:8] == b"ISOCHLOG", "no log")
    data.take(8)
    require(data.varint() in (1, 2), "another major version")
    data.varint()
    fields = Payload(data.counted())
    require(not data, "bytes follow the header")
    header: dict[str, Any] = {"type": "header", "images": []}
    numbers = [0]
    while fields:
        numbers.append(fields.varint())
        require(numbers[-2] < numbers[-1] or numbers[-2:] in ([13, 13], [14, 14]), "the header's fields are out of order")
        value = Payload(fields.counted())
        _read_field(numbers[-1], value, header)
        require(not value, "a header field is too long")
    require(numbers[:13] == list(range(13)), "a header field is missing")
    roles = [image["role"] for image in header["images"]][: numbers.count(13)]
    require(roles == [role for role in _BOOT_ROLES if role in roles], "the images are out of order")
    require(numbers.count(14) <= _MAX_DISKS, "there are too many disks")
    return header


def _read_field(number: int, value: Payload, header: dict[str, Any]) -> None:
    if number in _NUMBER_FIELDS:
        header[_NUMBER_FIELDS[number]] = value.varint()
    elif number == 2:
        header["palcode"] = value.digest()
    elif number == 7:
        zigzag = value.varint()
        header["rtc_base_seconds"] = (zigzag >> 1) ^ -(zigzag & 1)
    elif number == 11:
        header["command_line"] = value.rest().decode("latin-1")
    elif number == 12:
        header["reboot"] = value.varint(2) == 1
    elif number == 13:
        image: dict[str, Any] = {"role": name_of(_BOOT_ROLES, value.varint()), "size": value.varint()}
        header["images"].append(image | {"digest": value.digest()})
    elif number == 14:
        disks = header.setdefault("disks", [])
        interface = name_of(_INTERFACES, value.varint())
        disks.append({"interface": interface, "read_only": value.varint(2) == 1, "bytes": value.varint()})
        image = {"role": f"disk{len(disks) - 1}", "size": disks[-1]["bytes"], "digest": value.digest()}
        header["images"].append(image)
    elif number == 15:
        header["entropy_device"] = value.varint(2) == 1
    elif number == 16:
        network = {"model": name_of(_NETWORK_MODELS, value.varint()), "whole_frames": value.varint(_MAX_FRAME + 1)}
        mac = value.take(6)
        require(mac[0] & 1 == 0 and any(mac), "the network device has no address of one station")
        header["network"] = network | {"mac": mac.hex(":")}
    elif number == 17:
        header["disk_console"] = value.digest()
    elif number == 18:
        header["boot_disk"] = value.varint(_MAX_DISKS)
    elif number == 19:
        header["nvram"] = value.rest().decode("latin-1")
    elif number == 20:
        header["cpus"] = value.varint()
    elif number == 21:
        header["quantum"] = value.varint()
    elif number == 22:
        header["schedule"] = _schedule(value)
    else:
        require(number >= 64, "a header field that must be understood")
        value.rest()


def _schedule(value: Payload) -> str:
    """A schedule as the option --schedule has it."""
    kind = value.varint(4)
    require(kind != 0, "a schedule that is always the same")
    if kind == 3:
        switches = []
        while value:
            cycle, cpus = value.varint(), value.varint(16)
            switches.append(f"{cycle}:{cpus >> 2}-{cpus & 3}")
        return "switches:" + ",".join(switches)
    first, second, third = value.varint(), value.varint(), value.varint()
    return f"random:{first}:{second}-{third}" if kind == 1 else f"pct:{first}:{second}:{third}"


def _is_write(write: Write) -> bool:
    """Whether there can be a write to that place of so many bytes."""
    if write.space == "register":
        return write.address <= 64 and write.address != 31 and len(write.bytes) == 8
    return 0 < len(write.bytes) <= (1 << 44) - write.address


def _read_event(kind: int, place: tuple[int, int, int], data: Payload) -> Event:
    if kind in OLD_RECORDS:
        kind, front = OLD_RECORDS[kind]
        data = Payload(front + data.rest())
    if kind not in RECORDS:
        require(kind >= 64, "an input that must be understood")
        return Unknown(*place, kind, data.rest().hex())
    values: list[Any] = list(place)
    for coding in RECORDS[kind].codings:
        values.append(coding.take(data, values))
    event = RECORDS[kind](*values)
    require(not data, "a record is too long")
    if isinstance(event, Write):
        require(_is_write(event), "a write to no register, or to no memory")
    if isinstance(event, Input):
        require((event.kind == "break") == (not event.bytes), "an input of no bytes, or a break with some")
    if isinstance(event, SentLong):
        require(event.size >= _MIN_FRAME, "a frame is too short")
    return event


def _read_events(contents: Iterator[bytes], partial: bool, network: bool) -> Iterator[Event]:
    cycle = number = 0
    ended = False
    for content in contents:
        data = Payload(content)
        require((data.varint(), data.varint()) == (0, 0), "no frame start")
        start = Payload(data.counted())
        require((start.varint(), start.varint()) == (cycle, number) and not start, "frames do not join")
        while data:
            tag = data.varint(1 << 15)
            cycle += data.varint()
            payload = Payload(data.counted())
            require(len(payload.data) <= _MAX_PAYLOAD, "a record is too long")
            event = _read_event(tag & 127, (number, cycle, tag >> 7), payload)
            require(network or not isinstance(event, (Received, Sent, SentLong)), "a frame, and there is no network device")
            cycle += sum(event.deltas) if isinstance(event, Output) else 0
            require(cycle < 1 << 64, "cycles go back")
            require(not ended, "an event follows the end")
            ended = isinstance(event, End)
            number += 1
            yield event
    require(partial or ended, "the log has no end")


class Log:
    """A replay log, complete, partial or in a bundle. Iterating gives its events; each iteration begins anew."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises LogError when the file is no log, OSError when it cannot be read. Iterating raises LogError, too."""
        self.path = os.fspath(path)
        with open(self.path, "rb") as file:
            data = file.read()
        self._data = _log_in(data) if data.startswith(_BUNDLE_MAGIC) else data
        frames = _read_seek_table(self._data)
        #: Whether the log was not finished.
        self.partial = frames is None
        self._frames = _find_frames(self._data) if frames is None else frames
        #: The fields of the header, with the names that `log dump --json` gives them.
        self.header: dict[str, Any] = _read_header(_read_frame(self._data, self._frames[0]))

    def __iter__(self) -> Iterator[Event]:
        contents = (_read_frame(self._data, frame) for frame in self._frames[1:])
        return _read_events(contents, self.partial, "network" in self.header)

    def output(self, uart: int = 0) -> bytes:
        """Everything that a UART sent."""
        return b"".join(
            event.bytes for event in self if isinstance(event, Output) and event.uart == uart
        )

    def script(self) -> str:
        """A script with which a recording makes this log again. LogError when a debugger has written."""
        lines: list[str] = []
        for event in self:
            require(not isinstance(event, Write), "a script cannot write what a debugger has written")
            require(not isinstance(event, Received), "a script cannot send the frames that have arrived")
            if isinstance(event, Input) and event.kind == "break":
                lines.append(f"{when(event.cycle)}{prefix(event.stream)}send-break\n")
            elif isinstance(event, Input):
                lines += (f"{line}\n" for line in sends(event.bytes, at=event.cycle, uart=event.stream))
            elif isinstance(event, Stop) and event.cause == "quit":
                lines.append(f"at {event.cycle} stop\n")
        return "".join(lines)


def main() -> None:
    """Prints the log that the first argument names."""
    try:
        log = Log(sys.argv[1])
        print(json.dumps(log.header))
        for event in log:
            print(json.dumps(event.to_json()))
    except (IsochronError, OSError) as error:
        sys.exit(printable(f"{sys.argv[1]}: {error}"))


if __name__ == "__main__":
    main()
