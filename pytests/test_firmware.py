"""What the console leaves to a kernel and does for it, as users meet it: guests/netbsd.c of conformance/ told by its boot flags
what to do, and Linux on the console's own terminal."""

import re
import subprocess

import pytest

from helpers.guests import build_kernel
from helpers.tree import HANG
from isochron import ExitCode

ENGINES = ["ref", "jit"]


@pytest.fixture(scope="session")
def netbsd_guest(tmp_path_factory):
    """Path of the kernel of conformance/guests/netbsd.c."""
    sources = ["start.S", "traps.S", "runtime.c", "netbsd.c", "prom.S"]
    return build_kernel(
        tmp_path_factory.mktemp("guests") / "netbsd.elf",
        [f"conformance/guests/{source}" for source in sources],
        *["-O2", "-std=gnu11", "-mno-fp-regs", "-ffreestanding", "-fno-builtin", "-fno-common", "-fno-pie"],
        "-fno-tree-loop-distribute-patterns",
    )


def run(isochron, *args, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [isochron, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=HANG, **options
    )


# An exception before wrent: it goes nowhere, and the first is the last.


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "kind, entry, exception",
    [
        ("load", "entMM", "access violation, load, VA 0x40000000"),
        ("unaligned", "entUna", "unaligned access, opcode 0x29, VA 0x20000001"),
        ("arith", "entArith", "arithmetic trap, summary 0x40"),
        ("bugchk", "entIF", "bugchk"),
        ("syscall", "entSys", "callsys"),
        ("clock", "entInt", "clock interrupt, vector 0x600"),
        ("read", "entInt", "machine check, vector 0x660"),
    ],
)
def test_an_exception_without_an_entry_point_stops_the_machine(
    isochron, netbsd_guest, engine, kind, entry, exception
):
    result = run(
        isochron, "run", "--kernel", netbsd_guest, "--append", f"early {kind}", "--engine", engine, "--max-cycles", "100M"
    )
    errors = result.stderr.decode()
    assert result.returncode == ExitCode.FATAL, errors
    said = re.search(r"an exception before the kernel has set (\w+): (.*) \(halt code 3\), PC 0x([0-9a-f]+)", errors)
    assert said and (said[1], said[2]) == (entry, exception), errors
    assert 0xFFFFFC0000310000 <= int(said[3], 16) < 0xFFFFFC0000320000
    if kind == "load":
        names = subprocess.run(["alpha-linux-gnu-nm", netbsd_guest], stdout=subprocess.PIPE, text=True, check=True)
        assert said[3] == re.search(r"^([0-9a-f]+) . early_fault$", names.stdout, re.M)[1]


# The callbacks both ways.


def test_console_callbacks_take_what_is_typed(isochron, netbsd_guest, tmp_path):
    """The guest has taken RTS away, as Linux's serial driver does: no byte comes until GETC raises it."""
    script = tmp_path / "script"
    script.write_text('expect "wrote" within 1G\nsend "typed\\r"\n')
    logs = []
    for engine in ENGINES:
        log = tmp_path / engine
        result = run(
            isochron, "record", "-o", str(log), "--kernel", netbsd_guest, "--append", "echo", "--engine", engine,
            "--script", str(script), "--max-cycles", "2G",
        )
        assert result.returncode == ExitCode.OK, result.stderr.decode()
        assert result.stdout.endswith(b"typed\r")
        logs.append(log.read_bytes())
    assert logs[0] == logs[1]


@pytest.mark.parametrize("engine", ENGINES)
def test_linux_on_the_consoles_terminal(isochron, linux_guest, tmp_path, engine):
    script = tmp_path / "script"
    script.write_text(
        'expect "# " within 20G\nsend "echo is $((6 * 7))\\n"\nexpect "is 42" within 10G\nsend "poweroff -f\\n"\n'
    )
    guest = linux_guest[: linux_guest.index("--append")]
    result = run(
        isochron, "run", *guest, "--append", "console=srm", "--engine", engine, "--script", str(script),
        "--max-cycles", "60G",
    )
    assert result.returncode == ExitCode.OK, result.stderr.decode()
    assert b"is 42" in result.stdout


# The clock chip.


@pytest.mark.parametrize("rtc, shown", [("2010-06-15T12:34:56", "2010-06-15 12:3"), ("2009-12-31T23:58:00", "2009-12-31 23:5")])
def test_linux_reads_the_binary_clock(isochron, linux_guest, tmp_path, rtc, shown):
    script = tmp_path / "script"
    script.write_text("expect \"# \" within 20G\nsend \"date -u '+%F %T'\\n\"\nexpect \"# \" within 10G\nsend \"poweroff -f\\n\"\n")
    result = run(isochron, "run", *linux_guest, "--rtc", rtc, "--script", str(script), "--max-cycles", "60G")
    assert result.returncode == ExitCode.OK, result.stderr.decode()
    assert shown.encode() in result.stdout
