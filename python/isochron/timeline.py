"""A recording to go through, forwards and backwards."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from types import TracebackType

from isochron.errors import IsochronError, RequestError, hide
from isochron.program import find_program
from isochron.remote import Stub

__tracebackhide__ = hide

_WHEN = re.compile(r"cycle (?P<cycle>\d+) \(.*?\), instruction (?P<instruction>\d+), event (?P<event>\d+)")
_PC = re.compile(r"PC (?P<pc>0x[0-9a-f]+)(?P<pal> in PALmode)?(?: (?P<symbol>[^,\n]*))?")
# A line for each of several CPUs, of which the one with a star executes next.
_CPU = re.compile(r"^(?P<next>[* ]) CPU (?P<cpu>\d+): .*$", re.M)
_REGISTERS = [*(f"r{i}" for i in range(32)), *(f"f{i}" for i in range(31)), "fpcr", "pc", "", "unique"]
_WATCHES = {"write": "Z2", "read": "Z3", "access": "Z4"}
# Memory that one request asks for.
_PIECE = 2048


@dataclasses.dataclass(frozen=True)
class Place:
    """A boundary of a recorded run."""

    #: Machine time.
    cycle: int
    #: Instructions retired since power-on, by all CPUs.
    instruction: int
    #: Number of the first event of the log that is still to come.
    event: int
    #: Of the next instruction.
    pc: int
    pal_mode: bool
    #: "name+0x10 (file:line)", as far as that is known.
    symbol: str
    #: Whose instruction that is.
    cpu: int = 0


@dataclasses.dataclass(frozen=True)
class Arrival:
    """Why a Timeline came to stand where it does."""

    #: "breakpoint", "watchpoint", "begin" or "end" of the recording, or "stop", of which `message` tells more.
    reason: str
    place: Place
    #: What was watched, of a watchpoint.
    address: int | None = None
    message: str = ""
    #: Of `stops`, those that were met.
    stops: tuple[StopAt, ...] = ()

    @property
    def cpu(self) -> int:
        """The CPU that it is about."""
        return self.place.cpu


@dataclasses.dataclass(frozen=True)
class Watch:
    """References to watch: "write", "read" or "access" of `size` bytes at a virtual address or symbol."""

    address: int | str
    size: int = 8
    kind: str = "write"


@dataclasses.dataclass(frozen=True)
class StopAt:
    """Something to stop at that is no place of code or memory, as `monitor stop` has it (docs/debugging.md).

    `kind`: "pc", "interrupt", "exception", "tlb-miss", "console", "text", "input", "checkpoint", "syscall" or "callpal".
    `what`: which of them, a text for "text".
    """

    kind: str
    what: int | str | None = None
    #: Of "syscall" and "callpal": "before" or "after".
    when: str | None = None
    #: Only where the CPU has this address space number.
    asn: int | None = None
    #: Of "text" and "console": 0 or 1.
    uart: int = 0

    def words(self) -> str:
        """As `monitor stop` takes it."""
        words = [self.kind]
        if self.uart == 1:
            words.append("serial1")
        if self.kind == "text":
            words.append('"' + "".join(_quoted(byte) for byte in str(self.what).encode()) + '"')
        elif self.what is not None:
            words.append(hex(self.what) if isinstance(self.what, int) else self.what)
        if self.when is not None:
            words.append(self.when)
        if self.asn is not None:
            words.append(f"asn {self.asn}")
        return " ".join(words)


def _quoted(byte: int) -> str:
    plain = 0x20 <= byte < 0x7F and byte not in b'"\\'
    return chr(byte) if plain else f"\\x{byte:02x}"


class Timeline:
    """A recording that goes to any boundary of its run, and a machine to look at there.

    Nothing that is done changes the recording. Raises IsochronError when the log cannot be replayed. `kernel` and
    `initrd` are needed where the log does not find them itself; `symbols` are files as for --symbols; `options` further
    options of `isochron replay --gdb`. `known_to`: of a partial log, the cycle up to which nothing happened behind its
    last event. `patience`: wall seconds for an answer, which only a hang should reach. A context manager: the program
    ends with it. Session.timeline() makes one of a run that is being recorded.

    Of several CPUs, `cpu` says whose registers, addresses and steps are meant: if nothing is said those of the one that
    the last stop was about.
    """

    def __init__(
        self,
        log: str | os.PathLike[str],
        *,
        engine: str | None = None,
        kernel: str | os.PathLike[str] | None = None,
        initrd: str | os.PathLike[str] | None = None,
        symbols: Sequence[str | os.PathLike[str]] = (),
        options: Sequence[str] = (),
        known_to: int | None = None,
        program: str | os.PathLike[str] | None = None,
        patience: float | None = None,
    ) -> None:
        command = [os.fspath(program or find_program()), "replay", os.fspath(log), "--gdb", "-"]
        for option, value in (("--engine", engine), ("--kernel", kernel), ("--initrd", initrd)):
            if value is not None:
                command += [option, os.fspath(value)]
        for file in symbols:
            command += ["--symbols", os.fspath(file)]
        if known_to is not None:
            command += ["--known-to", str(known_to)]
        self._stub = Stub([*command, *options], patience)
        try:
            self._stub.request("qSupported:swbreak+;hwbreak+")
        except BaseException:
            self.close()
            raise
        self._steps = ""
        self._cpu = 0

    def __enter__(self) -> Timeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stub.close()

    def place(self, cpu: int | None = None) -> Place:
        """Where it stands, and a CPU."""
        return self._place(self._stub.monitor("when"), self._cpu if cpu is None else cpu)

    def goto(
        self,
        *,
        cycle: int | None = None,
        instruction: int | None = None,
        event: int | None = None,
        cpu: int | None = None,
    ) -> Place:
        """To the first boundary at or past a cycle, at which so many instructions have retired, or behind an event.

        With `cpu` cycles and instructions are those of that one of several CPUs."""
        places = {"cycle": cycle, "instruction": instruction, "event": event}
        named = [f"{name} {value:d}" for name, value in places.items() if value is not None]
        if len(named) != 1 or (cpu is not None and event is not None):
            raise TypeError("goto() takes one of cycle, instruction and event, and cpu with the first two")
        if cpu is not None:
            self._cpu = cpu
        return self._goto(named[0] if cpu is None else f"{named[0]} cpu {cpu:d}")

    def goto_start(self) -> Place:
        """To power-on."""
        return self._goto("start")

    def goto_end(self) -> Place:
        """To the end of the recording."""
        return self._goto("end")

    def step(self, count: int = 1, *, flow: bool = False, cpu: int | None = None) -> Place:
        """Forward by so many instructions of a CPU. With `flow`, by those of the code that is looked at: interrupts and
        TLB misses are passed over (docs/debugging.md)."""
        return self._step("vCont;s", count, flow, cpu)

    def reverse_step(self, count: int = 1, *, flow: bool = False, cpu: int | None = None) -> Place:
        """The same backwards. At power-on it stays."""
        return self._step("bs", count, flow, cpu)

    def run(
        self,
        breakpoints: Sequence[int | str] = (),
        watches: Sequence[Watch] = (),
        stops: Sequence[StopAt] = (),
    ) -> Arrival:
        """Forward to the next of these addresses or symbols, behind the next reference that is watched, or to a stop."""
        return self._run("vCont;c", breakpoints, watches, stops)

    def reverse_continue(
        self,
        breakpoints: Sequence[int | str] = (),
        watches: Sequence[Watch] = (),
        stops: Sequence[StopAt] = (),
    ) -> Arrival:
        """Backwards, to the last of these before here, and in front of an instruction whose reference is watched."""
        return self._run("bc", breakpoints, watches, stops)

    def last_write(self, address: int | str, size: int = 8) -> Place | None:
        """In front of the last instruction before here that has written any of these bytes. None, at power-on, when
        there is none."""
        arrival = self.reverse_continue(watches=[Watch(address, size)])
        return arrival.place if arrival.reason == "watchpoint" else None

    def registers(self, cpu: int | None = None) -> dict[str, int]:
        """r0 to r31, f0 to f30, fpcr, pc and unique."""
        self._select(cpu)
        data = self._request("g")
        words = (data[i : i + 16] for i in range(0, len(data), 16))
        return {
            name: int.from_bytes(bytes.fromhex(word), "little")
            for name, word in zip(_REGISTERS, words, strict=True)
            if name
        }

    def read(self, address: int | str, size: int = 8, cpu: int | None = None) -> bytes:
        """Memory at a virtual address, by superpages, TLBs and page tables. Raises RequestError where none is mapped."""
        begin, data = self.address(address), b""
        self._select(cpu)
        while len(data) < size:
            data += bytes.fromhex(self._request(f"m{begin + len(data):x},{min(_PIECE, size - len(data)):x}"))
        return data

    def address(self, of: int | str) -> int:
        """Of a symbol. Raises RequestError, with those that are alike, when there is none or more than one."""
        if isinstance(of, int):
            return of
        return int(self.monitor(f"translate {of}").split()[0], 16)

    def console(self, uart: int = 0) -> str:
        """What the guest has written up to here."""
        return self._stub.monitor("console serial1" if uart == 1 else "console")

    def monitor(self, command: str, cpu: int | None = None) -> str:
        """What a monitor command prints (docs/debugging.md), of a CPU where it is about one."""
        self._select(cpu)
        return self._stub.monitor(command)

    def _request(self, body: str) -> str:
        reply = self._stub.request(body)
        if re.fullmatch("E(..|[.].*)", reply):
            raise RequestError(f"isochron refused {body!r}: {reply}")
        return reply

    def _select(self, cpu: int | None) -> None:
        """Has what is asked next be about a CPU."""
        self._request(f"Hg{(self._cpu if cpu is None else cpu) + 1:x}")

    @staticmethod
    def _place(text: str, cpu: int) -> Place:
        found = _WHEN.search(text)
        lines = {int(line["cpu"]): line[0] for line in _CPU.finditer(text)}
        pc = _PC.search(lines.get(cpu, text))
        if found is None or pc is None or (lines and cpu not in lines):
            raise IsochronError(f"isochron says of where it is {text!r}")
        return Place(
            cycle=int(found["cycle"]), instruction=int(found["instruction"]), event=int(found["event"]),
            pc=int(pc["pc"], 16), pal_mode=pc["pal"] is not None, symbol=pc["symbol"] or "", cpu=cpu,
        )  # fmt: skip

    def _goto(self, where: str) -> Place:
        self._stub.monitor(f"goto {where}")
        return self.place()

    def _step(self, body: str, count: int, flow: bool, cpu: int | None) -> Place:
        if cpu is not None:
            self._cpu = cpu
        thread = f"{self._cpu + 1:x}"
        if body == "bs":
            self._request(f"Hc{thread}")
        else:
            body = f"{body}:{thread}"
        steps = "flow" if flow else "exact"
        if steps != self._steps:
            self._stub.monitor(f"step {steps}")
            self._steps = steps
        for _ in range(count):
            reply, _ = self._stub.resume(body)
            if "replaylog" in reply:
                break
        return self.place()

    def _run(
        self, body: str, breakpoints: Sequence[int | str], watches: Sequence[Watch], stops: Sequence[StopAt]
    ) -> Arrival:
        points = [f"0,{self.address(point):x},4" for point in breakpoints]
        points += [f"{_WATCHES[watch.kind][1:]},{self.address(watch.address):x},{watch.size:x}" for watch in watches]
        numbers: dict[str, StopAt] = {}
        try:
            for point in points:
                self._request(f"Z{point}")
            for stop in stops:
                numbers[self._stub.monitor(f"stop {stop.words()}").split(":")[0]] = stop
            reply, message = self._stub.resume(body)
        finally:
            for point in points:
                self._stub.request(f"z{point}")
            for number in numbers:
                self._stub.monitor(f"stop delete {number}")
        met = [numbers.get(number) for number in re.findall(r"^isochron: stop (\d+):", message, re.M)]
        return dataclasses.replace(self._arrival(reply, message), stops=tuple(stop for stop in met if stop))

    def _arrival(self, reply: str, message: str) -> Arrival:
        fields = dict(field.split(":", 1) for field in reply[3:].split(";") if ":" in field)
        self._cpu = int(fields.get("thread", "1"), 16) - 1
        place = self.place()
        for name in ("watch", "rwatch", "awatch"):
            if name in fields:
                return Arrival("watchpoint", place, int(fields[name], 16), message)
        if "replaylog" in fields:
            return Arrival(fields["replaylog"], place, message=message)
        stopped = "swbreak" in fields or "hwbreak" in fields
        return Arrival("breakpoint" if stopped else "stop", place, message=message)
