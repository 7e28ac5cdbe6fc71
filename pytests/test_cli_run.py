"""`isochron run` as its users meet it: bad input, exit codes, pipes, scripts."""

import gzip
import os
import pathlib
import re
import signal
import struct
import subprocess

import pytest

from helpers.commands import assert_refused, end_of, help_options, press, run, start, write
from helpers.guests import build_kernel
from helpers.tree import HANG, ROOT
from isochron import ExitCode, engines


# Bad input.


@pytest.mark.parametrize(
    "args, message",
    [
        ([], "a command is required"),
        (["walk"], r"there is no command 'walk' \(see isochron --help\)"),
        (["recrod", "-o", "x"], r"there is no command 'recrod'; did you mean 'record'\?"),
        (["log"], r"a command is required \(see isochron log --help\)"),
        (["log", "walk"], r"there is no command 'walk' \(see isochron log --help\)"),
        (["log", "vrefy"], r"there is no command 'vrefy'; did you mean 'verify'\? \(see isochron log --help\)"),
        (["help", "recrod"], r"there is no command 'recrod'; did you mean 'record'\?"),
        (["help", "log", "dupm"], r"there is no command 'dupm'; did you mean 'dump'\?"),
        (["--versoin"], r"there is no option '--versoin'; did you mean '--version'\?"),
        (["log", "dump"], r"log is required \(see isochron log dump --help\)"),
        (["run"], "--kernel is required"),
        (["run", "--kernel"], "--kernel"),
        (["run", "--kernel", "no/such/file"], "no/such/file: No such file"),
        (["run", "--kernel", "/"], "/: is a directory"),
        (["run", "--kernel", "{kernel}", "--initrd", "no/such/file"], "No such file"),
        (["run", "--kernel", "{kernel}", "--initrd", "/"], "is a directory"),
        (["run", "--kernel", "{kernel}", "--script", "no/such/file"], "No such file"),
        (["run", "--kernel", "{kernel}", "--frobnicate"], r"there is no option '--frobnicate' \(see isochron run"),
        (["run", "--kernal", "foo"], r"there is no option '--kernal'; did you mean '--kernel'\?"),
        (["run", "--kernal=foo"], r"there is no option '--kernal'; did you mean '--kernel'\?"),
        (["run", "-kernel", "foo"], r"there is no option '-kernel'; did you mean '--kernel'\?"),
        (["replay", "--form", "5G", "boot.log"], r"there is no option '--form'; did you mean '--from'\?"),
        (["log", "dump", "x", "--jsno"], r"there is no option '--jsno'; did you mean '--json'\? \(see isochron log dump"),
        (["run", "--kernel", "{kernel}", "stray", "more"], "'stray' is one argument too many"),
        (["run", "--seed", "x", "--kernel", "{kernel}", "--memory", "lots"], "--seed: 'x'"),
        (["run", "--memory", "lots", "--kernel", "{kernel}", "--seed", "x"], "--memory: 'lots'"),
        (["run", "--memory", "lots"], "--memory: 'lots'"),
        (["run", "--kernel", "{kernel}", "--memory", "lots"], "'lots' is not a size"),
        (["run", "--kernel", "{kernel}", "--memory", "0"], "memory"),
        (["run", "--kernel", "{kernel}", "--memory", "99999999999G"], "too large"),
        (["run", "--kernel", "{kernel}", "--memory", "16777217"], "memory"),
        (["run", "--kernel", "{kernel}", "--memory", "33G"], "memory must be from 16M to 32G"),
        (["run", "--kernel", "{kernel}", "--seed", "x"], "--seed: 'x' is not a number"),
        (["run", "--kernel", "{kernel}", "--seed", "0x10000000000000000"], "not a number from 0 to 2"),
        (["run", "--kernel", "{kernel}", "--cpus", "0"], "a machine has 1 to 4 CPUs, not 0"),
        (["run", "--kernel", "{kernel}", "--cpus", "5"], "a machine has 1 to 4 CPUs, not 5"),
        (["run", "--kernel", "{kernel}", "--cpus", "two"], "--cpus: 'two' is not a number"),
        (["run", "--kernel", "{kernel}", "--quantum", "0"], "0"),
        (["run", "--kernel", "{kernel}", "--quantum", "2G"], "the quantum in cycles must be from 1 to 1073741824"),
        (["run", "--kernel", "{kernel}", "--clock-hz", "fast"], "--clock-hz: 'fast' is not a number"),
        (["run", "--kernel", "{kernel}", "--clock-hz", "1"], "clock in Hz must be from 1000000 "),
        (["run", "--kernel", "{kernel}", "--clock-hz", "11G"], "clock in Hz must be from 1000000 "),
        (["run", "--kernel", "{kernel}", "--append", "x" * 256], "command line"),
        (["run", "--kernel", "{kernel}", "--engine", "warp"], "there is no engine 'warp'"),
        (["run", "--kernel", "{kernel}", "--engine", "ref:cache=1M"], "engine 'ref' has no settings"),
        (["run", "--kernel", "{kernel}", "--rtc", "2010-02-30T00:00:00"], "date and time"),
        (["run", "--kernel", "{kernel}", "--tlb-entries", "1"], "entries"),
        (["run", "--kernel", "{kernel}", "--max-cycles", "soon"], "number of cycles"),
        (["run", "--kernel", "{kernel}", "--max-cycles", "0"], "0 cycles"),
        (["run", "--kernel", "{kernel}", "--console", "window"], "'window'"),
        (["run", "--kernel", "{kernel}", "--pace", "fast"], "'fast' is not one of off, idle and always"),
        (["run", "--kernel", "{kernel}", "--on-panic", "cry"], "'cry' is neither exit nor ignore"),
        (["run", "--kernel", "{kernel}", "--max-cycles", "1.5"], "not a whole number of cycles"),
        (["run", "--kernel", "{kernel}", "--max-cycles", "1e9s"], "number of cycles or a time"),
        (["run", "--kernel", "{kernel}", "--console", "file:/no/such/dir/f"], "No such file"),
    ],
)
def test_refuses(isochron, console_guest, args, message):
    args = [console_guest if arg == "{kernel}" else arg for arg in args]
    assert_refused(run(isochron, *args), message)


