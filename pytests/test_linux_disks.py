"""Linux has file systems on disks: what it writes is there at the next boot, or gone, as asked; recordings are equal."""

import hashlib
import subprocess

import pytest

from helpers.linux_guest import boot_arguments, conversation, converse, run_script
from helpers.recordings import assert_replays
from helpers.tree import HANG

GUEST = {"kernel": "linux-disk"}
# Text that no other file system has by chance.
NUMBERS = "".join(f"{number}\n" for number in range(1, 200_001)).encode()
WRITE = ["mkdir /mnt", "mount -t ext4 /dev/vda /mnt", "seq 1 200000 > /mnt/numbers", "sync", "umount /mnt"]
READ = ["mkdir /mnt", "mount -t ext4 /dev/vda /mnt", "md5sum /mnt/numbers", "umount /mnt"]


def host(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG, check=False)


@pytest.fixture
def image(tmp_path):
    """An empty ext4 file system, of less than what has its digest kept in the user's cache."""
    path = tmp_path / "disk"
    with path.open("wb") as file:
        file.truncate(15 << 20)
    made = host("/sbin/mkfs.ext4", "-q", "-E", "hash_seed=00000000-0000-0000-0000-000000000001", str(path))
    assert made.returncode == 0, made.stdout
    return path


def test_random_numbers_follow_from_the_seed(isochron, tmp_path, engine):
    def numbers(seed):
        arguments = ["--engine", engine, "--rng", "virtio", "--seed", str(seed)]
        look = ["cat /sys/class/misc/hw_random/rng_current", "dd if=/dev/hwrng bs=64 count=4 2>/dev/null | md5sum"]
        transcript = converse(isochron, tmp_path, look, *arguments, **GUEST)
        assert transcript.output(0) == ["virtio_rng.0"]
        return transcript.output(1)

    assert numbers(1) == numbers(1) != numbers(2)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_committed_is_there_at_the_next_boot(isochron, tmp_path, image, engine):
    arguments = ["--engine", engine, "--disk", f"{image},commit"]
    transcript = converse(isochron, tmp_path, WRITE, *arguments, **GUEST)
    assert "blocks of 4 KiB that the guest has written" in transcript.errors
    checked = host("/sbin/e2fsck", "-fn", str(image))
    assert checked.returncode == 0, checked.stdout
    assert host("/sbin/debugfs", "-R", "cat /numbers", str(image)).stdout.endswith(NUMBERS)
    again = converse(isochron, tmp_path, READ, "--engine", engine, "--disk", f"{image},readonly", **GUEST)
    assert again.output(2)[0].split()[0] == hashlib.md5(NUMBERS).hexdigest()


def test_recordings_leave_the_image_alone_and_are_equal(isochron, tmp_path, image):
    before = digest(image)
    logs = {}
    for engine in ("ref", "jit"):
        log = tmp_path / f"{engine}.log"
        arguments = [*boot_arguments(**GUEST), "--engine", engine, "--disk", str(image), "-o", str(log)]
        run_script(isochron, arguments, tmp_path / "script", conversation(WRITE), "record").check()
        logs[engine] = log.read_bytes()
    assert logs["ref"] == logs["jit"]
    assert digest(image) == before
    assert_replays(isochron, tmp_path / "jit.log", "the guest powered off")


def over(image, overlay):
    return ["--disk", f"{image},overlay={overlay}"]


def test_an_overlay_keeps_what_was_written_and_the_image_stays(isochron, tmp_path, image):
    before, overlay, log = digest(image), tmp_path / "overlay", tmp_path / "log"
    disk = ["--engine", "jit", *over(image, overlay)]
    script = tmp_path / "script"
    write = [*boot_arguments(**GUEST), *disk, "-o", str(log)]
    result = run_script(isochron, write, script, conversation(WRITE), "record")
    result.check()
    assert f"disk0: {overlay} now has the " in result.errors
    assert digest(image) == before
    # What it was recorded from is still there, behind what the run has added.
    assert_replays(isochron, log, "the guest powered off")
    again = converse(isochron, tmp_path, READ, *disk, **GUEST)
    assert again.output(2)[0].split()[0] == hashlib.md5(NUMBERS).hexdigest()
    second = tmp_path / "second"
    run_script(isochron, [*boot_arguments(**GUEST), *disk, "-o", str(second)], script, conversation(READ), "record").check()
    # A bundle needs neither image nor overlay.
    bundle = tmp_path / "bundle"
    assert host(isochron, "log", "bundle", str(second), "-o", str(bundle)).returncode == 0
    moved = tmp_path / "moved"
    overlay.rename(moved)
    assert_replays(isochron, second, "the guest powered off", "--disk", str(moved))
    image.unlink()
    assert_replays(isochron, bundle, "the guest powered off")


@pytest.fixture
def disc(tmp_path):
    """An ISO 9660 file system with a directory and two files, the same every time."""
    contents = tmp_path / "contents"
    (contents / "Some Folder").mkdir(parents=True)
    (contents / "Some Folder" / "a long name.text").write_bytes(NUMBERS)
    (contents / "readme").write_text("a disc\n")
    path = tmp_path / "disc.iso"
    made = host("genisoimage", "-quiet", "-J", "-R", "-V", "ISOCHRON", "-o", str(path), str(contents))
    assert made.returncode == 0, made.stdout
    return path


LOOK = [
    "cat /sys/block/sr0/device/vendor /sys/block/sr0/device/model",
    "mkdir /mnt; mount -t iso9660 -o ro /dev/sr0 /mnt",
    "cat /mnt/readme",
    "md5sum '/mnt/Some Folder/a long name.text'",
    "dd if=/dev/sr0 bs=2048 skip=16 count=1 2>/dev/null | head -c 6 | tail -c 5; echo",
    "touch /mnt/new 2>/dev/null || echo read-only",
    "umount /mnt",
]


@pytest.mark.parametrize("way", ["pio", "dma"])
def test_a_cdrom_is_mounted_and_replayed(isochron, tmp_path, disc, way):
    before = digest(disc)
    logs = {}
    for engine in ("ref", "jit"):
        log = tmp_path / f"{engine}.log"
        boot = boot_arguments(append=f"console=ttyS0 pata_ali.atapi_dma={int(way == 'dma')}", **GUEST)
        arguments = [*boot, "--engine", engine, "--cdrom", str(disc), "-o", str(log)]
        transcript = run_script(isochron, arguments, tmp_path / "script", conversation(LOOK), "record")
        # Without DMA the driver says so, as a warning of two lines.
        assert transcript.text.count("WARNING") == (2 if way == "pio" else 0)
        transcript.text = transcript.text.replace("WARNING: ATAPI DMA", "").replace("WARNING: via pata_ali", "")
        transcript.check()
        assert transcript.output(0)[0].split() == ["ISOCHRON"]
        # What is typed ahead may come before what a slow command prints.
        assert transcript.output(2)[-1] == "a disc"
        assert transcript.output(3)[-1].split()[0] == hashlib.md5(NUMBERS).hexdigest()
        assert transcript.output(4)[-1] == "CD001"
        assert transcript.output(5)[-1] == "read-only"
        logs[engine] = log.read_bytes()
    assert logs["ref"] == logs["jit"]
    assert digest(disc) == before
    for engine in ("ref", "jit"):
        assert_replays(isochron, tmp_path / "jit.log", "the guest powered off", "--engine", engine)
