"""Going back in QEMU's own recording of a guest.

QEMU goes back by loading a snapshot that is kept in a qcow2 file and replaying from there. Two things that QEMU 7.2 was seen to do decide
what can be measured on an Alpha. To save a guest ended it with SIGFPE where guest memory was in pages of 4 KiB and not where it
was in pages of 2 MiB, so the guest gets those. And a replay from a snapshot went well up to the next clock tick, and to no
place behind it.
"""

import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

from isochron.errors import IsochronError
from isochron.remote import Stub

MEMORY = 256  # MiB
HUGE_PAGES = pathlib.Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
PATIENCE = 120  # seconds, for what QEMU is known to do
ANSWER = 15  # seconds, for going back over a distance at which it may wait forever
# Instructions. From snapshot to breakpoint, and from there to where it goes back: both together are a fiftieth of a clock tick.
NEAR = 10_000
FAR = 100_000_000


class Unable(Exception):
    """QEMU cannot do it here; says why."""



class Qmp:
    """A QEMU's control socket."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        self.read()
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        self.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        while line := self.read():
            answer = json.loads(line)
            if "error" in answer:
                raise Unable(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
        raise Unable(f"QEMU went away at {command}")


class Recording:
    """A guest recorded by QEMU, and replayed under its gdb stub. The recording ends `FAR` instructions behind the landmark."""

    def __init__(self, qemu, guest, landmark, directory):
        self.qemu, self.guest, self.landmark, self.directory = qemu, guest, landmark, directory
        if shutil.which(qemu) is None:
            raise Unable(f"there is no {qemu}")
        free = int(HUGE_PAGES.read_text()) if HUGE_PAGES.exists() else 0
        if free < MEMORY // 2:
            raise Unable(f"it needs {MEMORY // 2} free pages of 2 MiB to take a snapshot of an Alpha (sysctl vm.nr_hugepages)")
        self.disk = directory / "snapshots.qcow2"
        self._make_disk()

    def _make_disk(self):
        self.disk.touch()
        with subprocess.Popen(
            [self.qemu, "-machine", "none", "-nodefaults", "-display", "none", "-qmp", "stdio"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        ) as process:  # fmt: skip
            qmp = Qmp(process.stdout.readline, process.stdin.write)
            qmp.ask("blockdev-add", **{"driver": "file", "filename": str(self.disk), "node-name": "file"})
            image = {"driver": "qcow2", "file": "file", "size": 1 << 30}
            qmp.ask("blockdev-create", **{"job-id": "make", "options": image})
            while any(job["status"] != "concluded" for job in qmp.ask("query-jobs")):
                time.sleep(0.01)
            qmp.ask("quit")

    def _command(self, mode, serial):
        return [
            self.qemu, "-M", "clipper,memory-backend=ram0", "-m", str(MEMORY), "-nographic", "-vga", "none", "-nic", "none",
            "-object", f"memory-backend-memfd,id=ram0,size={MEMORY}M,hugetlb=on,hugetlbsize=2M",
            "-icount", f"shift=1,rr={mode},rrfile={self.directory}/rr,rrsnapshot=init",
            "-drive", f"file={self.disk},if=none,id=snapshots", "-monitor", "none", "-serial", serial, *self.guest,
        ]  # fmt: skip

    def make(self, prompt, commands):
        """Types `commands`, the last of which runs long enough for `FAR` instructions."""
        path = str(self.directory / "qmp")
        command = self._command("record", "stdio")
        command += ["-chardev", f"socket,id=qmp,path={path},server=on,wait=off", "-mon", "chardev=qmp,mode=control"]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            watchdog = threading.Timer(PATIENCE, process.kill)
            watchdog.start()
            transcript = b""

            def expect(text):
                nonlocal transcript
                while text not in transcript:
                    data = os.read(process.stdout.fileno(), 65536)
                    if not data:
                        raise Unable(f"the recording ended before {text.decode()!r}")
                    transcript += data
                transcript = transcript.partition(text)[2]

            for line in commands:
                expect(prompt.encode())
                # QEMU has the UART take all that there is at once, and most of it is lost.
                for byte in line.encode() + b"\n":
                    process.stdin.write(bytes([byte]))
                    process.stdin.flush()
                    expect(bytes([byte]))
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(path)
                lines = control.makefile("rw", buffering=1)
                qmp = Qmp(lines.readline, lines.write)
                first = qmp.ask("query-replay")["icount"]
                while qmp.ask("query-replay")["icount"] < first + 2 * FAR:
                    time.sleep(0.05)
                qmp.ask("quit")
            process.wait()
            watchdog.cancel()

    @contextlib.contextmanager
    def replay(self):
        """The gdb stub of a replay that stands at its first instruction."""
        stub = Stub([*self._command("replay", "null"), "-S", "-gdb", "stdio"])
        try:
            yield Replay(stub, self.landmark)
        finally:
            # It does not go when its gdb does.
            with contextlib.suppress(ProcessLookupError):
                os.kill(stub.pid, signal.SIGKILL)
            stub.close()


class Replay:
    """A replay in QEMU's gdb stub. Raises Unable where it gives no answer."""

    def __init__(self, stub, landmark):
        self.stub, self.landmark = stub, landmark

    def instruction(self):
        return int(re.search(r"count = (\d+)", self.stub.monitor("info replay"))[1])

    def resume(self, packet, patience=PATIENCE):
        """Seconds that it took."""
        watchdog = threading.Timer(patience, os.kill, (self.stub.pid, signal.SIGKILL))
        watchdog.start()
        began = time.monotonic()
        try:
            self.stub.resume(packet)
        except IsochronError:
            raise Unable(f"no answer to '{packet}' in {patience} s") from None
        finally:
            watchdog.cancel()
        return time.monotonic() - began

    def goto(self, instruction):
        self.stub.monitor(f"replay_break {instruction}")
        self.resume("c")
        assert self.instruction() == instruction

    def breakpoint(self, there):
        self.stub.request(f"{'Z' if there else 'z'}0,{self.landmark:x},4")

    def find_landmark(self, times):
        """Goes to where the landmark is reached for the so-many-th time: its instruction."""
        for number in range(times):
            if number:
                self.breakpoint(False)
                self.resume("s")
            self.breakpoint(True)
            self.resume("c")
        return self.instruction()


def near(recording, landmark, steps):
    """Seconds of steps back `NEAR` instructions behind the landmark, and of going back to it."""
    with recording.replay() as replay:
        replay.goto(landmark - NEAR)
        replay.stub.monitor("savevm before")
        replay.goto(landmark + NEAR)
        stepped = [replay.resume("bs", ANSWER) for _ in range(steps)]
        replay.breakpoint(True)
        back = replay.resume("bc", ANSWER)
        assert replay.instruction() == landmark
    return stepped, back


def far(recording, landmark):
    """Seconds of a step back `FAR` instructions behind the landmark, from a snapshot before that, or why there are none."""
    with recording.replay() as replay:
        replay.goto(landmark - NEAR)
        replay.stub.monitor("savevm before")
        replay.goto(landmark + FAR)
        try:
            return replay.resume("bs", ANSWER)
        except Unable as error:
            return str(error)
