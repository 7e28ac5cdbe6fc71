"""Programs at a terminal."""

import fcntl
import os
import subprocess
import termios
import time

import pexpect.fdpexpect

from helpers.tree import HANG


class Terminal:
    """A pseudoterminal with a program that has it as its controlling terminal."""

    def __init__(self, command, **options):
        self.master, self.slave = os.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            command,
            stdin=self.slave,
            stdout=options.pop("stdout", self.slave),
            stderr=options.pop("stderr", self.slave),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            **options,
        )
        self.screen = pexpect.fdpexpect.fdspawn(self.master, timeout=HANG)

    def expect(self, text):
        self.screen.expect_exact(text)

    def type(self, keys):
        os.write(self.master, keys)

    def end(self):
        return self.process.wait(timeout=HANG)

    def is_raw(self):
        _, oflag, _, lflag, *_ = termios.tcgetattr(self.slave)
        return oflag & termios.OPOST == 0 and lflag & (
            termios.ICANON | termios.ECHO | termios.ISIG
        ) == 0

    def wait_until_raw(self):
        deadline = time.monotonic() + HANG
        while not self.is_raw():
            assert self.process.poll() is None and time.monotonic() < deadline

    def is_restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=HANG)
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)