def damaged(elf, offset, data):
    return elf[:offset] + data + elf[offset + len(data) :]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda elf: b"", "bad: not an ELF file"),
        (lambda elf: b"no kernel at all\n" * 100, "bad: not an ELF file"),
        (lambda elf: elf[:100], "bad: ELF file cut short in its program headers"),
        (lambda elf: elf[:-4000], "bad: ELF file cut short in the segment at 0xfffffc0000310000"),
        (lambda elf: damaged(elf, 18, struct.pack("<H", 62)), r"machine 0x3e, not for Alpha"),  # e_machine: x86-64
        (lambda elf: damaged(elf, 4, b"\x01"), "not a 64-bit ELF file"),
        (lambda elf: damaged(elf, 24, struct.pack("<Q", 0xFFFFFC0000000000)), "entry point 0xf.* is not in a segment"),
        (lambda elf: damaged(elf, 32, struct.pack("<Q", 1 << 63)), "cut short in its program headers"),
        (lambda elf: damaged(elf, 64 + 16, struct.pack("<Q", 0x1000)), r"segment at 0x1000 \(.*\) is not in KSEG"),
        (lambda elf: damaged(elf, 64 + 40, struct.pack("<Q", 1 << 40)), "lies outside the 256 MiB of memory"),
        (lambda elf: gzip.compress(elf)[:-100], "bad: gzip data cut short"),
        (lambda elf: gzip.compress(b"packed but no kernel"), "bad: not an ELF file"),
    ],
)
def test_refuses_what_is_no_kernel(isochron, console_guest, tmp_path, damage, message):
    with open(console_guest, "rb") as file:
        elf = file.read()
    bad = tmp_path / "bad"
    bad.write_bytes(damage(elf))
    assert_refused(run(isochron, "run", "--kernel", str(bad)), message)


def test_refuses_an_initrd_that_does_not_fit(isochron, console_guest, tmp_path):
    initrd = tmp_path / "initrd"
    with initrd.open("wb") as file:
        file.truncate(32 << 20)
    result = run(
        isochron, "run", "--kernel", console_guest, "--initrd", str(initrd), "--memory", "32M"
    )
    assert_refused(result, "initrd|RAM disk")


def test_script_errors_name_line_and_column(isochron, console_guest, tmp_path):
    script = write(tmp_path / "s", 'expect "ready"\n\n  send "x\\q"\n')
    result = run(isochron, "run", "--kernel", console_guest, "--script", script)
    assert_refused(result, re.escape(f"{script}:3:10: unknown escape"))


def test_refuses_closed_standard_output(isochron, console_guest):
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" run --kernel "$1" >&-', isochron, console_guest],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        timeout=HANG,
    )
    assert_refused(result, "standard output is closed")


