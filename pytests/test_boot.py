"""Booting from a disk, and NVRAM: what the command line takes, and that a recording has it all."""

import pathlib

import pytest

from helpers.commands import assert_refused, run
from helpers.guests import own_guest
from helpers.recordings import record, replay
from isochron import IsochronError, Log, Machine
from isochron import machine as driver

NVRAM = "isochron-nvram 1\nboot_osflags=kept flags\n"


@pytest.fixture
def boot_disk(isochron):
    """A disk with our own bootstrap."""
    return pathlib.Path(own_guest(isochron, "keys")).with_name("boot.img")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The folder in which a test works."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def options(disk, *more):
    return ["--boot", "disk0:root=/dev/vda1", "--disk", disk, *more]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--boot", "disk0"], "there is no disk0 to boot from: the machine has 0 disks"),
        (["--boot", "disk1", "--disk", "zeros"], "there is no disk1 to boot from: the machine has 1 disk"),
        (["--boot", "dka0", "--disk", "zeros"], "'dka0' is none of disk0 to disk7"),
        (["--boot", "disk0:" + "x" * 256, "--disk", "zeros"], "the flags have 256 bytes; at most 255 fit"),
        (["--boot", "disk0", "--kernel", "zeros", "--disk", "zeros"], "--kernel excludes --boot"),
        (["--boot", "disk0", "--initrd", "zeros", "--disk", "zeros"], "--initrd excludes --boot"),
        (["--boot", "disk0", "--append", "x", "--disk", "zeros"], "--append excludes --boot"),
        (["--disk", "zeros"], "--kernel is required, or --boot with a disk to boot from"),
        (["--boot", "disk0", "--disk", "zeros", "--nvram", "zeros"], "zeros: line 1: "),
        (["--boot", "disk0", "--disk", "zeros", "--nvram", "."], r"\.: is no regular file"),
        (["--boot", "disk0", "--disk", "zeros", "--nvram", "no/nvram"], "no/nvram"),
        (["--boot", "disk0", "--disk", "bad,readonly", "--nvram", "bad"], "bad"),
    ],
)
def test_refuses_what_cannot_be_booted(isochron, here, arguments, message):
    (here / "zeros").write_bytes(bytes(512))
    (here / "bad").write_bytes(bytes(512))
    assert_refused(run(isochron, "run", *arguments), message)
    assert not list(here.glob("*.partial"))


def test_a_disk_without_a_bootstrap_ends_as_a_fatal_error(isochron, here):
    (here / "zeros").write_bytes(bytes(512))
    result = run(isochron, "run", "--boot", "disk0", "--disk", "zeros")
    assert result.returncode == 4
    assert "block 0 of disk0 is not a valid boot block: it is empty\r\nbootstrap failure\r\n" in result.stdout.decode()
    assert "the console has found nothing to boot" in result.stderr.decode()


def test_is_recorded_alike_and_replayed(isochron, boot_disk, here):
    (here / "nvram").write_text(NVRAM)
    for engine in driver.engines(str(isochron)):
        (here / engine).write_text(NVRAM)
        record(isochron, here / f"{engine}.log", *options(boot_disk, "--engine", engine, "--nvram", engine))
        assert "dump_dev=there\n" in (here / engine).read_text()
    logs = [(here / f"{engine}.log").read_bytes() for engine in driver.engines(str(isochron))]
    assert logs.count(logs[0]) == len(logs)
    for engine in driver.engines(str(isochron)):
        result = replay(isochron, here / "ref.log", "--engine", engine)
        assert result.returncode == 0, result.stderr
    header = Log(here / "ref.log").header
    assert header["boot_disk"] == 0 and header["nvram"] == NVRAM and header["command_line"] == "root=/dev/vda1"
    assert [image["role"] for image in header["images"]] == ["disk0"]
    info = run(isochron, "log", "info", here / "ref.log").stdout.decode()
    assert "boots from      disk0\n" in info and 'flags           "root=/dev/vda1"\n' in info
    # The log has the NVRAM, and a bundle the disk.
    assert run(isochron, "log", "bundle", here / "ref.log", "-o", here / "bundle").returncode == 0
    for file in [*here.glob("*.images"), here / "ref"]:
        file.unlink()
    result = replay(isochron, here / "bundle")
    assert result.returncode == 0, result.stderr


