"""A reader of replay logs, written from docs/replay-log.md alone. Prints what `log dump --json` does."""

import json
import struct
import sys

import zstandard

SEEKABLE_MAGIC = 0x8F92EAB1
SKIPPABLE_MAGIC = 0x184D2A5E
MAX_CONTENT = 2 << 20

CAUSES = ["quit", "signal", "cycle-limit", "expect-failed"]
REASONS = ["power-off", "reset", "fatal", "stopped"]
ROLES = ["kernel", "initrd"]
NUMBER_FIELDS = {
    1: "model_version",
    3: "memory_bytes",
    4: "clock_hz",
    5: "itb_entries",
    6: "dtb_entries",
    8: "seed",
    9: "input_interval",
    10: "checkpoint_interval",
}


class Bytes:
    """Takes numbers and strings off the front of some bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def __bool__(self):
        return self.at < len(self.data)

    def take(self, size):
        assert size <= len(self.data) - self.at, "the data breaks off"
        self.at += size
        return self.data[self.at - size : self.at]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                assert (byte != 0 or shift == 7) and value < 1 << 64, "not a varint"
                return value

    def counted(self):
        return self.take(self.varint())

    def digest(self):
        return self.take(16).hex()

    def rest(self):
        return self.take(len(self.data) - self.at)


def read_frames(data):
    """Contents of all frames of a complete log."""
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    assert magic == SEEKABLE_MAGIC and descriptor == 0x80, "no seek table: a partial log"
    table = data[-(17 + 12 * count) :]
    assert struct.unpack("<II", table[:8]) == (SKIPPABLE_MAGIC, 12 * count + 9)
    offset = 0
    for compressed, size, _ in struct.iter_unpack("<III", table[8:-9]):
        assert size <= MAX_CONTENT
        frame = data[offset : offset + compressed]
        content = zstandard.ZstdDecompressor().decompress(frame, max_output_size=MAX_CONTENT)
        assert len(content) == size
        yield content
        offset += compressed
    assert offset == len(data) - len(table)


def read_header(content):
    data = Bytes(content)
    assert data.take(8) == b"ISOCHLOG", "no log"
    assert data.varint() == 1, "another major version"
    data.varint()
    fields = Bytes(data.counted())
    assert not data
    header = {"type": "header", "images": []}
    while fields:
        number = fields.varint()
        value = Bytes(fields.counted())
        if number in NUMBER_FIELDS:
            header[NUMBER_FIELDS[number]] = value.varint()
        elif number == 2:
            header["palcode"] = value.digest()
        elif number == 7:
            zigzag = value.varint()
            header["rtc_base_seconds"] = (zigzag >> 1) ^ -(zigzag & 1)
        elif number == 11:
            header["command_line"] = value.rest().decode("latin-1")
        elif number == 12:
            header["reboot"] = value.varint() == 1
        elif number == 13:
            image = {"role": ROLES[value.varint()], "size": value.varint()}
            header["images"].append(image | {"digest": value.digest()})
        else:
            assert number >= 64, "a field that must be understood"
            value.rest()
        assert not value
    return header


def read_payload(kind, payload):
    """Fields of an event, and the cycles from its cycle to its last."""
    if kind == 1:
        return {"type": "input", "bytes": payload.rest().decode("latin-1")}, 0
    if kind == 2:
        return {"type": "stop", "cause": CAUSES[payload.varint()], "detail": payload.varint()}, 0
    if kind == 64:
        event = {"type": "output", "uart": payload.varint()}
        count = payload.varint()
        event["bytes"] = payload.take(count).decode("latin-1")
        event["deltas"] = [payload.varint() for _ in range(count - 1)]
        return event, sum(event["deltas"])
    if kind == 65:
        rotated = payload.varint()
        pending = (rotated << 33 | rotated >> 31) & (1 << 64) - 1
        return {"type": "interrupt", "pending": hex(pending)}, 0
    if kind == 66:
        return {"type": "checkpoint", "instructions": payload.varint(), "state": payload.digest()}, 0
    if kind == 67:
        event = {"type": "end", "reason": REASONS[payload.varint()]}
        return event | {"instructions": payload.varint(), "state": payload.digest()}, 0
    assert kind >= 64, "an input that must be understood"
    return {"type": "unknown", "record_type": kind, "payload": payload.rest().hex()}, 0


def read_events(contents):
    cycle = number = 0
    for content in contents:
        data = Bytes(content)
        assert (data.varint(), data.varint()) == (0, 0), "no frame start"
        start = Bytes(data.counted())
        assert (start.varint(), start.varint()) == (cycle, number), "frames do not join"
        while data:
            tag = data.varint()
            cycle += data.varint()
            payload = Bytes(data.counted())
            fields, duration = read_payload(tag & 127, payload)
            assert not payload
            yield {"event": number, "cycle": cycle, "cpu": tag >> 7} | fields
            cycle += duration
            assert cycle < 1 << 64, "cycles go back"
            number += 1


def read_log(path):
    """The header of a log, and an iterator over its events."""
    with open(path, "rb") as file:
        frames = read_frames(file.read())
    return read_header(next(frames)), read_events(frames)


def main():
    header, events = read_log(sys.argv[1])
    print(json.dumps(header))
    for event in events:
        print(json.dumps(event))


if __name__ == "__main__":
    main()
