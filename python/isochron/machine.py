"""A machine as options describe it, and the ways to run it."""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import subprocess
from collections.abc import Sequence

from isochron.errors import IsochronError, hide
from isochron.program import find_program
from isochron.script import time
from isochron.session import Session

__tracebackhide__ = hide

ENGINES = ("ref", "jit")


@functools.lru_cache(maxsize=None)
def engines(program: str) -> tuple[str, ...]:
    """The engines that a program was built with. Raises IsochronError when it cannot be started."""
    found = []
    for engine in ENGINES:
        try:
            tried = subprocess.run(
                [program, "run", "--kernel", os.devnull, "--engine", engine],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
        except OSError as error:
            raise IsochronError(f"cannot start {program}: {error.strerror}") from error
        # An engine is judged before the kernel, which is none.
        if b"engine" not in tried.stderr:
            found.append(engine)
    return tuple(found)


@dataclasses.dataclass(frozen=True)
class Disk:
    """An image and what becomes of it (docs/cli.md, "Disks"); None: the program's default."""

    path: str | os.PathLike[str]
    interface: str | None = None
    readonly: bool = False
    commit: bool = False
    #: A file that keeps what the guest has written; the next run finds it there again.
    overlay: str | os.PathLike[str] | None = None

    @property
    def named(self) -> str | os.PathLike[str]:
        """The file that a log knows the disk by."""
        return self.path if self.overlay is None else self.overlay

    def option(self) -> str:
        """The value of --disk."""
        settings = [f"interface={self.interface}"] if self.interface is not None else []
        settings += ["readonly"] if self.readonly else []
        settings += ["commit"] if self.commit else []
        overlay = [] if self.overlay is None else [f"overlay={os.fspath(self.overlay)}"]
        return ",".join(
            [os.fspath(self.path).replace(",", ",,"), *settings, *(name.replace(",", ",,") for name in overlay)]
        )


@dataclasses.dataclass
class Machine:
    """What a guest runs on. Fields that are None have the program's defaults.

    `options` are further options of `isochron run`, as on the command line. Relative paths are taken from the working
    directory of the caller.
    """

    #: None: the console boots from a disk.
    kernel: str | os.PathLike[str] | None = None
    initrd: str | os.PathLike[str] | None = None
    #: Images of disks, as paths or with settings, in the order in which the guest numbers them.
    disks: Sequence[str | os.PathLike[str] | Disk] = ()
    #: The guest's network, as --net has it (docs/cli.md, "Network"): "user", "user,hostfwd=tcp::8080-:80", ...
    net: str | None = None
    #: Images of CD-ROMs, which have the numbers behind those of disks.
    cdroms: Sequence[str | os.PathLike[str]] = ()
    append: str | None = None
    #: In place of a kernel: the disk to boot from and, behind a colon, flags, as in "disk0:root=/dev/vda1".
    boot: str | None = None
    #: The file in which the console's environment is kept between runs; it need not be there yet.
    nvram: str | os.PathLike[str] | None = None
    memory: str | int | None = None
    #: How many CPUs, and which of several has its turn when, as --schedule has it (docs/smp.md): "random:1", "pct:1:3", ...
    cpus: int | None = None
    schedule: str | None = None
    engine: str | None = None
    options: Sequence[str] = ()
    #: The program; None: find_program().
    program: str | os.PathLike[str] | None = None
    #: A file that gets the console's output as it comes; None: only Result.transcript has it.
    transcript: str | os.PathLike[str] | None = None
    #: Wall seconds for one answer. Only a hang should reach them; None: for ever.
    patience: float | None = None

    def __post_init__(self) -> None:
        """Raises IsochronError when an image is not there, or there is nothing to boot."""
        if (self.kernel is None) == (self.boot is None):
            raise IsochronError("a machine needs a kernel or a disk to boot from, and not both")
        disks = [(f"disk {number}", disk.path) for number, disk in enumerate(self._disks())]
        for name, path in (("kernel", self.kernel), ("initrd", self.initrd), *disks):
            if path is not None and not os.path.exists(path):
                raise IsochronError(f"no {name} at {os.fspath(path)!r}: No such file or directory")

    def run(self) -> Session:
        """Boots the guest; it stands still before its first cycles are over."""
        return self._start("run", [*self.machine_arguments(), *self.options])

    def record(self, log: str | os.PathLike[str], options: Sequence[str] = ()) -> Session:
        """The same, and writes a replay log. `options`: those of `isochron record` alone."""
        arguments = ["-o", os.fspath(log), *self.machine_arguments(), *self.options, *options]
        return self._start("record", arguments)

    def replay(
        self,
        log: str | os.PathLike[str],
        options: Sequence[str] = (),
        *,
        start: float | str | None = None,
        live: float | str | None = None,
        output: str | os.PathLike[str] | None = None,
    ) -> Session:
        """Runs a log again, with this machine's images and engine; configuration and input are the log's.

        The session can watch the replay, not type. `start`: begin at the last snapshot at or before that time.
        `live`: end the replay at that time and go on with the session's input, and record all of it to `output`.
        """
        arguments = [os.fspath(log), *self.image_arguments(), *self._engine_arguments()]
        if start is not None:
            arguments += ["--from", time(start)]
        if live is not None:
            if output is None:
                raise ValueError("a replay that goes live needs an output")
            arguments += ["--until", time(live), "--live", "-o", os.fspath(output)]
        return self._start("replay", [*arguments, *options])

    def conform(
        self, log: str | os.PathLike[str] | None = None, options: Sequence[str] = ()
    ) -> Session:
        """Runs the guest on both engines at once and compares everything; with `log`, the guest and the input of that.

        Neither takes this machine's engine, and a log, which brings its own machine, nothing but the images.

        The result's exit code is 0 when the engines agree and 3 when they do not; its `errors` have the report.
        """
        if log is not None:
            # There a disk's name is taken as for a guest that is new, with a comma twice.
            disks = [f"--disk={Disk(disk.named).option()}" for disk in self._disks()]
            return self._start("conform", [os.fspath(log), *self._boot_arguments(), *disks, *options])
        arguments = dataclasses.replace(self, engine=None).machine_arguments()
        return self._start("conform", [*arguments, *self.options, *options])

    def image_arguments(self) -> list[str]:
        """The options that name the images of a log."""
        return [*self._boot_arguments(), *(f"--disk={os.fspath(disk.named)}" for disk in self._disks())]

    def _boot_arguments(self) -> list[str]:
        arguments = [] if self.kernel is None else ["--kernel", os.fspath(self.kernel)]
        if self.initrd is not None:
            arguments += ["--initrd", os.fspath(self.initrd)]
        return arguments

    def _disks(self) -> list[Disk]:
        disks = [disk if isinstance(disk, Disk) else Disk(disk) for disk in self.disks]
        return disks + [Disk(path, interface="cdrom") for path in self.cdroms]

    def machine_arguments(self) -> list[str]:
        """The options that describe the machine."""
        arguments = [*self._boot_arguments(), *(f"--disk={disk.option()}" for disk in self._disks())]
        if self.net is not None:
            arguments += [f"--net={self.net}"]
        if self.append is not None:
            arguments += [f"--append={self.append}"]
        if self.boot is not None:
            arguments += [f"--boot={self.boot}"]
        if self.nvram is not None:
            arguments += [f"--nvram={os.fspath(self.nvram)}"]
        if self.memory is not None:
            arguments += ["--memory", str(self.memory)]
        if self.cpus is not None:
            arguments += ["--cpus", str(self.cpus)]
        if self.schedule is not None:
            arguments += [f"--schedule={self.schedule}"]
        return arguments + self._engine_arguments()

    def _engine_arguments(self) -> list[str]:
        return [] if self.engine is None else ["--engine", self.engine]

    def _program(self) -> str:
        return find_program() if self.program is None else os.fspath(self.program)

    def _start(self, command: str, arguments: list[str], *, tells_log: bool = True) -> Session:
        console = "null" if self.transcript is None else f"file:{pathlib.Path(self.transcript)}"
        return Session(
            [self._program(), command, *arguments, "--console", console],
            self.patience,
            tells_log=tells_log,
        )
