"""What events have in common, and how their values stand in records."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from isochron.errors import LogError, hide

__tracebackhide__ = hide


def require(condition: object, message: str) -> None:
    """Raises LogError unless the condition holds."""
    if not condition:
        raise LogError(message)


def name_of(names: Sequence[str], number: int) -> str:
    """The name with this number."""
    require(number < len(names), f"a number from 0 to {len(names) - 1} should be here, not {number}")
    return names[number]


class Payload:
    """Takes numbers and strings off the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        require(size <= len(self.data) - self.at, "the data breaks off")
        self.at += size
        return self.data[self.at - size : self.at]

    def varint(self, limit: int = 1 << 64) -> int:
        """A number below `limit`."""
        value = shift = 0
        for byte in self.data[self.at : self.at + 10]:
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                require((byte != 0 or shift == 0) and value < limit, "not a varint, or one that is too large")
                return value
            shift += 7
        raise LogError("not a varint")

    def counted(self) -> bytes:
        """A number and as many bytes; the bytes."""
        return self.take(self.varint())

    def digest(self) -> str:
        """A digest, as it is printed."""
        return self.take(16).hex()

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self.data) - self.at)


class Coding(Protocol):
    """How a value stands in a payload."""

    def take(self, data: Payload, before: Sequence[Any]) -> Any:
        """The value at the front of `data`, behind the values `before`. Raises LogError when it is not valid."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A varint from 0 to `max`. `newer`: newer versions have larger ones."""

    max: int = (1 << 64) - 1
    newer: bool = False

    def take(self, data: Payload, before: Sequence[Any]) -> int:
        del before
        if not self.newer:
            return data.varint(self.max + 1)
        number = data.varint()
        require(number <= self.max, "an input that must be understood")
        return number


@dataclasses.dataclass(frozen=True)
class Named:
    """A name, as the varint of its number. `newer`: newer versions have more."""

    names: list[str]
    newer: bool = False

    def take(self, data: Payload, before: Sequence[Any]) -> str:
        del before
        number = data.varint()
        require(number < len(self.names) or not self.newer, "an input that must be understood")
        return name_of(self.names, number)


@dataclasses.dataclass(frozen=True)
class Flags:
    """64 flags, as the varint of their number rotated right."""

    rotation: int

    def take(self, data: Payload, before: Sequence[Any]) -> int:
        del before
        rotated = data.varint()
        return (rotated << self.rotation | rotated >> 64 - self.rotation) & (1 << 64) - 1


@dataclasses.dataclass(frozen=True)
class StateDigest:
    """A state digest, as it is printed."""

    def take(self, data: Payload, before: Sequence[Any]) -> str:
        del before
        return data.digest()


@dataclasses.dataclass(frozen=True)
class CountedBytes:
    """1 to `max` bytes behind their number."""

    max: int

    def take(self, data: Payload, before: Sequence[Any]) -> bytes:
        del before
        count = data.varint(self.max + 1)
        require(count > 0, "an output of no bytes")
        return data.take(count)


@dataclasses.dataclass(frozen=True)
class RestOfBytes:
    """All bytes to the end of the payload, `max` at most."""

    max: int

    def take(self, data: Payload, before: Sequence[Any]) -> bytes:
        del before
        content = data.rest()
        require(len(content) <= self.max, "an input is too long")
        return content


@dataclasses.dataclass(frozen=True)
class FrameBytes:
    """A frame: all bytes to the end of the payload, from `min` to `max`."""

    min: int
    max: int

    def take(self, data: Payload, before: Sequence[Any]) -> bytes:
        del before
        frame = data.rest()
        require(self.min <= len(frame) <= self.max, "a frame is too short or too long")
        return frame


@dataclasses.dataclass(frozen=True)
class Steps:
    """A varint for each byte but the first of the bytes before: cycles from one to the next."""

    def take(self, data: Payload, before: Sequence[Any]) -> list[int]:
        return [data.varint() for _ in range(len(before[-1]) - 1)]


@dataclasses.dataclass(frozen=True)
class Event:
    """What all events have. Events are numbered from 0."""

    type: ClassVar[str] = ""
    codings: ClassVar[tuple[Coding, ...]] = ()

    number: int
    cycle: int
    cpu: int

    def to_json(self) -> dict[str, Any]:
        """The object that `log dump --json` prints."""
        fields = dataclasses.asdict(self)
        number, cycle, cpu = (fields.pop(name) for name in ("number", "cycle", "cpu"))
        json_fields: dict[str, Any] = {"event": number, "cycle": cycle, "cpu": cpu, "type": self.type}
        for name, value in fields.items():
            json_fields[name] = value.decode("latin-1") if isinstance(value, bytes) else value
            if isinstance(value, bytes) and not value.isascii():
                json_fields["text"] = value.decode(errors="replace")
        flags = [name for name, coding in zip(fields, self.codings) if isinstance(coding, Flags)]
        frames = [name for name, coding in zip(fields, self.codings) if isinstance(coding, FrameBytes)]
        for name in frames:
            json_fields.pop("text", None)
            json_fields[name] = fields[name].hex()
        return json_fields | {name: hex(fields[name]) for name in flags}


class WithText:
    """An event with bytes that may be text."""

    bytes: bytes

    @property
    def text(self) -> str:
        """What the bytes are in UTF-8, with U+FFFD for what is none."""
        return self.bytes.decode(errors="replace")
