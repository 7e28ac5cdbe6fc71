"""Names that somebody chose to be shown: none reaches a terminal, a page or a report as anything but visible text."""

import io
import json
import pathlib
import re
import subprocess
import tarfile

import pytest

from helpers.commands import assert_refused, press, run, write
from helpers.recordings import record
from isochron import IsochronError, Machine, RequestError

# A window title, a bell, a cleared screen, C1 in both forms, text that runs backwards, a forged line and markup.
HOSTILE = b"\x1b]0;PWNED\x07\x1b[2J\x9b31m\xc2\x9b1m\xe2\x80\xae<script>alert(1)</script>\"'&\r\nisochron: all fine"
SHOWN = r"\x1b]0;PWNED\x07\x1b[2J\x9b31m\u009b1m\u202e<script>alert(1)</script>" + "\"'&" + r"\r\nisochron: all fine"


def assert_printable(text):
    """UTF-8 without control characters, none of which began a line of its own."""
    shown = text.decode()
    assert all(char == "\n" or char.isprintable() for char in shown), shown
    assert not re.search(r"^isochron: all fine", shown, re.MULTILINE), shown


@pytest.fixture(scope="module")
def hostile_kernel(console_guest, tmp_path_factory):
    """The console guest, with hostile names for the places where it stops and where it waits."""
    kernel = tmp_path_factory.mktemp("hostile") / "kernel.elf"
    subprocess.run(
        [b"alpha-linux-gnu-objcopy", b"--redefine-sym", b"power=" + HOSTILE]
        + [b"--redefine-sym", b"next=wait" + HOSTILE, console_guest, str(kernel)],
        check=True,
    )  # fmt: skip
    return str(kernel)


def hostile_path(directory):
    """A path with a hostile name; a name holds no slash."""
    return directory.joinpath(HOSTILE.replace(b"/", b"|").decode("utf-8", "surrogateescape"))


SHOWN_PATH = SHOWN.replace("/", "|")


def bundle_of(path, members):
    """A tar archive as `log bundle` makes them, of these names and contents."""
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT, encoding="latin-1") as archive:
        for name, content in members:
            member = tarfile.TarInfo(name.decode("latin-1"))
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return str(path)


def test_a_symbol_in_a_report(isochron, hostile_kernel, engine):
    result = press(isochron, hostile_kernel, b"f", "--engine", engine)
    assert result.returncode == 4
    assert_printable(result.stderr)
    assert f"({SHOWN}+0x" in result.stderr.decode()


def test_a_symbol_in_a_report_of_a_replay(isochron, hostile_kernel, tmp_path):
    """The events differ at the last: the place is where the guest ended."""
    logs = [tmp_path / "off.log", tmp_path / "fatal.log"]
    for log, key in zip(logs, ("q", "f")):
        script = write(tmp_path / "script", f'expect "ready"\nsend "{key}"\n')
        run(isochron, "record", "-o", str(log), "--kernel", hostile_kernel, "--script", script)
    result = run(isochron, "conform", str(logs[1]), "--console", "null", "--engines", "ref,ref")
    assert_printable(result.stderr)
    difference = run(isochron, "log", "diff", *map(str, logs))
    assert difference.returncode == 3
    assert_printable(difference.stdout)


def test_a_symbol_for_the_driver(isochron, hostile_kernel):
    with Machine(kernel=hostile_kernel, program=isochron).run() as session:
        session.expect("ready\r\n")
        session.run(1 << 20)
        symbol = session.stats().symbol
        with pytest.raises(RequestError) as refused:
            session.peek("no\x1b[2Jsymbol")
    assert symbol.startswith(f"wait{SHOWN}+0x")
    assert str(refused.value).isprintable() and r"no\x1b[2Jsymbol" in str(refused.value)