def test_refuses_standard_output_without_a_reader(isochron, console_guest):
    read_end, write_end = os.pipe()
    os.close(read_end)
    process = start(isochron, "run", "--kernel", console_guest, stdout=write_end)
    os.close(write_end)
    assert end_of(process) == (2, "isochron: standard output is closed\n")


def test_closed_standard_input_is_an_empty_one(isochron, console_guest):
    result = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" run --kernel "$1" --max-cycles 100M <&-', isochron]
        + [console_guest],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=HANG,
    )
    assert (result.returncode, result.stdout) == (5, b"ready\r\n"), result.stderr


# Help.


def test_help_and_version(isochron):
    top = run(isochron, "--help")
    assert top.returncode == 0 and b"run" in top.stdout and b"Exit codes:" in top.stdout
    command = run(isochron, "run", "--help")
    assert command.returncode == 0
    for option in (
        "kernel initrd append memory engine rtc seed tlb-entries clock-hz no-reboot max-cycles "
        "console script stats"
    ).split():
        assert f"--{option}" in command.stdout.decode()
    for words in ([], ["run"], ["log", "dump"]):
        asked = run(isochron, "help", *words)
        assert (asked.returncode, asked.stdout) == (0, run(isochron, *words, "--help").stdout)


def test_version(isochron, conversation_log):
    version = run(isochron, "--version")
    assert version.returncode == 0
    text = version.stdout.decode()
    found = re.fullmatch(
        r"isochron \d+\.\d+\.\d+\nrevision ([0-9a-f]{12}(?:-dirty)?|unknown)\nengines (ref(?:, jit)?)\n"
        r"log format (\d+\.\d+)\nmodel version (\d+)\n",
        text,
    )
    assert found, text
    assert tuple(found[2].split(", ")) == engines(isochron)
    info = run(isochron, "log", "info", str(conversation_log)).stdout.decode()
    assert re.search(rf"^model version +{found[4]}$", info, re.MULTILINE)
    assert run(isochron, "-V").stdout == version.stdout


# For each command the codes of the table that it cannot give.
CANNOT = {
    "run": {3}, "demo": {3}, "record": {3}, "replay": set(), "conform": {4, 6}, "hunt": {4, 5, 6}, "help": {3, 4, 5, 6, 128}, "log": {4, 5, 6},
    "log info": {3, 4, 5, 6}, "log dump": {3, 4, 5, 6}, "log verify": {3, 4, 5, 6}, "log diff": {4, 5, 6},
    "log bundle": {1, 3, 4, 5, 6, 128}, "log pcap": {1, 3, 4, 5, 6, 128},
}  # fmt: skip


@pytest.mark.parametrize("command", CANNOT)
def test_help_has_the_exit_codes_that_a_command_can_give(isochron, command):
    text = run(isochron, *command.split(), "--help").stdout.decode().split("Exit codes:\n")[1]
    codes = {int(code) for code in re.findall(r"^ +(\d+)(?:\+N)?  ", text, re.MULTILINE)}
    assert codes == {code.value for code in ExitCode} - CANNOT[command]


def test_documentation_has_the_exit_codes_of_the_program(isochron):
    text = run(isochron, "--help").stdout.decode().split("Exit codes:\n")[1]
    program = dict(re.findall(r"^ +(\d+(?:\+N)?)  (.+)$", text, re.MULTILINE))
    assert len(program) == 8
    for path in ("docs/cli.md", "README.md"):
        rows = re.findall(r"^\| (\d+(?:\+N)?) \| ([a-z]+) \| (.+?) \|$", (ROOT / path).read_text(), re.MULTILINE)
        assert {code: meaning for code, _, meaning in rows} == program, path
        names = {code.removesuffix("+N"): name for code, name, _ in rows}
        assert {str(code.value): code.name.lower() for code in ExitCode} == names, path


def manual_options(section):
    """The options in the tables of a section of docs/cli.md."""
    text = (ROOT / "docs/cli.md").read_text()
    section = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return set(re.findall(r"^\| `(--[a-z0-9-]+)", section, re.MULTILINE))


def test_documentation_has_the_options_of_the_program(isochron):
    run_options = manual_options("isochron run")
    assert run_options == help_options(isochron, "run")
    record_options = manual_options("isochron record")
    assert run_options | record_options == help_options(isochron, "record")
    assert not run_options & record_options


