#!/usr/bin/env python3
"""Checks which room of the house includes which: docs/architecture.md, "The shape".

Usage: include_lint.py SOURCE_DIR

A room is a folder of C++ sources. Reports every include that the table below does not allow, every arrow of the
table that nothing uses any more, and circles among files. Exit 0 if there is none, 1 otherwise.
"""

import pathlib
import re
import sys

# From the top. A room may include itself and what stands behind it, which stands below it here.
ROOMS = [
    ("cli/docs", "cli cli/commands cli/text cli/host engines"),
    ("cli", "cli/commands cli/run cli/host cli/text hostio"),
    (
        "cli/commands",
        "cli/hunt cli/run cli/control cli/host cli/text debug/gdb debug/report debug conformance/compare engines timeline machine replaylog "
        "machine/events hostio",
    ),
    ("cli/hunt", "cli/run cli/control cli/text machine replaylog machine/bus machine/events hostio"),
    (
        "cli/run",
        "cli/control cli/net cli/host cli/text debug conformance/compare engines timeline machine replaylog machine/devices "
        "machine/firmware machine/bus machine/disks machine/events alpha hostio",
    ),
    ("cli/control", "cli/host replaylog machine/firmware machine/bus machine/events alpha hostio"),
    ("cli/net", "cli/host cli/text machine/bus machine/events hostio"),
    ("cli/host", "cli/text debug/gdb machine/devices machine/bus machine/events alpha hostio"),
    ("cli/text", "replaylog machine/firmware machine/events alpha hostio"),
    (
        "conformance/planted",
        "conformance/sequences conformance/compare conformance/guests engines machine/events jit alpha",
    ),
    (
        "conformance/fuzz",
        "debug/gdb machine replaylog machine/devices/ide machine/devices/tulip machine/devices/virtio "
        "machine/devices/network machine/disks machine/firmware machine/bus machine/events ref",
    ),
    (
        "conformance/sequences",
        "conformance/compare engines timeline machine replaylog machine/devices/virtio machine/disks machine/firmware "
        "machine/bus machine/events ref alpha hostio",
    ),
    (
        "conformance/bench",
        "engines timeline machine replaylog machine/firmware machine/bus machine/events ref alpha hostio",
    ),
    (
        "conformance/compare",
        "conformance/guests engines timeline machine replaylog machine/firmware machine/events ref alpha hostio",
    ),
    (
        "conformance/guests",
        "debug/gdb debug engines timeline machine replaylog machine/devices machine/disks machine/firmware machine/bus "
        "machine/events alpha hostio",
    ),
    ("debug/gdb", "debug timeline machine replaylog machine/firmware machine/events alpha hostio"),
    ("debug/report", "debug timeline machine replaylog machine/events alpha hostio"),
    ("debug", "timeline machine replaylog machine/firmware machine/events alpha hostio"),
    ("timeline", "machine replaylog machine/disks machine/firmware machine/bus machine/events ref alpha hostio"),
    ("engines", "machine jit ref alpha"),
    (
        "machine",
        "machine/chipset machine/devices/ide machine/devices/tulip machine/devices/virtio machine/devices/network "
        "machine/devices machine/disks machine/firmware machine/bus machine/events alpha",
    ),
    ("replaylog", "machine/events alpha hostio"),
    ("machine/chipset", "machine/bus machine/events alpha"),
    ("machine/devices/tulip", "machine/devices/network machine/bus alpha"),
    ("machine/devices/virtio", "machine/devices/network machine/devices machine/disks machine/bus machine/events alpha"),
    ("machine/devices/network", "machine/bus machine/events alpha"),
    ("machine/devices/ide", "machine/disks machine/bus alpha"),
    ("machine/devices", "machine/firmware machine/disks machine/bus machine/events alpha"),
    ("machine/disks", "machine/events alpha"),
    ("machine/firmware/palcode", "machine/firmware alpha"),
    ("machine/firmware/console", "machine/firmware"),
    ("machine/firmware", "machine/events alpha hostio"),
    ("machine/bus", "machine/events alpha"),
    ("machine/events", "alpha hostio"),
    ("jit", "ref alpha hostio"),
    ("ref", "alpha"),
    ("alpha", ""),
    ("hostio", ""),
]
INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.MULTILINE)


def table_faults():
    """What is wrong with ROOMS itself: an arrow that points upwards or to no room."""
    faults = []
    place = {room: index for index, (room, _) in enumerate(ROOMS)}
    for room, allowed in ROOMS:
        for target in allowed.split():
            if target not in place:
                faults.append(f"the table allows {room} to include {target}, which is no room")
            elif place[target] <= place[room]:
                faults.append(f"the table allows {room} to include {target}, which does not stand below it")
    return faults


def sources(root):
    """The C++ files of the tree."""
    tops = {room.split("/")[0] for room, _ in ROOMS}
    found = (path for top in sorted(tops) for path in sorted((root / top).rglob("*")))
    return [path for path in found if path.suffix in {".cc", ".h", ".inc"}]


def read_includes(root):
    """The includes of each C++ file of the tree that are files of the tree: {file: [file]}."""
    files = {str(path.relative_to(root)): path for path in sources(root)}
    return {
        name: [target for target in INCLUDE.findall(path.read_text(encoding="utf-8")) if target in files]
        for name, path in files.items()
    }


def room_of(name):
    return str(pathlib.PurePosixPath(name).parent)


def arrow_faults(includes):
    faults = []
    allowed = {room: set(targets.split()) for room, targets in ROOMS}
    used = set()
    for name, targets in includes.items():
        room = room_of(name)
        outside = [target for target in targets if room_of(target) != room]
        if room not in allowed:
            # A folder of guest code includes nothing of the house.
            faults += [f"{name}: includes {target}, but {room} is not in the table" for target in outside]
            continue
        for target in outside:
            if room_of(target) not in allowed[room]:
                faults.append(f"{name}: includes {target}; {room} may not include {room_of(target)}")
            used.add((room, room_of(target)))
    for room, targets in ROOMS:
        faults += [f"{room} no longer includes {target}: take it out of the table" for target in targets.split()
                   if (room, target) not in used]
    return faults


def circles(includes):
    """Circles among units, each on one line. A unit is a header with its source; tests are above all of them."""
    def unit_of(name):
        return re.sub(r"\.(cc|h|inc)$", "", name)

    units = {}
    for name, targets in includes.items():
        if not name.endswith("_test.cc"):
            units.setdefault(unit_of(name), set()).update(unit_of(target) for target in targets)
    state = {}
    found = []

    def visit(unit, path):
        state[unit] = "open"
        for target in sorted(units.get(unit, set()) - {unit}):
            if state.get(target) == "open":
                found.append("circle: " + " -> ".join(path[path.index(target):] + [target]))
            elif target not in state:
                visit(target, path + [target])
        state[unit] = "done"

    for unit in sorted(units):
        if unit not in state:
            visit(unit, [unit])
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    includes = read_includes(pathlib.Path(sys.argv[1]))
    if not includes:
        sys.exit(f"{sys.argv[1]} holds no sources")
    faults = table_faults() + arrow_faults(includes) + circles(includes)
    for fault in faults:
        print(fault)
    print(f"{len(includes)} files, {len(ROOMS)} rooms, {len(faults)} findings")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
