"""What goes wrong, as exceptions; SessionEnded, which has a result, is with the results."""

from __future__ import annotations

from typing import Any

from isochron.script import printable


class IsochronError(Exception):
    """The program refused what it was asked for, or failed. `errors` is what it said."""

    def __init__(self, message: str, errors: str = "") -> None:
        super().__init__(printable(f"{message}\n{errors}" if errors else message))
        self.errors = errors


def hide(excinfo: Any) -> bool:
    """For `__tracebackhide__`: pytest leaves our frames out of what it shows of an error that we raised.

    Any other error in them is a fault of ours, and shown whole.
    """
    return excinfo is not None and issubclass(excinfo.type, IsochronError)


class LogError(IsochronError):
    """A file is no log, or damaged."""


class RequestError(IsochronError):
    """A request was refused; the session goes on."""


class ExpectError(RequestError):
    """A text did not come in time; the session goes on. `output` is what came in its place."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


class Unresponsive(IsochronError, TimeoutError):
    """The program did not answer within the session's patience, and was killed."""
