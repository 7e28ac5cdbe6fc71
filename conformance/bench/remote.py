"""Speaks gdb's remote protocol to a stub, for benchmarks that time what it does."""

import subprocess
import time


class Stub:
    """A connection. Without acknowledgements; one request at a time."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        self.buffer = b""
        self.acknowledges = True
        self.request("QStartNoAckMode")
        self.acknowledges = False

    def send(self, text):
        body = text.encode()
        self.write(b"$" + body + b"#%02x" % (sum(body) & 0xFF))

    def packet(self):
        """The next packet's body."""
        while True:
            start = self.buffer.find(b"$")
            end = self.buffer.find(b"#", start)
            if start >= 0 and 0 <= end <= len(self.buffer) - 3:
                body, self.buffer = self.buffer[start + 1 : end], self.buffer[end + 3 :]
                if self.acknowledges:
                    self.write(b"+")
                return body.decode("latin1")
            data = self.read(65536)
            if not data:
                raise EOFError("the stub is gone")
            self.buffer += data

    def request(self, text):
        self.send(text)
        return self.packet()

    def resume(self, text):
        """A request that runs the machine: seconds, and why it stopped."""
        began = time.monotonic()
        reply = self.request(text)
        while reply.startswith("O"):
            reply = self.packet()
        return time.monotonic() - began, reply

    def monitor(self, command):
        """A monitor command: seconds, and what it printed."""
        began = time.monotonic()
        self.send("qRcmd," + command.encode().hex())
        text = ""
        while (reply := self.packet()) != "OK":
            if not reply.startswith("O"):
                raise RuntimeError(f"monitor {command}: {reply} {text}")
            text += bytes.fromhex(reply[1:]).decode()
        return time.monotonic() - began, text


def through_pipes(command):
    """The stub that a command is on its standard input and output."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def write(data):
        process.stdin.write(data)
        process.stdin.flush()

    return Stub(process.stdout.read1, write), process

