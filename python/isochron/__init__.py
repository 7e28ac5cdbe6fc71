"""Drives the Alpha emulator isochron: boots guests, talks to them, records, replays and reads logs.

    from isochron import Machine, Timeline

    machine = Machine(kernel="vmlinux", initrd="initrd.cpio.gz", append="console=ttyS0")
    with machine.record("boot.log") as session:
        session.expect("# ", within=20e9)
        session.send("uname -m\\n")
        assert "alpha" in session.expect("# ").before
        session.send("poweroff -f\\n")
        result = session.finish()
    assert result.reason == "power-off"
    assert machine.replay("boot.log").finish().exit_code == 0
    with Timeline("boot.log") as timeline:
        timeline.goto_end()
        print(timeline.last_write("jiffies_64").symbol)

Needs Python 3.10, the program, and for reading logs the module zstandard.
"""

from isochron.errors import ExpectError, IsochronError, LogError, RequestError, Unresponsive
from isochron.exit_code import ExitCode
from isochron.log import Checkpoint, End, Event, Input, Interrupt, Log, Output, Stop, Unknown
from isochron.machine import Disk, Machine, engines
from isochron.program import find_program
from isochron.results import CpuStats, LogSummary, Match, Result, SessionEnded, Stats
from isochron.script import quote
from isochron.session import Session
from isochron.timeline import Arrival, Place, StopAt, Timeline, Watch

__version__ = "0.1.0"

__all__ = [
    "Arrival",
    "Checkpoint",
    "CpuStats",
    "Disk",
    "End",
    "Event",
    "ExitCode",
    "ExpectError",
    "Input",
    "Interrupt",
    "IsochronError",
    "Log",
    "LogError",
    "LogSummary",
    "Machine",
    "Match",
    "Output",
    "Place",
    "RequestError",
    "Result",
    "Session",
    "SessionEnded",
    "Stats",
    "Stop",
    "StopAt",
    "Timeline",
    "Unknown",
    "Unresponsive",
    "Watch",
    "engines",
    "find_program",
    "quote",
]
