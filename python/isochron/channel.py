"""Lines to and from the program, over a socket."""

from __future__ import annotations

import collections
import socket
import time


class Channel:
    """Writes and reads lines until a deadline (of time.monotonic(); None: for ever). Raises TimeoutError."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._lines: collections.deque[bytes] = collections.deque()
        self._partial: list[bytes] = []

    def write(self, line: bytes, deadline: float | None) -> None:
        """Writes a line. To a program that is gone that does nothing: the next read shows it."""
        self._limit(deadline)
        try:
            self._socket.sendall(line + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        except BlockingIOError as error:
            raise TimeoutError from error

    def read(self, deadline: float | None) -> bytes | None:
        """The next line, without its end; None when there are no more."""
        while not self._lines:
            self._limit(deadline)
            try:
                received = self._socket.recv(1 << 16)
            except ConnectionResetError:
                return None
            except BlockingIOError as error:
                raise TimeoutError from error
            if not received:
                return None
            self._append(received)
        return self._lines.popleft()

    def close(self) -> None:
        """The program takes it as a hang-up."""
        self._socket.close()

    def _append(self, received: bytes) -> None:
        first, *more = received.split(b"\n")
        self._partial.append(first)
        if more:
            self._lines += [b"".join(self._partial), *more[:-1]]
            self._partial = [more[-1]]

    def _limit(self, deadline: float | None) -> None:
        self._socket.settimeout(None if deadline is None else max(0, deadline - time.monotonic()))