def test_nvram_is_left_alone_unless_something_else_is_in_it(isochron, boot_disk, here):
    arguments = options(boot_disk, "--nvram", "nvram")
    assert run(isochron, "run", *arguments, "--max-cycles", "1000000").returncode == 5
    assert not (here / "nvram").exists() and not (here / "nvram.partial").exists()
    assert run(isochron, "run", *arguments).returncode == 0
    first = (here / "nvram").stat()
    assert run(isochron, "run", *arguments).returncode == 0
    assert (here / "nvram").stat().st_ino == first.st_ino
    assert run(isochron, "conform", *options(boot_disk, "--nvram", "other")).returncode == 0
    assert not (here / "other").exists()


def test_a_driver_boots(isochron, boot_disk, here):
    machine = Machine(boot="disk0:a b", disks=[boot_disk], nvram="nvram", memory="16M", program=isochron)
    with machine.record(here / "log") as session:
        result = session.finish()
    assert "# booted_osflags=a b\r\n" in result.transcript and "not ok" not in result.transcript
    with machine.replay(here / "log") as session:
        assert session.finish().exit_code == 0
    for both in ({}, {"kernel": boot_disk, "boot": "disk0"}):
        with pytest.raises(IsochronError, match="a kernel or a disk"):
            Machine(**both)


def test_boots_from_a_cdrom(isochron, boot_disk, here):
    (here / "disc.iso").write_bytes(pathlib.Path(boot_disk).read_bytes())
    arguments = ["--boot", "disk0", "--cdrom", "disc.iso"]
    for engine in driver.engines(str(isochron)):
        record(isochron, here / f"{engine}.log", *arguments, "--engine", engine, "--console", f"file:{engine}")
        transcript = (here / engine).read_text()
        assert "# booted_dev=IDE 0 15 0 0 0 0 0" in transcript and "not ok" not in transcript
    logs = [(here / f"{engine}.log").read_bytes() for engine in driver.engines(str(isochron))]
    assert logs.count(logs[0]) == len(logs)
    assert Log(here / "ref.log").header["disks"] == [{"interface": "cdrom", "read_only": True, "bytes": 81920}]
    assert "disk0 is        cdrom, read-only\n" in run(isochron, "log", "info", here / "ref.log").stdout.decode()
    (here / "disc.iso").rename(here / "moved")
    assert replay(isochron, here / "ref.log", "--disk", "moved").returncode == 0
    machine = Machine(boot="disk0", cdroms=["moved"], memory="16M", program=isochron)
    with machine.run() as session:
        assert session.finish().exit_code == 0
    assert replay(isochron, here / "ref.log", *machine.image_arguments()).returncode == 0


def test_refuses_what_is_no_cdrom(isochron, here):
    (here / "zeros").write_bytes(bytes(3 * 512))
    message = "zeros: has 1536 bytes, which are not whole blocks of a CD-ROM, 2048"
    assert_refused(run(isochron, "run", "--boot", "disk0", "--cdrom", "zeros"), message)
    assert_refused(run(isochron, "run", "--boot", "disk0", "--disk", "zeros,interface=cdrom"), message)
    (here / "zeros").write_bytes(bytes(2048))
    result = run(isochron, "run", "--boot", "disk0", *["--cdrom", "zeros"] * 5)
    assert_refused(result, "two IDE channels take at most 4 disks, not 5")


def test_options_of_docs_are_there():
    docs = (pathlib.Path(__file__).parent.parent / "docs/cli.md").read_text()
    assert "--boot DISK[:FLAGS]" in docs and "--nvram FILE" in docs