def test_documentation_has_the_options_of_the_log_commands(isochron):
    assert manual_options("isochron replay") == help_options(isochron, "replay")
    assert manual_options("isochron log") == help_options(isochron, "log", "dump") | help_options(isochron, "log", "diff")


def test_the_perf_map_names_symbols(isochron, console_guest):
    if "jit" not in engines(isochron):
        pytest.skip("this build has no engine that makes code")
    process = start(
        isochron, "run", "--kernel", console_guest, "--perf-map", "--engine", "jit:threshold=1", "--console", "null",
        "--max-cycles", "20M",
    )  # fmt: skip
    assert end_of(process)[0] == 5
    path = pathlib.Path(f"/tmp/perf-{process.pid}.map")
    lines = path.read_text().splitlines()
    path.unlink()
    assert all(re.fullmatch(r"[0-9a-f]+ [0-9a-f]+ (\S+ )?guest_(native|pal)_[0-9a-f]{16}", line) for line in lines)
    assert any(re.search(r" next\+0x0 guest_native_fffffc00003[0-9a-f]+$", line) for line in lines), lines


# Ends and exit codes.


def test_power_off(isochron, console_guest):
    result = press(isochron, console_guest, b"Aq")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"ready\r\n[41]", b"")


def test_reset_restarts_the_guest(isochron, console_guest):
    process = start(isochron, "run", "--kernel", console_guest)
    assert process.stdout.readline() == b"ready\r\n"
    process.stdin.write(b"r")
    process.stdin.flush()
    assert process.stdout.readline() == b"ready\r\n"
    process.stdin.write(b"q")
    assert end_of(process) == (0, "")


def test_reset_ends_the_run_under_no_reboot(isochron, console_guest, engine):
    result = press(isochron, console_guest, b"r", "--no-reboot", "--engine", engine)
    assert (result.returncode, result.stdout) == (6, b"ready\r\n")
    assert result.stderr == b"isochron: the guest asked for a reset\n"


def test_fatal_error_shows_where(isochron, console_guest, engine):
    result = press(isochron, console_guest, b"f", "--engine", engine)
    errors = result.stderr.decode()
    assert result.returncode == 4
    assert errors.startswith("isochron: the guest cannot go on: ")
    assert re.search(r"PC +0xfffffc00003100[0-9a-f]{2} \(power\+0x[0-9a-f]+\)", errors), errors
    assert re.search(r"R9 +fffffd01fc0003f8", errors), errors


@pytest.mark.parametrize("command", ["run", "record"])
def test_a_page_about_the_end(isochron, console_guest, tmp_path, command):
    page = tmp_path / "page.html"
    arguments = [command, "--kernel", console_guest, "--report", str(page), "--console", "null"]
    if command == "record":
        arguments += ["-o", str(tmp_path / "log")]
    for key, code, title in (("f", 4, "The guest could not go on: "), ("q", 0, "The guest powered off")):
        script = write(tmp_path / "script", f'expect "ready"\nsend "{key}"\n')
        result = run(isochron, *arguments, "--script", script)
        errors = result.stderr.decode()
        assert result.returncode == code, errors
        assert f"isochron: report: {page}\n" in errors
        text = page.read_text()
        assert f"<h1>{title}" in text and console_guest in text and f"<td>{code}</td>" in text
        assert ("power+0x" in text and "fffffd01fc0003f8" in text and "=&gt;" in text) == (code == 4)
        identity = re.search("identity ([0-9a-f]{32})", errors)
        assert (identity is not None) == (command == "record")
        assert identity is None or identity[1] in text


def test_fatal_error_names_file_and_line_of_a_kernel_with_dwarf(isochron, tmp_path):
    kernel = build_kernel(tmp_path / "console.elf", ["pytests/guests/console.S"], "-g")
    errors = press(isochron, kernel, b"f").stderr.decode()
    pc, line = re.search(r"PC +(0x[0-9a-f]+) \(power\+0x[0-9a-f]+, (.*)\)", errors).groups()
    known = subprocess.run(
        ["alpha-linux-gnu-addr2line", "-e", kernel, pc], stdout=subprocess.PIPE, text=True, check=True
    )  # fmt: skip
    assert re.fullmatch(r"[^ ]*console\.S:\d+", line) and known.stdout.split()[0].endswith(f"/{line.split('/')[-1]}")


