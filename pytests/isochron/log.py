"""Reads replay logs, as docs/replay-log.md describes them. As a program: prints what `isochron log dump --json` does."""

from __future__ import annotations

import dataclasses
import json
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import zstandard

from isochron.script import quote

_FRAME_MAGIC = b"\x28\xb5\x2f\xfd"
_SKIPPABLE_MAGIC = 0x184D2A5E
_SEEKABLE_MAGIC = 0x8F92EAB1
_MAX_CONTENT = 2 << 20

_CAUSES = ["quit", "signal", "cycle-limit", "expect-failed"]
_REASONS = ["power-off", "reset", "fatal", "stopped"]
_ROLES = ["kernel", "initrd"]
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


class LogError(Exception):
    """A file is no log, or damaged."""


@dataclasses.dataclass(frozen=True)
class Event:
    """What all events have. Events are numbered from 0."""

    type: ClassVar[str] = ""

    number: int
    cycle: int
    cpu: int

    def to_json(self) -> dict[str, Any]:
        """The object that `log dump --json` prints."""
        fields = dataclasses.asdict(self)
        number, cycle, cpu = (fields.pop(name) for name in ("number", "cycle", "cpu"))
        return {"event": number, "cycle": cycle, "cpu": cpu, "type": self.type} | {
            name: value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in fields.items()
        }


@dataclasses.dataclass(frozen=True)
class Input(Event):
    """Bytes that the guest's console gets."""

    type: ClassVar[str] = "input"

    bytes: bytes


@dataclasses.dataclass(frozen=True)
class Stop(Event):
    """Somebody ends the run. `cause`: quit, signal, cycle-limit or expect-failed."""

    type: ClassVar[str] = "stop"

    cause: str
    detail: int


@dataclasses.dataclass(frozen=True)
class Output(Event):
    """Bytes that a UART sent; `deltas` are the cycles from each to the next."""

    type: ClassVar[str] = "output"

    uart: int
    bytes: bytes
    deltas: list[int]


@dataclasses.dataclass(frozen=True)
class Interrupt(Event):
    """A CPU takes an interrupt; `pending` is its ISUM."""

    type: ClassVar[str] = "interrupt"

    pending: int

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"pending": hex(self.pending)}


@dataclasses.dataclass(frozen=True)
class Checkpoint(Event):
    """The digest of all state."""

    type: ClassVar[str] = "checkpoint"

    instructions: int
    state: str


@dataclasses.dataclass(frozen=True)
class End(Event):
    """The run ended. `reason`: power-off, reset, fatal or stopped."""

    type: ClassVar[str] = "end"

    reason: str
    instructions: int
    state: str


@dataclasses.dataclass(frozen=True)
class Unknown(Event):
    """A witness of a newer version of the format."""

    type: ClassVar[str] = "unknown"

    record_type: int
    payload: str


def _require(condition: object, message: str) -> None:
    if not condition:
        raise LogError(message)


