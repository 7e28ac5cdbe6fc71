"""What linux-6.12 has beyond the other guests: performance counters, magic SysRq on a break, and SRM's variables."""

import re

import pexpect
import pytest

from helpers.linux_guest import boot_arguments, converse, initrd_with, run_script
from helpers.tree import HANG
from isochron import engines


def test_performance_counters_are_right_to_the_instruction(isochron, tmp_path):
    initrd = initrd_with(tmp_path, "guests/perf_events.c")
    # The same on all engines, and all state with it.
    how = "run" if len(engines(isochron)) == 1 else "conform"
    transcript = converse(isochron, tmp_path, ["perf_events"], how=how, kernel="linux-6.12", initrd=initrd)
    *exact, samples = transcript.output(0)
    assert exact == [
        "without the kernel: Invalid argument",
        "nothing: 0 instructions, 0 cycles, 0 by rpcc",
        "1000 additions: 1000 instructions, 1000 cycles, 1000 by rpcc",
        "100 multiplications: 100 instructions, 700 cycles, 700 by rpcc",
        "500 loads: 500 instructions, 1000 cycles, 1000 by rpcc",
        "30000 turns: 60001 instructions, 60001 cycles, 60001 by rpcc",
        "65536 turns more, across an overflow: 131072 instructions, 131072 cycles, 131072 by rpcc",
        "instructions alone: 1000",
        "cycles alone: 1000",
        "13 million instructions of a child: not counted",
    ]
    found = re.fullmatch(r"a sample each 10007 of (\d+) instructions: (\d+), (\d+) in the loop, 0 other records", samples)
    count, taken, in_loop = map(int, found.groups())
    assert 1_310_721 < count < 1_500_000
    assert taken == count // 10007
    assert 0.8 * taken < in_loop <= taken


@pytest.fixture(params=[0, 1], ids=["uart0", "uart1"])
def console(request):
    """A UART that the console is at, and what stands before commands for it."""
    return request.param, ["", "serial1 "][request.param]


def test_a_break_makes_the_next_key_a_command(isochron, tmp_path, engine, console):
    uart, serial1 = console
    lines = r"""
expect "~ # "
send-break
send "h"
expect /sysrq: HELP : loglevel/ within 1s
send-break
send "s"
expect "sysrq: Emergency Sync" within 1s
expect "Emergency Sync complete" within 1s
send "\necho hs\n"
expect "\r\nhs\r\n" within 1s
expect "~ # "
send "poweroff -f\n"
"""
    script = "".join(f"{serial1}{line}\n" for line in lines.split("\n") if line)
    output = tmp_path / "serial1"
    arguments = [*boot_arguments("linux-6.12", append=f"console=ttyS{uart}"), "--engine", engine]
    result = run_script(isochron, [*arguments, "--serial1", f"file:{output}"], tmp_path / "script", script)
    assert result.code == 0, result.errors
    shown = [result.raw, output.read_bytes()]
    assert shown[uart].count(b"sysrq: ") == 2
    assert shown[1 - uart] == b""


def test_a_break_at_another_uart_is_no_command(isochron, tmp_path):
    script = 'expect "~ # "\nserial1 send-break\nserial1 send "h"\nexpect "sysrq" within 1s\n'
    result = run_script(isochron, boot_arguments("linux-6.12"), tmp_path / "script", script)
    assert result.code == 5 and "sysrq" not in result.text


def test_the_key_for_a_break_reaches_the_kernel(isochron):
    tty = pexpect.spawn(isochron, ["run", *boot_arguments("linux-6.12")], timeout=HANG, encoding="utf-8")
    tty.expect_exact("~ # ")
    tty.send("\x01bh")
    tty.expect_exact("sysrq: HELP")
    tty.send("poweroff -f\r")
    tty.expect(pexpect.EOF)
    tty.close()
    assert (tty.exitstatus, tty.signalstatus) == (0, None)


def test_srm_variables_are_written_and_read(isochron, tmp_path, engine):
    commands = [
        "srm=/proc/srm_environment; v=$srm/named_variables; ls $v | wc -l; ls $srm/numbered_variables | wc -l",
        "cat $v/auto_action; echo; echo -n off > $v/auto_action; cat $v/auto_action; echo",
        "cat $srm/numbered_variables/1; echo; cat $v/booted_osflags; echo",
        "for name in $v/*; do cat $name >/dev/null || echo $name; done",
        # Read-only, and longer than a variable can be: refused, and as it was.
        "echo -n x > $v/booted_dev && echo taken; cat $v/booted_dev; echo",
        "head -c 505 /dev/zero > data; dd if=data of=$v/boot_file bs=505 2>/dev/null && echo taken; wc -c <$v/boot_file",
        "dd if=data of=$v/boot_file bs=504 count=1 2>/dev/null && echo taken; wc -c <$v/boot_file",
        # There is none of this number.
        "cat $srm/numbered_variables/99 2>/dev/null || echo none",
    ]
    transcript = converse(isochron, tmp_path, commands, "--engine", engine, kernel="linux-6.12")
    assert [transcript.output(number) for number in range(len(commands))] == [
        ["15", "256"],
        ["HALT", "off"],
        ["off", "console=ttyS0"],
        [],
        ["sh: write error: Bad address", "BOOTP 0 0 0 0 0 0 0"],
        ["0"],
        ["taken", "504"],
        ["none"],
    ]
