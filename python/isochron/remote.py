"""Speaks gdb's remote protocol to `isochron replay --gdb -`."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence

from isochron.errors import IsochronError, RequestError, Unresponsive, hide

__tracebackhide__ = hide


class Stub:
    """The stub that a command is on its standard input and output. One request at a time, without acknowledgements.

    Raises IsochronError when it cannot be started or goes away, with what it said. `patience`: wall seconds for an
    answer, and for its end; then it is killed.
    """

    def __init__(self, command: Sequence[str], patience: float | None = None) -> None:
        self._patience = patience
        self._deadline: float | None = None
        self._errors = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors
            )
        except OSError as error:
            self._errors.close()
            raise IsochronError(f"cannot start {command[0]}: {error.strerror}") from error
        self._buffer = b""
        self._acknowledges = True
        try:
            self.request("QStartNoAckMode")
        except BaseException:
            self.close()
            raise
        self._acknowledges = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> tuple[int, str]:
        """Ends it. Its exit code and what it said."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # of what it has not read
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            code = self._process.wait(self._patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        if self._errors.closed:
            return code, ""
        self._errors.seek(0)
        said = os.fsdecode(self._errors.read())
        self._errors.close()
        return code, said

    def request(self, body: str) -> str:
        """The answer to a request."""
        self._send(body)
        return self._packet()

    def resume(self, body: str) -> tuple[str, str]:
        """A request that runs the machine: why it stopped, and what was said meanwhile."""
        return self._until(body, lambda reply: not reply.startswith("O"))

    def monitor(self, command: str) -> str:
        """What a monitor command prints. Raises RequestError when it is refused."""
        reply, text = self._until(
            "qRcmd," + command.encode().hex(), lambda reply: reply == "OK" or not reply.startswith("O")
        )
        if reply != "OK" or text.startswith("error: "):
            raise RequestError(text.removeprefix("error: ").strip() or f"refused: monitor {command}")
        return text

    def _until(self, body: str, is_last: Callable[[str], bool]) -> tuple[str, str]:
        self._send(body)
        text = ""
        while not is_last(reply := self._packet()):
            text += bytes.fromhex(reply[1:]).decode(errors="replace")
        return reply, text

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            self._gone()

    def _send(self, body: str) -> None:
        data = body.encode("latin-1")
        self._deadline = None if self._patience is None else time.monotonic() + self._patience
        self._write(b"$" + data + b"#%02x" % (sum(data) & 0xFF))

    def _packet(self) -> str:
        assert self._process.stdout is not None
        while True:
            start = self._buffer.find(b"$")
            end = self._buffer.find(b"#", start)
            if 0 <= start < end <= len(self._buffer) - 3:
                body, self._buffer = self._buffer[start + 1 : end], self._buffer[end + 3 :]
                if self._acknowledges:
                    self._write(b"+")
                return body.decode("latin-1")
            data = self._read(self._process.stdout.fileno())
            if not data:
                self._gone()
            self._buffer += data

    def _read(self, pipe: int) -> bytes:
        """What has come; nothing when no more comes."""
        if self._deadline is not None:
            ready, _, _ = select.select([pipe], [], [], max(0, self._deadline - time.monotonic()))
            if not ready:
                self._process.kill()
                raise Unresponsive(f"no answer within {self._patience} s", self.close()[1].strip())
        return os.read(pipe, 65536)

    def _gone(self) -> None:
        code, said = self.close()
        raise IsochronError(f"isochron ended with exit code {code}", said.strip())
