"""Texts of the control language (docs/cli.md)."""

from __future__ import annotations

import re

_NAMED = {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
    0x1B: "\\e",
    0x5C: "\\\\",
    0x22: '\\"',
}

# A request has at most 65536 bytes, and a byte becomes up to four when it is quoted.
_MAX_PIECE = 16_000


def printable(text: str) -> str:
    """Text of several lines without anything that a terminal or a viewer could take for more than what it shows.

    What comes from a file (a name, a message of the program about one) may have been chosen by somebody else.
    """
    return "".join(
        char if char == "\n" or char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def as_text(characters: str) -> str:
    """What the guest wrote as UTF-8, with U+FFFD for what is none; `characters` U+0000 to U+00FF stand for its bytes."""
    return characters.encode("latin-1").decode(errors="replace")


def as_bytes(text: str | bytes) -> bytes:
    """What goes over the console: text is UTF-8."""
    return text if isinstance(text, bytes) else text.encode()


def quote(text: str | bytes) -> str:
    """A text as the control language writes it, quotes included."""
    quoted = "".join(
        _NAMED.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")
        for byte in as_bytes(text)
    )
    return f'"{quoted}"'


def time(value: float | str) -> str:
    """Guest time as the control language writes it."""
    if not isinstance(value, str):
        return str(int(value))
    if not re.fullmatch(r"[0-9.]+([KkMmGg]|[num]?s)?", value):
        raise ValueError(f"neither a number of cycles nor a time such as 20s: {value!r}")
    return value


_FLAGS = re.IGNORECASE | re.DOTALL | re.MULTILINE | re.UNICODE | re.ASCII


def regex(pattern: re.Pattern[str] | re.Pattern[bytes]) -> str:
    """A regular expression as the control language writes it. `^` and `$` are at lines there, flag or no flag."""
    if pattern.flags & ~_FLAGS:
        raise ValueError(f"only the flags IGNORECASE, DOTALL and MULTILINE are known: {pattern!r}")
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode()
    escaped = {"/": r"\/", "\n": r"\n", "\r": r"\r", "\0": r"\x00"}
    text = re.sub(r"\\[^\n\r\0]|[/\n\r\0]", lambda found: escaped.get(found[0], found[0]), source)
    dot_all = "(?s)" if pattern.flags & re.DOTALL else ""
    return f"/{dot_all}{text}/" + ("i" if pattern.flags & re.IGNORECASE else "")


def prefix(uart: int) -> str:
    """What stands before a command for UART `uart`: nothing for the console, UART 0."""
    return "serial1 " if uart == 1 else ""


def when(at: float | str | None) -> str:
    """What stands before a command that waits for a cycle; None: it does not wait."""
    return "" if at is None else f"at {time(at)} "


def sends(text: str | bytes, at: float | str | None = None, uart: int = 0) -> list[str]:
    """The requests that type `text` to a UART, all at one input point: as many as it takes."""
    data = as_bytes(text)
    pieces = [data[start : start + _MAX_PIECE] for start in range(0, len(data), _MAX_PIECE)] or [b""]
    first, *more = (f"{prefix(uart)}send {quote(piece)}" for piece in pieces)
    return [when(at) + first, *more]
