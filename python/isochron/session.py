"""A conversation with a running guest, over the control channel (docs/control.md)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import IO, Any

from isochron.channel import Channel
from isochron.errors import ExpectError, IsochronError, RequestError, Unresponsive, hide
from isochron.log import Log
from isochron.results import CpuStats, LogSummary, Match, Result, SessionEnded, Stats
from isochron.script import as_bytes, as_text, prefix, quote, regex, sends, when
from isochron.script import time as guest_time
from isochron.timeline import Timeline

__tracebackhide__ = hide

# Wall seconds that a program may take to end when its session is left by an exception.
_GRACE = 60

_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Session:
    """A guest that stands still while nobody asks anything of it.

    All times are guest time: numbers are cycles, texts such as "20s" and "1.5ms" seconds of the guest's clock, "2G"
    cycles again. What a session does depends on its calls alone, never on how long the caller takes
    between them. Made by Machine; use as a context manager: leaving it stops the guest, leaving it by an exception ends
    the program by SIGTERM, with a complete log.
    """

    def __init__(
        self, arguments: list[str], patience: float | None = None, *, tells_log: bool = True
    ) -> None:
        """Starts the program. `patience`: wall seconds for an answer, which only a hang should reach.

        `tells_log`: whether the result has the log that the program writes.
        """
        self.arguments = arguments
        self.patience = patience
        self._tells_log = tells_log
        self.result: Result | None = None
        self._requests = 0
        self._end: dict[str, Any] | None = None
        self._output: tuple[list[str], list[str]] = ([], [])  # of the UARTs
        # The program inherits that, as from a shell's background job or nohup.
        self._ignored = {
            number for number in (*_STOPPING, signal.SIGQUIT) if signal.getsignal(number) is signal.SIG_IGN
        }
        with contextlib.ExitStack() as resources:
            self._errors: IO[bytes] = resources.enter_context(tempfile.TemporaryFile())
            ours, theirs = socket.socketpair()
            self._channel = resources.enter_context(contextlib.closing(Channel(ours)))
            with theirs:
                self.process = self._spawn(theirs)
            self._resources = resources.pop_all()

    def _spawn(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [*self.arguments, "--control", f"fd:{theirs.fileno()}"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                pass_fds=[theirs.fileno()],
            )
        except OSError as error:
            raise IsochronError(f"cannot start {self.arguments[0]}: {error.strerror}") from error

    def __enter__(self) -> Session:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        if self.result is not None:
            return
        if error_type is None:
            self.stop()
        else:
            self._abort()

    # Requests.

    def expect(
        self,
        text: str | bytes | re.Pattern[str] | re.Pattern[bytes],
        within: float | str | None = None,
        uart: int = 0,
    ) -> Match:
        """Runs the guest until it has written `text`, at most `within` (20G cycles). Raises ExpectError.

        `uart`: where, to the console or to UART 1.

        A compiled regular expression is sought by the program, whose syntax is RE2's (docs/cli.md): the match is the
        first that is complete, whatever the guest writes next.
        """
        limit = "" if within is None else f" within {guest_time(within)}"
        what = regex(text) if isinstance(text, re.Pattern) else quote(text)
        answer = self.request(f"{prefix(uart)}expect {what}{limit}")
        output: str = answer["output"]
        self._output[uart].append(output)
        if isinstance(text, re.Pattern):
            found, *groups = answer["groups"]
            start, end = _place_of(found, output)
        else:
            groups = []
            start, end = len(output) - len(as_bytes(text)), len(output)
        return Match(output[start:end], output[:start], answer["cycle"], tuple(groups))

    def send(self, text: str | bytes, at: float | str | None = None, uart: int = 0) -> int:
        """Types `text`, where the guest stands or at a time, to the console or to UART 1. Returns the cycle."""
        first, *more = sends(text, at, uart)
        cycle = self._cycle(first)
        for request in more:
            self.request(request)
        return cycle

    def send_break(self, at: float | str | None = None, uart: int = 0) -> int:
        """Sends a break, where the guest stands or at a time, to the console or to UART 1. Returns the cycle."""
        return self._cycle(f"{when(at)}{prefix(uart)}send-break")

    def run(self, cycles: float | str | None = None) -> int:
        """Runs the guest for so long, or to its end. Returns the cycle."""
        return self._cycle("run" if cycles is None else f"run {guest_time(cycles)}")

    def stats(self) -> Stats:
        """Counts and the digest of the state, where the guest stands."""
        answer = self.request("stats")
        for place in [answer, *answer.setdefault("cpus", [])]:
            place["pc"] = int(place["pc"], 16)
            place["symbol"] = as_text(place["symbol"])
        answer["cpus"] = tuple(CpuStats(**cpu) for cpu in answer["cpus"])
        return Stats(**{field.name: answer[field.name] for field in dataclasses.fields(Stats)})

    def peek(self, where: str | int) -> int:
        """The quadword of RAM at a symbol of the kernel or at an address."""
        if re.search(r'[\s"#\0]', str(where)):
            raise ValueError(f"neither a symbol nor an address: {where!r}")
        return int(self.request(f"peek {where}")["value"], 16)

    def inspect(self, path: str) -> dict[str, int]:
        """The fields of the machine's state at and below a path, such as cpu0.pc, cpu0.dtb[3] or uart0, by their paths.

        The state is what snapshots and digests are made of, without RAM.
        """
        if re.search(r'[\s"#\0]', path):
            raise ValueError(f"no name of the state: {path!r}")
        fields: dict[str, str] = self.request(f"inspect {path}")["fields"]
        return {name: int(value, 16) for name, value in fields.items()}

    def snapshot(self) -> None:
        """Takes a snapshot at the next checkpoint."""
        self.request("snapshot")

    def save(self, path: str | os.PathLike[str]) -> Log:
        """Writes what has been recorded so far to another, partial log."""
        self._save(path)
        return Log(path)

    def timeline(
        self,
        *,
        engine: str | None = None,
        symbols: Sequence[str | os.PathLike[str]] = (),
        options: Sequence[str] = (),
    ) -> Timeline:
        """What has been recorded so far, to go through forwards and backwards: at first it stands where the guest does.

        It is a copy, in a process of its own: the guest does not move meanwhile, and the log has nothing of it. What
        comes later is not in it. The engine is the session's if none is named; `symbols` and `options` are those of
        Timeline. Raises RequestError where nothing is recorded, and IsochronError where the copy cannot be gone
        through: while the run keeps an image or an overlay for itself that the copy has to read:
        one of a Disk with `commit`, or an overlay that was not empty at power-on.
        """
        with tempfile.TemporaryDirectory() as directory:
            copy = os.path.join(directory, "log")
            cycle = self._save(copy)
            timeline = Timeline(
                copy,
                engine=engine or self._engine(),
                symbols=symbols,
                options=options,
                known_to=cycle,
                program=self.arguments[0],
                patience=self.patience,
            )
        # The program has opened the log, and needs its name no more.
        try:
            timeline.goto_end()
        except BaseException:
            timeline.close()
            raise
        return timeline

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
        if self.result is None and self.process.poll() is None:
            if number in self._ignored:
                name = signal.Signals(number).name
                raise IsochronError(f"the program ignores {name}, as this one did when it started it")
            self.process.send_signal(number)
        return self._finish()

    def request(self, line: str) -> dict[str, Any]:
        """Any request, as docs/control.md has them; returns the answer. Raises RequestError when it was refused."""
        if re.search(r"[\n\0]", line) or re.match(r"[ \t\r]*(#|$)", line):
            raise ValueError(f"not a request on one line: {line!r}")
        encoded = line.encode()
        if self.result is not None:
            raise self._ended_before(line, self.result)
        self._requests += 1
        deadline = self._deadline()
        try:
            self._channel.write(encoded, deadline)
            answer = self._read(deadline)
        except TimeoutError:
            raise self._give_up(line) from None
        if answer is None or "end" in answer:
            self._end = answer and answer["end"]
            raise self._ended_before(line, self._finish())
        if answer["request"] != self._requests:
            raise IsochronError(f"out of step: request {self._requests} got the answer to request {answer['request']}")
        if answer["ok"]:
            return answer
        error = _as_bytes(answer["error"]).decode(errors="replace")
        if "output" in answer:
            raise ExpectError(error, answer["output"])
        raise RequestError(error)

    # The rest.

    def _save(self, path: str | os.PathLike[str]) -> int:
        return self._cycle(f"save {quote(os.fsencode(os.path.abspath(path)))}")

    def _engine(self) -> str | None:
        """The engine that the program was told to take."""
        engine, words = None, iter(self.arguments)
        for word in words:
            if word == "--engine":
                engine = next(words, None)
            elif word.startswith("--engine="):
                engine = word.partition("=")[2]
        return engine

    def _cycle(self, line: str) -> int:
        cycle: int = self.request(line)["cycle"]
        return cycle

    def _deadline(self) -> float | None:
        return None if self.patience is None else time.monotonic() + self.patience

    def _read(self, deadline: float | None) -> dict[str, Any] | None:
        """The next line; None when there are no more."""
        line = self._channel.read(deadline)
        if line is None:
            return None
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError as error:
            raise IsochronError(f"this is no answer: {line!r}") from error
        return answer

    def _read_to_end(self, deadline: float | None) -> None:
        """Reads up to the end line, or until there are no more lines."""
        while self._end is None:
            answer = self._read(deadline)
            if answer is None:
                break
            self._end = answer.get("end")

    def _finish(self) -> Result:
        """Waits for the end of all."""
        if self.result is not None:
            return self.result
        try:
            self._read_to_end(self._deadline())
        except TimeoutError:
            raise self._give_up("the end") from None
        result = self._conclude(self.patience)
        if result.reason == "crashed":
            raise IsochronError(f"the program ended with exit code {result.exit_code}", result.errors)
        return result

    def _abort(self) -> None:
        """Ends the run for somebody who is busy with an error: in a bounded time, and without another one."""
        deadline = time.monotonic() + min(_GRACE, math.inf if self.patience is None else self.patience)
        try:
            with contextlib.suppress(IsochronError, OSError):
                if not self._has_ended():
                    self.process.send_signal(next((n for n in _STOPPING if n not in self._ignored), signal.SIGKILL))
                    self._read_to_end(deadline)
                self._conclude(max(1, deadline - time.monotonic()))
        finally:
            if self.result is None:
                self.process.kill()
                self._conclude(None)

    def _has_ended(self) -> bool:
        """Whether what has been received already shows the end."""
        try:
            self._read_to_end(time.monotonic())
        except TimeoutError:
            return False
        return True

    def _give_up(self, awaited: str) -> Unresponsive:
        """The error of a program that does not answer."""
        self.process.kill()
        result = self._conclude(None)
        return Unresponsive(f"no answer within {self.patience} s: {awaited:.200}", result.errors)

    def _conclude(self, patience: float | None) -> Result:
        """Waits for the process, or kills it, closes everything, and sets the result."""
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace")
        self._resources.close()
        if self._end is None:
            self.result = Result(code, "crashed", 0, 0, "".join(self._output[0]), errors, "".join(self._output[1]))
        else:
            self.result = self._make_result(self._end, code, errors)
        return self.result

    def _ended_before(self, line: str, result: Result) -> SessionEnded:
        return SessionEnded(f"the guest ended ({result.reason}) before the request: {line:.200}", result)

    def _make_result(self, end: dict[str, Any], code: int, errors: str) -> Result:
        log = None
        if "log" in end and self._tells_log:
            path = pathlib.Path(os.fsdecode(_as_bytes(end["log"]["path"])))
            log = LogSummary(path, *(end["log"][name] for name in ("events", "bytes", "identity")))
        replay = end.get("replay", {})
        return Result(
            exit_code=code,
            reason=end["reason"],
            cycles=end["cycle"],
            instructions=end["instructions"],
            transcript="".join(self._output[0]) + end["output"],
            errors=errors,
            serial1_transcript="".join(self._output[1]) + end["serial1_output"],
            log=log,
            equal_events=replay.get("equal_events"),
            diverged=replay.get("diverged"),
        )


def _place_of(found: str, output: str) -> tuple[int, int]:
    """Where the match `found` is, which ends where `output` does, or before the byte that ended a word or a line.

    It has no carriage returns, the output may have some.
    """
    if not found:
        return len(output), len(output)
    places = [place for place, char in enumerate(output) if char != "\r"]
    text = "".join(output[place] for place in places)
    start = len(text) - len(found) if text.endswith(found) else len(text) - len(found) - 1
    return places[start], places[start + len(found) - 1] + 1


def _as_bytes(text: str) -> bytes:
    """A text of an answer, whose characters U+0000 to U+00FF stand for bytes."""
    return text.encode("latin-1")