def test_cycle_limit(isochron, console_guest, engine):
    result = run(isochron, "run", "--kernel", console_guest, "--max-cycles", "50M", "--engine", engine)
    assert (result.returncode, result.stdout) == (5, b"ready\r\n")
    cycle = int(re.fullmatch(
        rb"isochron: stopped at cycle (\d+) \([\d.]+ s\): --max-cycles reached\n", result.stderr)[1])
    assert 50_000_000 <= cycle < 51_200_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_run(isochron, console_guest, engine, number):
    process = start(isochron, "run", "--kernel", console_guest, "--engine", engine)
    assert process.stdout.readline() == b"ready\r\n"
    process.send_signal(number)
    code, errors = end_of(process)
    assert code == 128 + number
    assert errors.startswith(f"isochron: stopped by signal {int(number)} (")


def test_ignored_signals_stay_ignored(isochron, console_guest):
    process = start(
        isochron, "run", "--kernel", console_guest,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )  # fmt: skip
    assert process.stdout.readline() == b"ready\r\n"
    process.send_signal(signal.SIGHUP)
    process.stdin.write(b"Aq")
    assert end_of(process) == (0, "")


def test_a_signal_ends_a_run_that_waits_for_a_slow_reader(isochron, console_guest):
    process = start(isochron, "run", "--kernel", console_guest)
    assert process.stdout.readline() == b"ready\r\n"
    process.stdin.write(b"l")
    process.stdin.flush()
    assert process.stdout.readline() != b""
    # From here on nobody reads, and the pipe fills.
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=HANG) == 128 + signal.SIGTERM
    process.communicate(timeout=HANG)


def test_output_that_nobody_reads_any_more_ends_the_run(isochron, console_guest):
    process = start(isochron, "run", "--kernel", console_guest)
    assert process.stdout.readline() == b"ready\r\n"
    process.stdout.close()
    process.stdin.write(b"l")
    process.stdin.close()
    errors = process.stderr.read()
    assert process.wait(timeout=HANG) == 128 + signal.SIGPIPE
    assert errors == b"isochron: nobody reads the console output any more; the guest was stopped\n"


def test_a_full_disk_is_reported(isochron, console_guest):
    result = press(isochron, console_guest, b"", "--console", "file:/dev/full")
    assert result.returncode == 1
    assert result.stderr == b"isochron: cannot write the console output: No space left on device\n"


# Input and output.


def test_input_from_a_pipe_is_all_the_guests(isochron, console_guest):
    result = press(isochron, console_guest, b"\x01x\x03\x04\x00\xffq")
    assert result.stdout == b"ready\r\n[01][78][03][04][00][ff]"


def test_a_long_input_arrives_whole(isochron, console_guest):
    keys = bytes(range(128, 256)) * 1000
    result = press(isochron, console_guest, keys + b"q")
    assert result.returncode == 0
    assert result.stdout == b"ready\r\n" + b"".join(b"[%02x]" % key for key in keys)


def test_the_end_of_input_does_not_end_the_guest(isochron, console_guest):
    result = press(isochron, console_guest, b"A", "--max-cycles", "100M")
    assert (result.returncode, result.stdout) == (5, b"ready\r\n[41]")


def test_console_to_a_file(isochron, console_guest, tmp_path):
    out = tmp_path / "out"
    out.write_text("what was there before")
    script = write(tmp_path / "s", 'expect "ready"\nsend "q"\n')
    result = run(
        isochron, "run", "--kernel", console_guest, "--console", f"file:{out}", "--script", script
    )
    assert (result.returncode, result.stdout) == (0, b"")
    assert out.read_bytes() == b"ready\r\n"


def test_bad_input_leaves_the_console_file_alone(isochron, tmp_path):
    out = tmp_path / "out"
    out.write_text("precious")
    result = run(isochron, "run", "--kernel", "/dev/null", "--console", f"file:{out}")
    assert_refused(result, "/dev/null")
    assert out.read_text() == "precious"


def test_console_to_nowhere_takes_no_input(isochron, console_guest):
    result = press(isochron, console_guest, b"q", "--console", "null", "--max-cycles", "50M")
    assert (result.returncode, result.stdout) == (5, b"")


def test_stats(isochron, console_guest):
    result = press(isochron, console_guest, b"q", "--stats")
    stats = dict(re.findall(r"^(\S.*?)  +([\d.]+)$", result.stderr.decode(), re.MULTILINE))
    assert set(stats) == {
        "instructions", "cycles", "guest seconds", "wall seconds", "million instructions/s",
        "idle share (%)", "ITB misses", "DTB misses", "exceptions", "interrupts", "PAL calls",
        "guest memory touched (KiB)",
    }  # fmt: skip
    assert int(stats["instructions"]) > 0
    assert float(stats["guest seconds"]) == pytest.approx(int(stats["cycles"]) / 600e6, abs=0.001)


