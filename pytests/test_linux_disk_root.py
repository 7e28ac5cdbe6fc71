"""Linux with its root on a disk: what it does there is on the disk when it is committed, and in no log twice."""

import hashlib
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from conformance.guests.disk_root import DEVICES, boot_line, check, make_linux_boot, make_root
from conformance.tree import guest_path
from helpers.linux_guest import conversation, run_script
from helpers.recordings import assert_replays
from helpers.tree import HANG

# Leaves the file system in order behind it.
UNMOUNT = "mount -o remount,ro /"
MIB = 3
WRITE = [
    f"dd if=/dev/urandom of=/mnt/random bs=65536 count={MIB << 4} conv=fsync 2>/dev/null",
    "md5sum /mnt/random",
    UNMOUNT,
]


@pytest.fixture(scope="module")
def made_root(tmp_path_factory):
    path = tmp_path_factory.mktemp("root") / "root"
    make_root(path, 14)
    return path


@pytest.fixture
def root(made_root, tmp_path):
    """A copy of its own of a disk to boot from."""
    return pathlib.Path(shutil.copy(made_root, tmp_path / "root"))


def boot(root, interface, engine, *settings, kernel="linux-disk"):
    disk = ",".join([str(root), f"interface={interface}", *settings])
    image = guest_path(kernel) / "vmlinux"
    return ["--kernel", str(image), "--append", boot_line(interface), "--disk", disk, "--engine", engine]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


KERNELS = [("linux-disk", interface) for interface in DEVICES] + [("linux-6.12", "ide")]


@pytest.mark.parametrize("kernel, interface", KERNELS)
def test_boots_from_a_disk_and_leaves_it_in_order(isochron, tmp_path, root, kernel, interface, made_root):
    logs, sums = {}, set()
    for engine in ("ref", "jit"):
        # A name that the log does not have: the images are the same.
        image = pathlib.Path(shutil.copy(made_root, tmp_path / engine))
        logs[engine] = tmp_path / f"{engine}.log"
        arguments = [*boot(image, interface, engine, "commit", kernel=kernel), "-o", str(logs[engine])]
        written = run_script(isochron, arguments, tmp_path / "script", conversation(WRITE), "record")
        written.check()
        sums.add(written.output(1)[0].split()[0])
        assert check(image) == ""
    assert logs["ref"].read_bytes() == logs["jit"].read_bytes()
    assert digest(tmp_path / "ref") == digest(tmp_path / "jit") != digest(root)
    assert len(sums) == 1
    again = boot(tmp_path / "jit", interface, "jit", "commit", kernel=kernel)
    read = run_script(isochron, again, tmp_path / "script", conversation(["md5sum /mnt/random", UNMOUNT]))
    read.check()
    assert {read.output(0)[0].split()[0]} == sums
    assert check(tmp_path / "jit") == ""
    # The log is that of the image as it was.
    assert_replays(isochron, logs["jit"], "the guest powered off", "--disk", str(root))


def test_linux_boots_by_its_own_boot_loader(isochron, tmp_path, root):
    make_linux_boot(tmp_path / "boot")
    logs = {}
    for engine in ("ref", "jit"):
        logs[engine] = tmp_path / f"{engine}.log"
        arguments = ["--boot", "disk0:console=ttyS0 root=/dev/vdb rw init=/init", "--engine", engine]
        arguments += ["--disk", str(tmp_path / "boot"), "--disk", str(root), "-o", str(logs[engine])]
        look = ["cat /proc/cmdline", UNMOUNT]
        transcript = run_script(isochron, arguments, tmp_path / "script", conversation(look), "record")
        transcript.check()
        assert "jumping to bootstrap code\nLinux/AXP bootloader for Linux 6.1" in transcript.text
        assert "Now booting the kernel" in transcript.text
        assert transcript.output(0) == ["console=ttyS0 root=/dev/vdb rw init=/init"]
    assert logs["ref"].read_bytes() == logs["jit"].read_bytes()
    assert_replays(isochron, logs["jit"], "the guest powered off")


