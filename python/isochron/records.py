"""The kinds of events that logs hold, and how their values stand in records.

Made by record_reference from replaylog/record_table.h. Do not edit: change the table, then run

    record_reference python > python/isochron/records.py
"""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from isochron.codings import (
    Coding,
    CountedBytes,
    Event,
    Flags,
    FrameBytes,
    Named,
    Number,
    RestOfBytes,
    StateDigest,
    Steps,
    WithText,
)


@dataclasses.dataclass(frozen=True)
class Stop(Event):
    """Somebody ends the run.

    `cause`: quit, signal, cycle-limit, expect-failed, panic, log-limit.
    """

    type: ClassVar[str] = "stop"
    codings: ClassVar[tuple[Coding, ...]] = (
        Named(["quit", "signal", "cycle-limit", "expect-failed", "panic", "log-limit"]),
        Number(4294967295),
    )

    cause: str
    detail: int


@dataclasses.dataclass(frozen=True)
class Input(WithText, Event):
    """What a port gets: `bytes`, or a break. The port is a stream of a device: the console is stream 0 of "uart".

    `device`: uart.
    `kind`: bytes, break.
    """

    type: ClassVar[str] = "input"
    codings: ClassVar[tuple[Coding, ...]] = (
        Named(["uart"], newer=True),
        Number(1, newer=True),
        Named(["bytes", "break"], newer=True),
        RestOfBytes(1048576),
    )

    device: str
    stream: int
    kind: str
    bytes: bytes


@dataclasses.dataclass(frozen=True)
class Write(WithText, Event):
    """What a debugger writes: the quadword of a register of the CPU, or physical memory.

    `space`: register, memory.
    """

    type: ClassVar[str] = "write"
    codings: ClassVar[tuple[Coding, ...]] = (
        Named(["register", "memory"], newer=True),
        Number(),
        RestOfBytes(1048576),
    )

    space: str
    address: int
    bytes: bytes


@dataclasses.dataclass(frozen=True)
class Received(Event):
    """A frame arrives at the network device."""

    type: ClassVar[str] = "received"
    codings: ClassVar[tuple[Coding, ...]] = (
        FrameBytes(14, 1514),
    )

    frame: bytes


@dataclasses.dataclass(frozen=True)
class Output(WithText, Event):
    """Bytes that a UART sent; `deltas` are the cycles from each to the next."""

    type: ClassVar[str] = "output"
    codings: ClassVar[tuple[Coding, ...]] = (
        Number(255),
        CountedBytes(4096),
        Steps(),
    )

    uart: int
    bytes: bytes
    deltas: list[int]


@dataclasses.dataclass(frozen=True)
class Interrupt(Event):
    """A CPU takes an interrupt; `pending` is its ISUM."""

    type: ClassVar[str] = "interrupt"
    codings: ClassVar[tuple[Coding, ...]] = (
        Flags(33),
    )

    pending: int


@dataclasses.dataclass(frozen=True)
class Checkpoint(Event):
    """The digest of all state."""

    type: ClassVar[str] = "checkpoint"
    codings: ClassVar[tuple[Coding, ...]] = (
        Number(),
        StateDigest(),
    )

    instructions: int
    state: str


@dataclasses.dataclass(frozen=True)
class End(Event):
    """The run ended.

    `reason`: power-off, reset, fatal, stopped, end-of-time.
    """

    type: ClassVar[str] = "end"
    codings: ClassVar[tuple[Coding, ...]] = (
        Named(["power-off", "reset", "fatal", "stopped", "end-of-time"]),
        Number(),
        StateDigest(),
    )

    reason: str
    instructions: int
    state: str


@dataclasses.dataclass(frozen=True)
class Sent(Event):
    """The network device has sent a frame."""

    type: ClassVar[str] = "sent"
    codings: ClassVar[tuple[Coding, ...]] = (
        FrameBytes(14, 1514),
    )

    frame: bytes


@dataclasses.dataclass(frozen=True)
class SentLong(Event):
    """The network device has sent a frame of more bytes than the header has them kept for."""

    type: ClassVar[str] = "sent-long"
    codings: ClassVar[tuple[Coding, ...]] = (
        Number(1514),
        StateDigest(),
    )

    size: int
    digest: str


#: By type of record.
RECORDS: dict[int, type[Event]] = {
    2: Stop,
    3: Input,
    4: Write,
    5: Received,
    64: Output,
    65: Interrupt,
    66: Checkpoint,
    67: End,
    68: Sent,
    69: SentLong,
}

#: What older versions wrote: the type that a record has now, and what stands before its payload.
OLD_RECORDS: dict[int, tuple[int, bytes]] = {
    1: (3, b"\x00\x00\x00"),
}