class _Bytes:
    """Takes numbers and strings off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        _require(size <= len(self.data) - self.at, "the data breaks off")
        self.at += size
        return self.data[self.at - size : self.at]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                _require((byte != 0 or shift == 7) and value < 1 << 64, "not a varint")
                return value

    def counted(self) -> bytes:
        return self.take(self.varint())

    def digest(self) -> str:
        return self.take(16).hex()

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)


def _check_seek_table(data: bytes) -> int | None:
    """Where the seek table begins; None in a partial log."""
    if len(data) < 17:
        return None
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    size = 17 + 12 * count
    if magic != _SEEKABLE_MAGIC or descriptor != 0x80 or size > len(data):
        return None
    start = len(data) - size
    _require(
        struct.unpack("<II", data[start : start + 8]) == (_SKIPPABLE_MAGIC, size - 8),
        "the seek table is damaged",
    )
    offset = 0
    for compressed, content, _ in struct.iter_unpack("<III", data[start + 8 : -9]):
        _require(content <= _MAX_CONTENT, "a frame is too large")
        offset += compressed
    _require(offset == start, "the seek table does not fit the frames")
    return start


def _read_frames(data: bytes, end: int | None) -> Iterator[bytes]:
    """Contents of the frames before `end`; without it, of all that are whole."""
    at = 0
    while at < (len(data) if end is None else end):
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        try:
            _require(data[at : at + 4] == _FRAME_MAGIC, f"no zstd frame at byte {at}")
            content = decompressor.decompress(data[at:])
            _require(decompressor.eof, f"the frame at byte {at} breaks off")
        except (LogError, zstandard.ZstdError) as error:
            if end is None and at > 0:
                return
            raise LogError(str(error)) from error
        _require(len(content) <= _MAX_CONTENT, "a frame is too large")
        yield content
        at = len(data) - len(decompressor.unused_data)


def _read_header(content: bytes) -> dict[str, Any]:
    data = _Bytes(content)
    _require(content[:8] == b"ISOCHLOG", "no log")
    data.take(8)
    _require(data.varint() == 1, "another major version")
    data.varint()
    fields = _Bytes(data.counted())
    _require(not data, "bytes follow the header")
    header: dict[str, Any] = {"type": "header", "images": []}
    while fields:
        number = fields.varint()
        value = _Bytes(fields.counted())
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
            header["reboot"] = value.varint() == 1
        elif number == 13:
            image: dict[str, Any] = {"role": _ROLES[value.varint()], "size": value.varint()}
            header["images"].append(image | {"digest": value.digest()})
        else:
            _require(number >= 64, "a header field that must be understood")
            value.rest()
        _require(not value, "a header field is too long")
    return header


def _read_event(kind: int, number: int, cycle: int, cpu: int, data: _Bytes) -> tuple[Event, int]:
    """An event, and the cycles from its cycle to its last."""
    place = (number, cycle, cpu)
    if kind == 1:
        return Input(*place, data.rest()), 0
    if kind == 2:
        return Stop(*place, _CAUSES[data.varint()], data.varint()), 0
    if kind == 64:
        uart, count = data.varint(), data.varint()
        content = data.take(count)
        deltas = [data.varint() for _ in range(count - 1)]
        return Output(*place, uart, content, deltas), sum(deltas)
    if kind == 65:
        rotated = data.varint()
        return Interrupt(*place, (rotated << 33 | rotated >> 31) & (1 << 64) - 1), 0
    if kind == 66:
        return Checkpoint(*place, data.varint(), data.digest()), 0
    if kind == 67:
        return End(*place, _REASONS[data.varint()], data.varint(), data.digest()), 0
    _require(kind >= 64, "an input that must be understood")
    return Unknown(*place, kind, data.rest().hex()), 0


def _read_events(contents: Iterator[bytes]) -> Iterator[Event]:
    cycle = number = 0
    for content in contents:
        data = _Bytes(content)
        _require((data.varint(), data.varint()) == (0, 0), "no frame start")
        start = _Bytes(data.counted())
        _require((start.varint(), start.varint()) == (cycle, number), "frames do not join")
        while data:
            tag = data.varint()
            cycle += data.varint()
            payload = _Bytes(data.counted())
            event, duration = _read_event(tag & 127, number, cycle, tag >> 7, payload)
            _require(not payload, "a record is too long")
            yield event
            cycle += duration
            _require(cycle < 1 << 64, "cycles go back")
            number += 1


class Log:
    """A replay log, complete or partial. Iterating gives its events; each iteration begins anew."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises LogError when the file is no log, OSError when it cannot be read."""
        self.path = os.fspath(path)
        with open(self.path, "rb") as file:
            self._data = file.read()
        self._end = _check_seek_table(self._data)
        #: The fields of the header, with the names that `log dump --json` gives them.
        self.header: dict[str, Any] = _read_header(next(self._frames(), b""))

    def _frames(self) -> Iterator[bytes]:
        return _read_frames(self._data, self._end)

    @property
    def partial(self) -> bool:
        """Whether the log was not finished."""
        return self._end is None

    def __iter__(self) -> Iterator[Event]:
        frames = self._frames()
        next(frames)
        return _read_events(frames)

    def output(self, uart: int = 0) -> bytes:
        """Everything that a UART sent."""
        return b"".join(
            event.bytes for event in self if isinstance(event, Output) and event.uart == uart
        )

    def script(self) -> str:
        """A script with which a recording makes this log again."""

        lines = []
        for event in self:
            if isinstance(event, Input):
                lines.append(f"at {event.cycle} send {quote(event.bytes)}\n")
            elif isinstance(event, Stop) and event.cause == "quit":
                lines.append(f"at {event.cycle} stop\n")
        return "".join(lines)


def main() -> None:
    """Prints the log that the first argument names."""
    log = Log(sys.argv[1])
    print(json.dumps(log.header))
    for event in log:
        print(json.dumps(event.to_json()))


if __name__ == "__main__":
    main()
