"""What a session gives: matches, counts, and how it ended."""

from __future__ import annotations

import dataclasses
import pathlib

from isochron.errors import IsochronError
from isochron.log import Log
from isochron.script import as_text


@dataclasses.dataclass(frozen=True)
class Match:
    """A text that the guest wrote. `before` is what it wrote since the last match.

    Both hold bytes as the characters U+0000 to U+00FF; `before_text` is `before` as UTF-8.
    """

    text: str
    before: str
    cycle: int
    #: Of a regular expression: the texts of its groups, without carriage returns.
    groups: tuple[str | None, ...] = ()

    @property
    def before_text(self) -> str:
        """`before` as UTF-8, with U+FFFD for what is none."""
        return as_text(self.before)


@dataclasses.dataclass(frozen=True)
class CpuStats:
    """Where one of several CPUs is, what it has retired, and whether it stands still."""

    pc: int
    symbol: str  #: as in Stats
    instructions: int
    waiting: bool


@dataclasses.dataclass(frozen=True)
class Stats:
    """Counts since power-on, of all CPUs; where CPU 0 is; and the digest of the state."""

    cycle: int
    instructions: int
    itb_misses: int
    dtb_misses: int
    exceptions: int
    interrupts: int
    pal_calls: int
    pc: int
    symbol: str  #: of the PC, or of where an idle guest waits: take_key+0x20, PALmode, or empty
    state: str
    cpus: tuple[CpuStats, ...]  #: of each of several CPUs; empty where there is one


@dataclasses.dataclass(frozen=True)
class LogSummary:
    """A complete log. Its identity is the digest of its uncompressed contents."""

    path: pathlib.Path
    events: int
    bytes: int
    identity: str

    def read(self) -> Log:
        """Its header and events."""
        return Log(self.path)


@dataclasses.dataclass(frozen=True)
class Result:
    """How a session ended."""

    exit_code: int  #: of the program; negative: the signal that killed it
    reason: str  #: power-off, reset, fatal, stopped, panic, end-of-time, failed; crashed when the program did
    cycles: int
    instructions: int
    transcript: str  #: what the guest wrote, bytes as U+0000 to U+00FF
    errors: str  #: what the program wrote to standard error
    serial1_transcript: str = ""  #: what the guest wrote to UART 1, likewise
    log: LogSummary | None = None  #: of a recording
    equal_events: int | None = None  #: of a replay: events that were as recorded
    diverged: bool | None = None  #: of a replay: whether it left its log

    @property
    def transcript_text(self) -> str:
        """`transcript` as UTF-8, with U+FFFD for what is none."""
        return as_text(self.transcript)


class SessionEnded(IsochronError):
    """The guest ended before the request. `result` says how."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message, result.errors)
        self.result = result
