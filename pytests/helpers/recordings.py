"""Recordings of the console guest, and what tests do with logs."""

import json
import pathlib
import re

import zstandard

from helpers.commands import run

CONVERSATION = 'expect "ready"\nsend "abc"\nexpect "[63]"\nat 50M send "HE"\nat 70M send "q"\n'


def record(isochron, log, *args, **options):
    """A recording that must have ended well; its line about the log."""
    result = run(isochron, "record", "-o", str(log), *args, **options)
    assert result.returncode == 0, result.stderr.decode()
    return result


def recorded(isochron, kernel, directory):
    """The log of a guest without a console, in a directory."""
    log = directory / "log"
    record(isochron, log, "--kernel", kernel, "--console", "null")
    return log


def replay(isochron, log, *args, **options):
    return run(isochron, "replay", str(log), *args, **options)


def dump(isochron, log, *args):
    result = run(isochron, "log", "dump", str(log), "--json", *args)
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def events(isochron, log, *types):
    selection = [word for type_name in types for word in ("--type", type_name)]
    return dump(isochron, log, *selection)


def script_of(isochron, log):
    """A script that does what was done when the log was recorded."""
    lines = []
    for event in events(isochron, log, "input", "stop"):
        port = "serial1 " if event.get("stream") == 1 else ""
        if event["type"] == "stop":
            assert event["cause"] == "quit"
            lines.append(f"at {event['cycle']} stop")
        elif event["kind"] == "break":
            lines.append(f"at {event['cycle']} {port}send-break")
        else:
            text = "".join(f"\\x{ord(char):02x}" for char in event["bytes"])
            lines.append(f'at {event["cycle"]} {port}send "{text}"')
    return "\n".join(lines) + "\n"


def assert_replays(isochron, log, end, *args):
    """The replay ends where the log does, says so, and is equal."""
    result = replay(isochron, log, *args)
    errors = result.stderr.decode()
    assert result.returncode == 0, errors
    assert errors.count("\n") == 1
    assert re.fullmatch(
        rf"isochron: replayed {re.escape(str(log))} to its end at cycle \d+ \(\d+\.\d+ s\): {end}; "
        r"\d+ events are equal\n",
        errors,
    ), errors
    return result


def frames_of(log):
    """The contents of a log's zstd frames, and where each begins; then what is behind them."""
    data = pathlib.Path(log).read_bytes()
    contents, starts, position = [], [], 0
    while data[position : position + 4] == b"\x28\xb5\x2f\xfd":
        decompressor = zstandard.ZstdDecompressor().decompressobj()
        contents.append(decompressor.decompress(data[position:]))
        starts.append(position)
        position = len(data) - len(decompressor.unused_data)
    return contents, starts, data[position:]


def rewritten(log, source, edit):
    """Writes to `log` what `edit` makes of the contents of the source's frames."""
    contents, _, _ = frames_of(source)
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
    log.write_bytes(b"".join(compressor.compress(content) for content in edit(contents)))
    sidecar = pathlib.Path(f"{source}.images")
    pathlib.Path(f"{log}.images").write_text(sidecar.read_text())