def test_a_path_in_a_sidecar(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    record(isochron, log, "--kernel", console_guest, "--script", script)
    sidecar = pathlib.Path(f"{log}.images")
    role, digest, size, _ = sidecar.read_bytes().splitlines()[1].split(b" ", 3)
    name = HOSTILE.replace(b"\n", b"\\n")
    sidecar.write_bytes(b"isochron-images 1\n" + b" ".join([role, digest, size, b"/nowhere/" + name]) + b"\n")
    for command in (["replay"], ["conform"], ["log", "bundle", "-o", str(tmp_path / "bundle")]):
        result = run(isochron, *command, str(log))
        assert_printable(result.stderr)
        assert_refused(result, re.escape(f"/nowhere/{SHOWN}: "))


def test_names_in_a_bundle(isochron, console_guest, tmp_path):
    log = tmp_path / "log"
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    record(isochron, log, "--kernel", console_guest, "--script", script)
    kernel = pathlib.Path(console_guest).read_bytes()
    digest = pathlib.Path(f"{log}.images").read_text().split()[3].encode()
    name = HOSTILE.split(b"\r")[0].replace(b"/", b"|")[:99]
    size = b"%d" % len(kernel)
    images = b"isochron-images 1\nkernel " + digest + b" " + size + b" " + name + b"\n"
    whole = [(b"isochron-bundle", images), (b"log", log.read_bytes()), (name, kernel)]
    broken = [
        [*whole[:2], (b"\x1b[2Jother", kernel)],
        [(b"isochron-bundle", images.replace(b"kernel ", b"\x1b[2J ", 1)), *whole[1:]],
        [whole[0], (b"\x1b[2J", log.read_bytes()), whole[2]],
    ]
    for number, members in enumerate(broken):
        path = bundle_of(tmp_path / f"bad-{number}", members)
        for command in (["replay"], ["conform"], ["log", "info"], ["log", "verify"], ["log", "dump"]):
            result = run(isochron, *command, path)
            assert_printable(result.stderr)
            assert_refused(result, "bad-")
    cut = tmp_path / "cut"
    data = pathlib.Path(bundle_of(tmp_path / "good", whole)).read_bytes()
    cut.write_bytes(data[: data.index(kernel[:64]) + 64])
    result = run(isochron, "replay", str(cut))
    assert_printable(result.stderr)
    assert_refused(result, "the bundle breaks off in " + re.escape(r"\x1b]0;PWNED\x07"))


def test_paths_of_all_files(isochron, console_guest, tmp_path):
    """Every file that a command can name has a hostile name here."""
    log = hostile_path(tmp_path)
    script = write(tmp_path / "script", 'expect "ready"\nsend "q"\n')
    result = record(isochron, log, "--kernel", console_guest, "--script", script)
    assert_printable(result.stderr)
    assert f"log: {tmp_path}/{SHOWN_PATH}, " in result.stderr.decode()
    other = tmp_path / "other"
    record(isochron, other, "--kernel", console_guest, "--script", write(tmp_path / "s", 'expect "ready"\nsend "Aq"\n'))
    for command, code in (
        (["replay", log], 0),
        (["log", "info", log], 0),
        (["log", "verify", log], 0),
        (["log", "dump", log], 0),
        (["log", "diff", log, other], 3),
        (["log", "info", f"{log}.images"], 0),
        (["log", "dump", log, "--type", "\x1b[2J"], 2),
        (["run", "--kernel", log], 2),
        (["run", "--kernel", console_guest, "--initrd", f"{log}.none"], 2),
        (["run", "--kernel", console_guest, "--script", f"{log}.none"], 2),
        (["run", "--kernel", console_guest, "--console", f"file:{log}/none"], 2),
        (["run", "--kernel", console_guest, "--control", f"{log}/none"], 2),
        ([HOSTILE[:40].decode("utf-8", "surrogateescape")], 2),
        (["run", "--\x1b[2J"], 2),
    ):
        result = run(isochron, *map(str, command))
        shown = result.stderr if result.stdout.startswith(b"ready") else result.stdout + result.stderr
        assert result.returncode == code, shown
        assert_printable(shown)
    lines = run(isochron, "log", "dump", "--json", str(log)).stdout.decode()
    assert lines.isascii() and all(json.loads(line) for line in lines.splitlines())


def test_a_script(isochron, console_guest, tmp_path):
    for text in ('expect "\x1b[2J" within\n', "\x1b[2J\n", 'expect "ready"\nexpect "\\e[2J\x1b[2J" within 1000\n'):
        result = run(isochron, "run", "--kernel", console_guest, "--script", write(tmp_path / "script", text))
        assert result.returncode in (2, 5)
        assert_printable(result.stderr)


def test_pytest_reports(pytest_in, tmp_path):
    """What the plugin names, and the driver's errors."""
    done = pytest_in(
        """
from isochron import Log

def test_files(machine):
    open("\\x1b[2J\\nfile", "w").write("left")
    assert False

def test_error(machine):
    open("log\\x1b[2J", "w").write("no log")
    machine(kernel="/dev/null", initrd="none\\x1b[2J")
"""
    )
    assert all(char == "\n" or char.isprintable() for char in done.stdout), done.stdout
    assert r"\x1b[2J\nfile" in done.stdout and r"none\x1b[2J': No such file" in done.stdout


def test_errors_of_the_driver():
    error = IsochronError("a\x1b[2J", "b\u202e\r\nc")
    assert str(error) == "a\\x1b[2J\nb\\u202e\\r\nc"
