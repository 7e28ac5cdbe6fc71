"""An ext4 file system to boot Linux from: what the initrd of scripts/build-guests has, on a disk."""

import os
import pathlib
import shutil
import subprocess
import tempfile

from conformance.guests.boot.make_disk import BLOCK, boot_block
from conformance.tree import guest_path

# What the kernel linux-disk is told, for each interface that a disk can have.
DEVICES = {"virtio": "vda", "ide": "sda"}


def boot_line(interface: str) -> str:
    """The kernel's command line for a root on the first disk."""
    return f"console=ttyS0 root=/dev/{DEVICES[interface]} rw init=/init"


def make_linux_boot(path: pathlib.Path) -> None:
    """Makes the file `path` a disk with Linux's own boot loader and the kernel of the guest linux-boot behind it."""
    guest = guest_path("linux-boot")
    kernel = (guest / "kernel").read_bytes()
    loader = path.with_name(f"{path.name}.loader")
    subprocess.run(["alpha-linux-gnu-objcopy", "-O", "binary", str(guest / "bootloader"), str(loader)], check=True)
    symbols = subprocess.run(["alpha-linux-gnu-nm", str(guest / "bootloader")], capture_output=True, text=True, check=True)
    places = {line.split()[2]: int(line.split()[0], 16) for line in symbols.stdout.splitlines()}
    # Where the loader looks for the kernel (arch/alpha/boot/main.c, load()); itself it has behind the boot block.
    first = (places["_end"] - places["__start"]) // BLOCK + 1
    text = loader.read_bytes()
    loader.unlink()
    assert len(text) <= (first - 1) * BLOCK
    disk = boot_block(1, first - 1) + text.ljust((first - 1) * BLOCK, b"\0") + kernel
    path.write_bytes(disk.ljust(-(-len(disk) // BLOCK) * BLOCK, b"\0"))


def make_file_system(path: pathlib.Path, mib: int, contents: pathlib.Path | None = None) -> None:
    """Makes the file `path` an ext4 file system of so many MiB, the same for the same contents."""
    with path.open("wb") as file:
        file.truncate(mib << 20)
    number = "00000000-0000-0000-0000-000000000001"
    command = ["mkfs.ext4", "-q", "-U", number, "-E", f"hash_seed={number},root_owner=0:0"]
    if contents is not None:
        command += ["-d", str(contents)]
    environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "E2FSPROGS_FAKE_TIME": "1000000000"}
    subprocess.run([*command, str(path)], check=True, env=environment, stdout=subprocess.DEVNULL)


def make_root(path: pathlib.Path, mib: int) -> None:
    """Makes the file `path` a disk that boot_line() boots from."""
    archive = guest_path("initrd") / "initrd.cpio.gz"
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder, "root")
        root.mkdir()
        unpacked = subprocess.run(["zcat", str(archive)], stdout=subprocess.PIPE, check=True).stdout
        # Devices, which only root may make, the kernel makes itself.
        unpack = ["cpio", "--quiet", "-idm", "--no-absolute-filenames", "-f", "dev/*"]
        subprocess.run(unpack, input=unpacked, cwd=root, check=True)
        shutil.rmtree(root / "bench", ignore_errors=True)
        for name in ("dev", "mnt", "proc", "sys", "tmp"):
            (root / name).mkdir(exist_ok=True)
        for file in root.rglob("*"):
            if not file.is_symlink():
                os.utime(file, (1_000_000_000, 1_000_000_000))
        make_file_system(path, mib, root)


def check(path: pathlib.Path) -> str:
    """What e2fsck finds wrong with a file system; empty when it is clean and was unmounted."""
    environment = os.environ | {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    found = subprocess.run(["e2fsck", "-fn", str(path)], env=environment, capture_output=True, text=True, check=False)
    dirty = subprocess.run(["dumpe2fs", "-h", str(path)], env=environment, capture_output=True, text=True, check=True)
    recovers = "needs_recovery" in dirty.stdout
    return "" if found.returncode == 0 and not recovers else found.stdout + ("it was not unmounted" if recovers else "")
