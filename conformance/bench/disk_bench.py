"""Measures a disk: what a guest gets out of it in its own time, and what that costs the host.

Linux reads a whole disk and writes it (dd, blocks of 64 KiB; the page cache is empty before) on `isochron run`, on
`isochron record` and on qemu-system-alpha, each with virtio-blk, the same kernel and the same image, which nobody changes.
Runs are interleaved. Wall seconds are from the command to the next prompt. Prints medians, their ratios, and what dd says in the
guest's time beside the table of docs/machine.md.
"""

import json
import os
import pathlib
import re
import sys
import tempfile
import time

from conformance.bench.common import PROMPT, BenchParser, measure, median
from conformance.tree import guest_path

# A request of 64 KiB that begins where the last ended (docs/machine.md, "Virtio disk"), in seconds.
REQUEST = 1 / 35_000
PIECE = 64 << 10
RATES = {"read": 250e6, "write": 170e6}


def parse_arguments():
    parser = BenchParser("disk", __doc__, runs=5)
    parser.add_argument("--qemu", default="qemu-system-alpha")
    parser.add_argument("--engine", default="jit", help="isochron's engine (default: jit)")
    parser.add_argument("--mib", type=int, default=256, help="size of the disk (default: 256)")
    parser.add_json_flag()
    return parser.parse_args()


def commands(mib):
    """What is measured, by name; a name without RATES is not measured."""
    count = mib << 4
    return [
        ("", "echo 3 >/proc/sys/vm/drop_caches"),
        ("read", f"dd if=/dev/vda of=/dev/null bs=65536 count={count}"),
        ("", "echo 3 >/proc/sys/vm/drop_caches"),
        ("write", f"dd if=/dev/zero of=/dev/vda bs=65536 count={count} conv=fsync"),
        ("", "poweroff -f"),
    ]


class Conversation:
    """Types the commands at the prompt, one after the other, and notes how long each took."""

    def __init__(self, mib):
        self.pending = commands(mib)
        self.seconds = {}

    def __call__(self, process):
        transcript, answered, running = b"", 0, ("", 0.0)
        while data := os.read(process.stdout.fileno(), 65536):
            transcript += data
            prompt = transcript.find(PROMPT, answered)
            if not self.pending or prompt < 0:
                continue
            now = time.monotonic()
            name, began = running
            if name:
                self.seconds[name] = now - began
            answered = prompt + len(PROMPT)
            name, command = self.pending.pop(0)
            running = (name, time.monotonic())
            process.stdin.write(command.encode() + b"\n")
            process.stdin.flush()
        self.guest = [float(rate) for rate in re.findall(rb"copied, ([\d.]+) seconds", transcript)]
        return transcript


def isochron_command(arguments, image, *how):
    return [
        arguments.isochron, *how, "--kernel", str(guest_path("linux-disk") / "vmlinux"),
        "--initrd", str(guest_path("initrd") / "initrd.cpio.gz"), "--append", "console=ttyS0", "--memory", "512M",
        "--engine", arguments.engine, "--disk", str(image), "--pace", "off",
    ]  # fmt: skip


def qemu_command(arguments, image):
    return [
        arguments.qemu, "-M", "clipper", "-m", "512", "-nographic", "-vga", "none", "-nic", "none",
        "-kernel", str(guest_path("linux-disk") / "vmlinux"), "-initrd", str(guest_path("initrd") / "initrd.cpio.gz"),
        "-append", "console=ttyS0",
        "-drive", f"file={image},if=none,id=disk,format=raw,snapshot=on",
        # A longer queue lets a request have more segments than Linux can list on Alpha.
        "-device", "virtio-blk-pci,drive=disk,queue-size=128",
    ]  # fmt: skip


def run_all(arguments, folder):
    """By name of the program: a list of what was measured in each run."""
    image = folder / "image"
    with image.open("wb") as file:
        for _ in range(arguments.mib):
            file.write(os.urandom(1 << 20))
    ways = {
        "run": isochron_command(arguments, image, "run"),
        "record": isochron_command(arguments, image, "record", "-o", str(folder / "log")),
        "qemu": qemu_command(arguments, image),
    }
    runs = {name: [] for name in ways}
    for number in range(arguments.runs):
        print(f"run {number + 1} of {arguments.runs}", file=sys.stderr)
        for name, command in ways.items():
            conversation = Conversation(arguments.mib)
            measured = measure(command, conversation)
            seconds = {what: conversation.seconds[what] for what in RATES}
            guest = dict(zip(RATES, conversation.guest))
            runs[name].append({"cpu": measured["cpu seconds"], "seconds": seconds, "guest": guest})
    return runs


def figures(arguments, runs):
    """Medians and ratios, by what dd does."""
    size = arguments.mib << 20
    result = {}
    for what, rate in RATES.items():
        host = {name: median([run["seconds"] for run in those], what) for name, those in runs.items()}
        guest = {run["guest"][what] for run in runs["run"] + runs["record"]}
        result[what] = {
            "wall seconds": host,
            "of QEMU": host["run"] / host["qemu"],
            "record over run": host["record"] / host["run"],
            "MB/s in the guest": size / max(guest) / 1e6,
            "MB/s of the table": PIECE / (REQUEST + PIECE / rate) / 1e6,
        }
    cpu = {name: median(those, "cpu") for name, those in runs.items()}
    result["cpu seconds"] = cpu | {"of QEMU": cpu["run"] / cpu["qemu"], "record over run": cpu["record"] / cpu["run"]}
    return result


def main():
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as folder:
        result = figures(arguments, run_all(arguments, pathlib.Path(folder)))
    if arguments.json:
        print(json.dumps(result, indent=2))
        return
    print(f"medians of {arguments.runs} interleaved runs, {arguments.mib} MiB, engine {arguments.engine}")
    print(f"{'':<8}{'run':>9}{'record':>9}{'qemu':>9}{'run/qemu':>10}{'record/run':>12}{'guest MB/s':>12}{'table':>8}")
    for what in RATES:
        row, host = result[what], result[what]["wall seconds"]
        print(
            f"{what:<8}{host['run']:>9.3f}{host['record']:>9.3f}{host['qemu']:>9.3f}{row['of QEMU']:>10.2f}"
            f"{row['record over run']:>12.3f}{row['MB/s in the guest']:>12.1f}{row['MB/s of the table']:>8.1f}"
        )
    cpu = result["cpu seconds"]
    print(
        f"{'CPU':<8}{cpu['run']:>9.3f}{cpu['record']:>9.3f}{cpu['qemu']:>9.3f}{cpu['of QEMU']:>10.2f}"
        f"{cpu['record over run']:>12.3f}  (whole runs, boot and all)"
    )


if __name__ == "__main__":
    main()
