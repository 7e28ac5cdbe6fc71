"""Runs Linux guests through scripts and reads what they printed."""

import gzip
import pathlib
import re
import subprocess

from conformance.tree import guest_path
from conformance.witness.guest_archive import Archive
from helpers.tree import HANG, ROOT

PROMPT = "~ # "
TROUBLE = re.compile(r"WARNING|BUG|Oops|Unable to handle|Kernel bug|Call Trace|panic")


def boot_arguments(kernel="linux", image="vmlinux", append="console=ttyS0", initrd=None):
    """Options that boot a guest of scripts/build-guests with the BusyBox initrd, or one of initrd_with()."""
    initrd = initrd or guest_path("initrd") / "initrd.cpio.gz"
    return ["--kernel", str(guest_path(kernel) / image), "--initrd", str(initrd), "--append", append]


def program(name):
    """A test program of the initrd, which qemu-alpha runs on the host."""
    return guest_path("initrd") / "programs" / name


def initrd_with(directory, source):
    """Path of the BusyBox initrd with one program more, a C file below pytests/, in the guest's /bin."""
    name = pathlib.Path(source).stem
    program_path = directory / name
    subprocess.run(
        ["alpha-linux-gnu-gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-mcpu=ev67"]
        + ["-static", "-Wl,--no-relax", "-o", str(program_path), str(ROOT / "pytests" / source)],
        check=True,
    )
    # The kernel unpacks archives one behind the other.
    archive = Archive()
    archive.file(f"bin/{name}", program_path.read_bytes())
    path = directory / "initrd.cpio.gz"
    path.write_bytes((guest_path("initrd") / "initrd.cpio.gz").read_bytes() + gzip.compress(archive.finish(), mtime=0))
    return path


def quoted(text):
    """A text of the control language."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}
    return '"' + "".join(escapes.get(char, char) for char in text) + '"'


def typed(command, number):
    """A command between two marks that its echo on the console does not contain."""
    return f"echo '<'{number}; {command}\necho $?'>'{number}\n"


def conversation(commands, power_off=True):
    """A script that boots, gives commands to the shell one after the other, and powers off."""
    lines = [f"expect {quoted(PROMPT)}"]
    for number, command in enumerate(commands):
        lines.append(f"send {quoted(typed(command, number))}")
        lines.append(f"expect {quoted(f'>{number}')} within 2000G")
        lines.append(f"expect {quoted(PROMPT)}")
    if power_off:
        lines.append('send "poweroff -f\\n"')
    return "\n".join(lines) + "\n"


class Transcript:
    """What a run wrote to the console and how it ended."""

    def __init__(self, result):
        self.code = result.returncode
        self.errors = result.stderr.decode()
        self.raw = result.stdout
        self.text = result.stdout.decode(errors="replace").replace("\r", "")

    def output(self, number):
        """Lines that a command of the conversation printed; it must have ended with status 0."""
        found = re.search(
            rf"^<{number}\n(.*?)^~ # echo \$\?'>'{number}\n(\d+)>{number}\n", self.text, re.S | re.M
        )
        assert found, self.text[-3000:]
        assert found[2] == "0", found[1][-3000:]
        return found[1].splitlines()

    def check(self):
        """The guest powered off and its kernel complained about nothing."""
        assert self.code == 0, self.errors + self.text[-3000:]
        assert "reboot: Power down" in self.text
        assert not TROUBLE.search(self.text), self.text

    def printk_times(self):
        return [float(time) for time in re.findall(r"^\[ *(\d+\.\d{6})\]", self.text, re.M)]


def run_script(isochron, arguments, script_file, script, command="run", **options):
    """A scripted run of a guest, or another command."""
    script_file.write_text(script)
    return Transcript(
        subprocess.run(
            [isochron, command, *arguments, "--script", str(script_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=HANG,
            check=False,
            **options,
        )
    )


def converse(isochron, tmp_path, commands, *arguments, how="run", **guest):
    """Boots a guest, gives it commands, powers it off, and checks that all went well. `how`: a command of the program."""
    transcript = run_script(
        isochron,
        [*boot_arguments(**guest), *arguments],
        tmp_path / "script",
        conversation(commands),
        how,
    )
    transcript.check()
    return transcript
