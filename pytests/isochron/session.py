"""A conversation with a running guest, over the control channel (docs/control.md)."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
from typing import IO, Any

from isochron.log import Log
from isochron.script import quote



class IsochronError(Exception):
    """The program refused what it was asked for, or failed. `errors` is what it said."""

    def __init__(self, message: str, errors: str = "") -> None:
        super().__init__(f"{message}\n{errors}" if errors else message)
        self.errors = errors


class RequestError(IsochronError):
    """A request was refused; the session goes on."""


class ExpectError(RequestError):
    """A text did not come in time; the session goes on. `output` is what came in its place."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class SessionEnded(IsochronError):
    """The guest ended before the request. `result` says how."""

    def __init__(self, message: str, result: Result) -> None:
        super().__init__(message, result.errors)
        self.result = result


@dataclasses.dataclass(frozen=True)
class Match:
    """A text that the guest wrote. `before` is what it wrote since the last match."""

    text: str
    before: str
    cycle: int


@dataclasses.dataclass(frozen=True)
class Stats:
    """Counts since power-on, where the CPU is, and the digest of the state."""

    cycle: int
    instructions: int
    itb_misses: int
    dtb_misses: int
    exceptions: int
    interrupts: int
    pal_calls: int
    pc: int
    symbol: str  #: of the PC: take_key+0x20, PALmode, or empty
    state: str


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
    reason: str  #: power-off, reset, fatal, stopped, failed; crashed when the program did
    cycles: int
    instructions: int
    transcript: str  #: what the guest wrote, bytes as U+0000 to U+00FF
    errors: str  #: what the program wrote to standard error
    log: LogSummary | None = None  #: of a recording
    equal_events: int | None = None  #: of a replay: events that were as recorded
    diverged: bool | None = None  #: of a replay: whether it left its log


class Session:
    """A guest that stands still while nobody asks anything of it.

    All times are guest cycles. What a session does depends on its calls alone, never on how long the caller takes
    between them. Made by Machine; use as a context manager: leaving it stops the guest.
    """

    def __init__(self, arguments: list[str], patience: float | None = None) -> None:
        """Starts the program. `patience`: wall seconds for an answer, which only a hang should reach."""
        self.arguments = arguments
        self.result: Result | None = None
        self._end: dict[str, Any] | None = None
        self._output: list[str] = []
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        ours, theirs = socket.socketpair()
        ours.settimeout(patience)
        self._socket = ours
        self._lines = ours.makefile("rb")
        with theirs:
            self.process = subprocess.Popen(
                [*arguments, "--control", f"fd:{theirs.fileno()}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
            )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if self.result is not None:
            return
        if error_type is None:
            self.stop()
        else:
            self.interrupt()

    # Requests.

    def expect(self, text: str | bytes, within: float | None = None) -> Match:
        """Runs the guest until it has written `text`, at most `within` cycles (20G). Raises ExpectError."""
        limit = "" if within is None else f" within {int(within)}"
        answer = self.request(f"expect {quote(text)}{limit}")
        output: str = answer["output"]
        self._output.append(output)
        length = len(text.encode() if isinstance(text, str) else text)
        return Match(output[len(output) - length :], output[: len(output) - length], answer["cycle"])

    def send(self, text: str | bytes, at: int | None = None) -> int:
        """Types `text`, where the guest stands or at a cycle. Returns the cycle."""
        when = "" if at is None else f"at {at} "
        return self._cycle(f"{when}send {quote(text)}")

    def run(self, cycles: float | None = None) -> int:
        """Runs the guest for so many cycles, or to its end. Returns the cycle."""
        return self._cycle("run" if cycles is None else f"run {int(cycles)}")

    def stats(self) -> Stats:
        """Counts and the digest of the state, where the guest stands."""
        answer = self.request("stats")
        answer["pc"] = int(answer["pc"], 16)
        return Stats(**{field.name: answer[field.name] for field in dataclasses.fields(Stats)})

    def peek(self, where: str | int) -> int:
        """The quadword of RAM at a symbol of the kernel or at an address."""
        return int(self.request(f"peek {where}")["value"], 16)

    def snapshot(self) -> None:
        """Takes a snapshot at the next checkpoint."""
        self.request("snapshot")

    def save(self, path: str | os.PathLike[str]) -> Log:
        """Writes what has been recorded so far to another, partial log."""
        self.request(f"save {quote(os.path.abspath(path))}")
        return Log(path)

    def stop(self) -> Result:
        """Ends the run where the guest stands."""
        try:
            self.request("stop")
        except SessionEnded:
            pass  # the guest was faster
        return self._finish()

    def finish(self) -> Result:
        """Runs the guest to its end."""
        try:
            self.request("run")
        except SessionEnded:
            pass
        return self._finish()

    def interrupt(self, number: int = signal.SIGINT) -> Result:
        """Ends the run by a signal, as from outside; of a recording, what there is becomes the log."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self._finish()

    def request(self, line: str) -> dict[str, Any]:
        """Any request, as docs/control.md has them; returns the answer. Raises RequestError when it was refused."""
        try:
            self._socket.sendall(line.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = self._read()
        if answer is None or "end" in answer:
            self._end = answer
            result = self._finish()
            raise SessionEnded(f"the guest ended ({result.reason}) before the request: {line}", result)
        if answer["ok"]:
            return answer
        if "output" in answer:
            raise ExpectError(answer["error"], answer["output"])
        raise RequestError(answer["error"])

    # The rest.

    def _cycle(self, line: str) -> int:
        cycle: int = self.request(line)["cycle"]
        return cycle

    def _read(self) -> dict[str, Any] | None:
        """The next line; None when there are no more."""
        try:
            line = self._lines.readline()
        except ConnectionResetError:
            return None
        except TimeoutError:
            self.process.kill()
            self.process.wait()
            raise
        if not line.endswith(b"\n"):
            return None
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _finish(self) -> Result:
        """Waits for the end of all."""
        if self.result is not None:
            return self.result
        while self._end is None:
            line = self._read()
            if line is None:
                break
            if "end" in line:
                self._end = line
        code = self.process.wait()
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace")
        self._errors.close()
        self._lines.close()
        self._socket.close()
        if self._end is None:
            self.result = Result(code, "crashed", 0, 0, "".join(self._output), errors)
            raise IsochronError(f"the program ended with exit code {code}", errors)
        self.result = self._make_result(self._end["end"], code, errors)
        return self.result

    def _make_result(self, end: dict[str, Any], code: int, errors: str) -> Result:
        log = replay = None
        if "log" in end:
            log = LogSummary(**end["log"] | {"path": pathlib.Path(end["log"]["path"])})
        replay = end.get("replay", {})
        return Result(
            exit_code=code,
            reason=end["reason"],
            cycles=end["cycle"],
            instructions=end["instructions"],
            transcript="".join(self._output) + end["output"],
            errors=errors,
            log=log,
            equal_events=replay.get("equal_events"),
            diverged=replay.get("diverged"),
        )
