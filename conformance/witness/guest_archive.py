"""Makes an initrd: an archive in cpio's "newc" form, which the kernel unpacks."""

import pathlib

DIRECTORY, FILE, CHARACTER_DEVICE = 0o040000, 0o100000, 0o020000


class Archive:
    """Files that belong to root, all of one date, so that equal contents give equal archives."""

    def __init__(self):
        self.parts = []

    def entry(self, name, mode, data=b"", device=(0, 0)):
        """Adds one entry; names are relative to the root."""
        path = name.encode("ascii") + b"\0"
        fields = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
        header = b"070701" + b"".join(b"%08x" % field for field in fields)
        for part in (header + path, data):
            self.parts.append(part + bytes(-len(part) % 4))

    def directory(self, name):
        self.entry(name, DIRECTORY | 0o755)

    def file(self, name, data, mode=0o755):
        self.entry(name, FILE | mode, data)

    def device(self, name, major, minor):
        self.entry(name, CHARACTER_DEVICE | 0o600, b"", (major, minor))

    def finish(self):
        """Its bytes; nothing can be added any more."""
        self.entry("TRAILER!!!", 0)
        return b"".join(self.parts)

    def write(self, path):
        pathlib.Path(path).write_bytes(self.finish())
