"""gdb, and a client that speaks gdb's protocol by hand."""

import re
import socket
import subprocess
import threading

from helpers.commands import start
from helpers.tree import HANG

# What gdb says when it looks at PALcode, of whose functions it knows nothing, and more of that kind, would be endless.
QUIET = ["set confirm off", "set pagination off", "set heuristic-fence-post 100", "set width 0"]
# As gdb names R0 to R30.
REGISTERS = (
    "v0 t0 t1 t2 t3 t4 t5 t6 t7 s0 s1 s2 s3 s4 s5 fp a0 a1 a2 a3 a4 a5 t8 t9 t10 t11 ra t12 at gp sp"
).split()
# Shows PC and all of them, in a line.
SHOW = f'printf "at pc=%lx{" %lx" * len(REGISTERS)}\\n", $pc, {", ".join("$" + name for name in REGISTERS)}'


def gdb(directory, isochron, log, lines, *args, symbols=None, remote="remote"):
    """What gdb says to these commands, and what the target does, which is `isochron replay LOG --gdb -`."""
    return gdb_on(directory, [isochron, "replay", log, "--gdb", "-", *args], lines, symbols, remote)


def gdb_on(directory, command_line, lines, symbols=None, remote="remote"):
    """The same of any target that speaks on standard input and output."""
    script = directory / "script.gdb"
    target = " ".join(str(word) for word in command_line)
    script.write_text("\n".join([*QUIET, f"target {remote} | {target}", *lines]) + "\n")
    command = ["gdb-multiarch", "-nx", "-batch", "-x", str(script)]
    result = subprocess.run(
        command + ([str(symbols)] if symbols else ["-ex", "set architecture alpha"]),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout, result.stderr


def repeated(times, *lines):
    """Commands of gdb, that often."""
    return [f"set $turn = 0\nwhile $turn < {times}", *lines, "set $turn = $turn + 1", "end"]


def frame(payload):
    data = payload.encode("latin-1")
    return b"$" + data + b"#%02x" % (sum(data) & 255)


class Client:
    """A program under --gdb, and a connection to it over TCP."""

    def __init__(self, isochron, log, *args, where="0"):
        self._start(isochron, "replay", str(log), "--gdb", where, *args)

    def _start(self, *command_line):
        self.process = start(*command_line)
        self.line = self.process.stderr.readline().decode()
        found = re.fullmatch(r"isochron: waiting for gdb: target remote (.*)\n", self.line)
        assert found, self.line + self.process.stderr.read().decode()
        self.where = found[1]
        self.socket = None

    def connect(self):
        if ":" in self.where:
            host, port = self.where.rsplit(":", 1)
            self.socket = socket.create_connection((host, int(port)), timeout=HANG)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(HANG)
            self.socket.connect(self.where)
        return self

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """The next packet, or what is left when there is none."""
        data = b""
        while not re.search(rb"\$[^#]*#..$", data):
            more = self.socket.recv(1)
            if not more:
                return data
            data += more
        return re.search(rb"\$([^#]*)#..$", data)[1].decode("latin-1")

    def ask(self, payload):
        self.send(frame(payload))
        return self.reply()

    def end(self):
        """Exit code and what was said, once the client is gone."""
        if self.socket is not None:
            self.socket.close()
        killer = threading.Timer(HANG, self.process.kill)
        killer.start()
        errors = self.process.stderr.read().decode()
        self.process.stdin.close()
        code = self.process.wait()
        killer.cancel()
        self.process.stdout.close()
        self.process.stderr.close()
        return code, errors


class LiveClient(Client):
    """The same of a run that is made: `isochron COMMAND ... --gdb 0`."""

    def __init__(self, isochron, *args):  # pylint: disable=super-init-not-called
        self._start(isochron, *args, "--gdb", "0")

    def resumed(self, payload):
        """The stop that comes of a request to run, without what is shown before it."""
        reply = self.ask(payload)
        while reply.startswith("O"):
            reply = self.reply()
        return reply