FILES = 400  # 10,000 in scripts/soak
TREE = [
    "mkdir /mnt/a /mnt/b; (cd /mnt/a; mkdir $(seq 0 19))",
    f"i=0; while [ $i -lt {FILES} ]; do echo $i > /mnt/a/$((i % 20))/$i; i=$((i + 1)); done",
    "tar cf - -C /mnt/a . | tar xf - -C /mnt/b; sync; echo 3 >/proc/sys/vm/drop_caches",
    "for d in a b; do (cd /mnt/$d; find . -type f | sort | xargs md5sum | md5sum); done",
    "find /mnt/b -type f | wc -l",
    UNMOUNT,
]


@pytest.mark.parametrize("interface", DEVICES)
def test_a_tree_of_files_is_copied(isochron, tmp_path, root, interface):
    arguments = boot(root, interface, "jit", "commit")
    transcript = run_script(isochron, arguments, tmp_path / "script", conversation(TREE))
    transcript.check()
    contents = [(f"./{number % 20}/{number}", f"{number}\n") for number in range(FILES)]
    lines = "".join(f"{hashlib.md5(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(contents))
    expected = hashlib.md5(lines.encode()).hexdigest()
    assert [line.split()[0] for line in transcript.output(3)] == [expected] * 2
    assert transcript.output(4) == [str(FILES)]
    assert check(root) == ""


def test_throughput_is_that_of_the_table(isochron, tmp_path, root):
    read = "dd if=/dev/vda of=/dev/null bs=1M count=8"
    drop = "echo 3 >/proc/sys/vm/drop_caches"
    arguments = boot(root, "virtio", "jit")
    transcript = run_script(isochron, arguments, tmp_path / "script", conversation([drop, read, UNMOUNT]))
    transcript.check()
    seconds = float(re.search(r"copied, ([\d.]+) seconds", transcript.text)[1])
    least = (8 << 20) / 250e6
    assert least < seconds < 1.5 * least


# Writes to the disk for as long as it is let.
ENDLESS = """
expect "~ # "
send "while :; do dd if=/dev/urandom of=/mnt/r bs=65536 count=8 conv=fsync 2>/dev/null; done\\n"
expect "never" within 2000G
"""


def kill_recording(isochron, arguments, console, seconds):
    """Records, and kills that so many wall seconds behind the guest's prompt; when negative, behind the beginning."""
    with subprocess.Popen(
        [isochron, "record", *arguments, "--console", f"file:{console}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        patience = time.monotonic() + HANG
        while seconds >= 0 and not (console.exists() and b"while :" in console.read_bytes()):
            assert process.poll() is None and time.monotonic() < patience
            time.sleep(0.02)
        time.sleep(abs(seconds))
        process.kill()
        process.wait(HANG)
        return process.returncode


def test_killed_recordings_replay_and_leave_the_image_alone(isochron, tmp_path, root, request):
    before = digest(root)
    script = tmp_path / "script"
    script.write_text(ENDLESS)
    chance = random.Random(1)
    settings = [(), ("commit",), (f"overlay={tmp_path}/overlay",)]
    complete = 0
    for number in range(request.config.getoption("--kills")):
        log, console = tmp_path / f"log{number}", tmp_path / f"console{number}"
        arguments = [*boot(root, "virtio", "jit", *settings[number % 3]), "-o", str(log), "--script", str(script)]
        seconds = -chance.uniform(0.1, 1) if number % 5 == 4 else chance.uniform(0, 1)
        code = kill_recording(isochron, [*arguments, "--checkpoint-interval", "50M"], console, seconds)
        assert code == -signal.SIGKILL and digest(root) == before
        partial = pathlib.Path(f"{log}.partial")
        if not partial.exists():  # it had not begun
            assert seconds < 0
            continue
        replayed = subprocess.run(
            [isochron, "replay", str(partial), "--console", "null"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
        )  # fmt: skip
        assert replayed.returncode == 0, replayed.stderr
        complete += 1
    assert complete >= request.config.getoption("--kills") // 2


def test_parts_of_a_recording_are_replayed(isochron, tmp_path, root):
    log = tmp_path / "log"
    arguments = [*boot(root, "virtio", "jit"), "-o", str(log), "--snapshot-every", "0.3s"]
    run_script(isochron, arguments, tmp_path / "script", conversation(WRITE), "record").check()
    result = subprocess.run(
        [isochron, "replay", str(log), "--from", "0.6s", "--console", "null", "--engine", "jit"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert " events are equal" in result.stderr