# Scripts.


def test_script(isochron, console_guest, tmp_path):
    script = write(
        tmp_path / "s",
        '# a conversation\nexpect "ready" within 1G\nsend "A\\^C"\nexpect "[03]"\n'
        'at 90M send "B"\nexpect "[42]"\nstop\n',
    )
    result = run(isochron, "run", "--kernel", console_guest, "--script", script, "--stats")
    assert (result.returncode, result.stdout) == (0, b"ready\r\n[41][03][42]")
    cycles = int(re.search(rb"cycles +(\d+)", result.stderr)[1])
    assert 90_000_000 <= cycles < 100_000_000


def test_times_in_seconds(isochron, console_guest):
    result = run(isochron, "run", "--kernel", console_guest, "--max-cycles", "50ms", "--clock-hz", "1G")
    assert result.returncode == 5
    cycle = int(re.fullmatch(rb"isochron: stopped at cycle (\d+) \(0.05\d+ s\): --max-cycles reached\n", result.stderr)[1])
    assert 50_000_000 <= cycle < 52_000_000


def test_a_script_with_regular_expressions(isochron, console_guest, tmp_path, engine):
    script = write(
        tmp_path / "s",
        'expect /^READY$/i within 1s\nsend "ab"\nexpect /\\[6[0-9a-f]\\]/\nexpect "[62]"\nsend "q"\n',
    )
    result = run(isochron, "run", "--kernel", console_guest, "--engine", engine, "--script", script)
    assert (result.returncode, result.stdout) == (0, b"ready\r\n[61][62]"), result.stderr
    script = write(tmp_path / "s", "expect /ready./ within 10ms\n")
    result = run(isochron, "run", "--kernel", console_guest, "--engine", engine, "--script", script)
    assert result.returncode == 5
    assert b"expect /ready./ was not met within 6000000 cycles (0.010000 s)" in result.stderr


def test_script_runs_are_equal(isochron, console_guest, tmp_path):
    script = write(tmp_path / "s", 'expect "ready"\nsend "abc"\nat 70M send "l"\n')
    results = [
        run(
            isochron, "run", "--kernel", console_guest, "--script", script, "--max-cycles", "90M"
        )
        for _ in range(3)
    ]
    assert {result.returncode for result in results} == {5}
    assert len(results[0].stdout) > 1000
    assert len({(result.stdout, result.stderr) for result in results}) == 1


def test_an_expect_that_is_not_met(isochron, console_guest, tmp_path, engine):
    script = write(tmp_path / "s", 'expect "ready"\nexpect "steady" within 20M\n')
    result = run(isochron, "run", "--kernel", console_guest, "--script", script, "--engine", engine)
    assert result.returncode == 5
    assert result.stderr.decode() == (
        f'isochron: {script}: line 2: expect "steady" was not met within 20000000 cycles (0.033333 s); '
        'last output: "ready"\n'
    )


def test_an_expect_that_the_guest_leaves_behind(isochron, console_guest, tmp_path):
    script = write(tmp_path / "s", 'expect "ready"\nsend "q"\nexpect "bye"\n')
    result = run(isochron, "run", "--kernel", console_guest, "--script", script)
    assert result.returncode == 5
    assert "line 3" in result.stderr.decode() and "before the guest ended" in result.stderr.decode()


def test_a_scripted_run_leaves_standard_input_alone(isochron, console_guest, tmp_path):
    (tmp_path / "in").write_text("qqq")
    script = write(tmp_path / "s", 'expect "ready"\nat 50M send "A"\nexpect "[41]"\nstop\n')
    with open(tmp_path / "in") as stdin:
        result = run(
            isochron, "run", "--kernel", console_guest, "--script", script, stdin=stdin
        )
        assert os.lseek(stdin.fileno(), 0, os.SEEK_CUR) == 0
    assert (result.returncode, result.stdout) == (0, b"ready\r\n[41]")


# Linux.


def test_linux_boots_to_a_shell_and_powers_off(isochron, linux_guest, tmp_path):
    script = write(
        tmp_path / "s",
        'expect "# "\nsend "uname -sm\\n"\nexpect "Linux alpha"\nexpect "# "\n'
        'send "poweroff -f\\n"\nexpect "ower"\n',
    )
    result = run(isochron, "run", *linux_guest, "--script", script)
    assert result.returncode == 0, result.stdout.decode(errors="replace")[-2000:]
