"""Programs in the guest give what they should.

BusyBox and what does not depend on the kernel: the same as under qemu-alpha on the host. Traps: what a model of the chip
and of Linux predicts (linux_float_model.py), because qemu-alpha has neither. docs/qemu-differences.md, "User programs",
has every line in which qemu-alpha differs.
"""

import subprocess

import pytest

from conformance.tree import guest_path
from helpers import linux_program_model
from helpers.linux_guest import converse, program
from helpers.tree import HANG

KERNELS = {"linux": "6.1", "linux-6.12": "6.12"}


def on_qemu(*command, **options):
    """Output lines of an Alpha program under qemu-alpha."""
    result = subprocess.run(
        ["qemu-alpha", "-cpu", "ev67", *map(str, command)],
        stdout=subprocess.PIPE,
        text=True,
        timeout=HANG,
        check=True,
        **options,
    )
    return result.stdout.splitlines()


# BusyBox. Data is made by the guest itself; the host's copy makes the same.

MAKE_DATA = """awk 'BEGIN { s = 12345; for (i = 0; i < 4000; ++i) {
 s = (s * 1103515245 + 12345) % 2147483648; printf "%d %s %.6f line %d\\n", s, substr("zyxwvutsrqponmlkjihgfedcba",
 s % 20 + 1, 6), s / 1234567, i } }' >data"""

COMMANDS = [
    "sha256sum data",
    "md5sum data; sha512sum data; cksum data; sha3sum data",
    "gzip -9 <data >data.gz; gunzip <data.gz | cmp - data; sha256sum data.gz",
    "bzip2 <data | bunzip2 | sha256sum; xz -dc </dev/null | wc -c",
    "sort data | sha256sum",
    "sort -n data | head -5; sort -k 2,2 -k 1nr data | sha256sum",
    "sort -g -k 3 data | tail -3",
    "uniq -c -f 3 data | wc; cut -d ' ' -f 2 data | sort | uniq -c | sort -nr | head -3",
    """awk '{ n += $1; x += $3; y += sqrt($3) * log($1 + 1) / (1 + exp(-$3 / 100)); z += sin($1) * cos($3) }
 END { printf "%.0f %.10g %.17g %.17g %e\\n", n, x, y, z, atan2(z, x) }' data""",
    "awk 'BEGIN { x = 1; for (i = 0; i < 60; ++i) { x /= 3.7; printf \"%.17g %g\\n\", x, int(1 / x) } }'",
    "awk 'BEGIN { x = 2.5e-300; for (i = 0; i < 30; ++i) { x /= 7; print x, x * 1e300, x + 1 } print 1e308 * 10, -1e308 * 10, log(0) }'",
    "echo 'scale = 60; 4 * a(1); e(1); sqrt(2)' | bc -l",
    "dd if=data bs=777 skip=1 count=20 2>/dev/null | od -A d -t x8 | tail -4",
    "tar -c -f - data | tar -t -f -; sed -n 's/^\\([0-9]*\\) \\(.\\).*/\\2\\1/p' data | tail -2",
    "expr 123456789 '*' 987654321; factor 600851475143 9007199254740881; seq -w 1 0.25 3 | tr '\\n' ' '; echo",
]


def test_busybox_agrees_with_qemu(isochron, tmp_path, engine):
    transcript = converse(
        isochron,
        tmp_path,
        ["stty cols 1000", one_line(MAKE_DATA)] + [one_line(c) for c in COMMANDS],
        "--engine",
        engine,
    )
    busybox = guest_path("busybox") / "busybox"
    work = tmp_path / "work"
    work.mkdir()
    # Its own applets, under qemu-alpha as well: a shell that finds no other program.
    applets = tmp_path / "bin"
    applets.mkdir()
    for name in (busybox.parent / "busybox.links").read_text().split():
        wrapper = applets / name.rsplit("/", 1)[1]
        wrapper.write_text(f'#!/bin/sh\nexec qemu-alpha -cpu ev67 -0 "{wrapper.name}" {busybox} "$@"\n')
        wrapper.chmod(0o755)
    for number, command in enumerate([MAKE_DATA] + COMMANDS):
        expected = subprocess.run(
            ["/bin/sh", "-c", one_line(command)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=work,
            env={"PATH": f"{applets}:/usr/bin:/bin"},
            timeout=HANG,
            check=True,
        ).stdout
        assert transcript.output(number + 1) == expected.splitlines(), command


def one_line(command):
    return command.replace("\n", "")


# Programs of ours.


@pytest.fixture(params=KERNELS)
def kernel(request):
    return request.param


def in_guest(isochron, tmp_path, kernel, name, engine):
    """Output lines of one of our programs under a kernel."""
    return converse(isochron, tmp_path, [name], "--engine", engine, kernel=kernel).output(0)


def test_arithmetic_traps(isochron, tmp_path, kernel, engine):
    expected = linux_program_model.fptraps(KERNELS[kernel])
    assert len(expected) > 1000
    assert in_guest(isochron, tmp_path, kernel, "fptraps", engine) == expected


def test_floating_point_results(isochron, tmp_path, engine):
    # In one test: the model remembers what the chip does, which is the same for both.
    for kernel, version in KERNELS.items():
        expected = linux_program_model.fpdump(version)
        assert len(expected) > 100
        assert in_guest(isochron, tmp_path, kernel, "fpdump", engine) == expected


# (line of qemu-alpha, line of Linux on the chip). The reasons are in docs/qemu-differences.md.
SIGNALS = {
    "load not sign-extended       SIGSEGV SEGV_MAPERR address 0000000000000000":
    "load not sign-extended       SIGSEGV SEGV_MAPERR address 0800000000000000",
    "stack overflow               SIGSEGV SEGV_ACCERR":
    "stack overflow               SIGSEGV SEGV_MAPERR",
    "gentrap -4                   SIGTRAP si_code 5":
    "gentrap -4                   SIGFPE FPE_FLTDIV",
}  # fmt: skip
LLSC = {
    "own store between: 0, memory 11": "own store between: 1, memory 5",
    "system call between: 0, memory 11": "system call between: 0, memory 5",
}


def corrected(lines, corrections):
    assert set(corrections) <= set(lines)
    return [corrections.get(line, line) for line in lines]


def test_signals(isochron, tmp_path, kernel, engine):
    expected = corrected(on_qemu(program("signals")), SIGNALS)
    assert in_guest(isochron, tmp_path, kernel, "signals", engine) == expected


def test_load_locked_and_store_conditional(isochron, tmp_path, kernel, engine):
    expected = corrected(on_qemu(program("llsc")), LLSC)
    assert in_guest(isochron, tmp_path, kernel, "llsc", engine) == expected


def test_serial_port_in_loopback(isochron, tmp_path, engine):
    assert in_guest(isochron, tmp_path, "linux", "serial", engine) == [
        "open: done", "raw mode: done", "loop-back: done", "drain: done",
        "300 bytes written, 300 read, equal", "modem lines: done", "CTS 1, DSR 1, CD 1",
    ]  # fmt: skip


# What do_entUnaUser in arch/alpha/kernel/traps.c puts right; the rest gets SIGBUS.
FIXED = {"ldwu", "ldl", "ldq", "lds", "ldt", "stw", "stl", "stq", "sts", "stt"}
SIZES = {"ldwu": 2, "stw": 2, "ldl": 4, "stl": 4, "lds": 4, "sts": 4, "ldf": 4, "stf": 4, "ldl_l": 4}
ORDER = [
    "ldwu", "ldl", "ldq", "lds", "ldt", "stw", "stl", "stq", "sts", "stt", "ldf", "ldg", "stf", "stg",
    "ldl_l", "ldq_l", "ldq $31", "ldt $f31",
]  # fmt: skip
PAGE = 8192
VALUE = 0x3FF123456789ABCD


def memory(offset, count):
    return bytes((i * 29 + 0x41) & 0xFF for i in range(offset, offset + count))


def loaded(name, raw):
    """The value of a load, as the program prints it."""
    bits = int.from_bytes(raw, "little")
    if name in ("ldl", "ldl_l"):
        return bits | (0xFFFFFFFF << 32 if bits >> 31 else 0)
    if name in ("lds", "ldt", "ldf", "ldg"):
        return linux_program_model.LOAD[name[2]](bits)
    return bits


def unaligned_line(name, mode, offset):
    size = SIZES.get(name, 8)
    head = f"{name:<8} {mode:<8} {offset:5} "
    if "$" in name:
        return head + "0" * 16
    if offset % size:
        if mode == "sigbus" or name not in FIXED:
            return head + f"SIGBUS BUS_ADRALN at {offset}"
        if offset + size > 2 * PAGE:
            # The kernel's own access faulted; the address that it reports is the first one, and that is mapped.
            return head + f"SIGSEGV SEGV_ACCERR at {offset}"
    if name.startswith("ld"):
        return head + f"{loaded(name, memory(offset, size)):016x}"
    # Floating point stores take the image that LDT of VALUE left in the register.
    move = linux_program_model.STORE.get(name[2], int) if name in ("sts", "stt", "stf", "stg") else int
    stored = (move(VALUE) & (1 << 8 * size) - 1).to_bytes(size, "little")
    return head + (memory(offset - 1, 1) + stored + memory(offset + size, 1)).hex()


def unaligned():
    """All lines of the program."""
    lines = []
    for mode in ("fixed", "sigbus"):
        lines.append(f"# {mode}: setsysinfo gives 0")
        for name in ORDER:
            size = SIZES.get(name, 8)
            offsets = [*range(8, 16), *(PAGE - before for before in range(1, size))]
            offsets += [2 * PAGE - 3] if size > 2 else []
            lines += [unaligned_line(name, mode, offset) for offset in offsets]
    return lines


def test_unaligned_accesses(isochron, tmp_path, kernel, engine):
    expected = unaligned()
    assert in_guest(isochron, tmp_path, kernel, "unaligned", engine) == expected


def test_unaligned_accesses_agree_with_qemu():
    """Where qemu-alpha has values they are ours, but for the F format."""
    for ours, theirs in zip(unaligned(), on_qemu(program("unaligned")), strict=True):
        if "SIG" not in ours + theirs and not ours.startswith(("#", "ldf", "stf")):
            assert ours == theirs


# Why a line of fptraps differs under qemu-alpha; docs/qemu-differences.md has the same list with sources.
TRAP_DIFFERENCES = {
    "VAX arithmetic": lambda row, ours, theirs: row[0][3] in "gf",
    "the signal's code": lambda row, ours, theirs: ours[0] == theirs[0] == "SIGFPE",
    "status bits": lambda row, ours, theirs: ours == theirs,
    "the canonical NaN": lambda row, ours, theirs: ours[0][-16:] in ("fff8" + "0" * 12, "55555555ffc00000")
    and int(ours[0], 16) ^ int(theirs[0], 16) in (1 << 63, 1 << 31),
    "denormal operands do not trap": lambda row, ours, theirs: "denormal" in row[1]
    and row[2] == "enabled" and ours[0] == "SIGFPE" and theirs[0] != "SIGFPE",
    "underflow": lambda row, ours, theirs: row[1] in ("to denormal", "S denormal", "underflow", "min"),
    "a quiet NaN to an integer": lambda row, ours, theirs: row[0].startswith("cvttq/s")
    and row[1:] == ["quiet NaN", "enabled"],
}  # fmt: skip


def parsed(line):
    """(row: name, operands, mode; result or signal with its code; status) of a line of fptraps."""
    name, what, mode, rest = line[:10].strip(), line[11:27].strip(), line[28:35].strip(), line[36:]
    shown, _, status = rest.partition(" [")
    return [name, what, mode], shown.split(), status


def test_arithmetic_traps_differ_from_qemu_for_known_reasons():
    reasons = set()
    expected = linux_program_model.fptraps("6.1")
    theirs = on_qemu(program("fptraps"))
    for line, other in zip(expected, theirs, strict=True):
        if line == other:
            continue
        row, result, _ = parsed(line)
        other_row, other_result, _ = parsed(other)
        assert row == other_row
        found = [name for name, holds in TRAP_DIFFERENCES.items() if holds(row, result, other_result)]
        assert found, (line, other)
        reasons.add(found[0])
    assert reasons == set(TRAP_DIFFERENCES)
    same = sum(line == other for line, other in zip(expected, theirs))
    assert same > 2 * len(expected) // 3
