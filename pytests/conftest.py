"""Fixtures of the user-level tests: guests to run on the program. What users of the driver get is in its plugin."""

import faulthandler
import os
import pathlib
import signal
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "conformance"))

from soak import build_locales  # noqa: E402  pylint: disable=wrong-import-position

# Wall seconds on a slow host under a sanitizer, which only a hang reaches: for one thing that a test waits for, be it the
# boot of Linux, and for one test with its fixtures.
HANG = 600
WATCHDOG = 1800

pytest_plugins = ["isochron.pytest_plugin", "recordings"]


def pytest_configure(config):
    """Without --isochron, the program of the release build. Programs under test stop at signals."""
    # nohup and background jobs of shells ignore some, and who is started by them does too.
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGTSTP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    if config.option.isochron is None:
        config.option.isochron = str(ROOT / "build/release/cli/isochron")


def pytest_sessionstart():
    """Keeps standard error for the watchdog: pytest takes it away while a test runs."""
    global _watchdog_output  # pylint: disable=global-statement
    _watchdog_output = os.dup(2)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol():
    """A test that hangs ends the process, with all threads' stacks: no test has to be stopped by hand."""
    faulthandler.dump_traceback_later(WATCHDOG, exit=True, file=_watchdog_output)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope="session")
def locales(tmp_path_factory):
    """A directory for LOCPATH with locales of soak.LOCALES."""
    root = tmp_path_factory.mktemp("locales")
    build_locales(root)  # from the package locales
    return root


def build_kernel(kernel, sources, *flags):
    """Makes a guest kernel of sources, which are named from the top of the tree; returns its path as a string."""
    subprocess.run(
        ["alpha-linux-gnu-gcc", "-mcpu=ev67", f"-I{ROOT}", *flags, "-nostdlib", "-static", "-no-pie"]
        + ["-Wl,--no-relax", "-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments"]
        + ["-T", f"{ROOT}/conformance/guests/guest.ld", "-o", str(kernel)]
        + [str(ROOT / source) for source in sources],
        check=True,
    )
    return str(kernel)


def assemble_console_guest(directory, edits):
    """Path of the kernel of guests/console.S, in which each text of `edits` is replaced by another one."""
    text = (ROOT / "pytests/guests/console.S").read_text()
    for before, after in edits:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    (directory / "console.S").write_text(text)
    return build_kernel(directory / "console.elf", [directory / "console.S"])


@pytest.fixture(scope="session")
def console_guest(tmp_path_factory):
    """Path of the kernel of guests/console.S."""
    return build_kernel(tmp_path_factory.mktemp("guests") / "console.elf", ["pytests/guests/console.S"])


@pytest.fixture(scope="session")
def serial_guest(tmp_path_factory):
    """Path of the kernel of guests/serial.S."""
    return build_kernel(tmp_path_factory.mktemp("guests") / "serial.elf", ["pytests/guests/serial.S"])


@pytest.fixture(scope="session")
def flood_guest(tmp_path_factory):
    """Path of the kernel of guests/flood.S, which has PALcode in it."""
    kernel = tmp_path_factory.mktemp("guests") / "flood.elf"
    return build_kernel(kernel, ["pytests/guests/flood.S"], "-Wa,-m21264")


def guest_path(name):
    """Directory of a guest that scripts/build-guests has built."""
    found = subprocess.run(
        [str(ROOT / "scripts/build-guests"), "--path", name],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return pathlib.Path(found.stdout.strip())


@pytest.fixture(scope="session")
def guest():
    """guest(NAME): directory of a guest, as this tree makes it."""
    return guest_path


@pytest.fixture(scope="session")
def linux_guest():
    """Arguments that boot Linux 6.1 with the BusyBox initrd."""
    kernel = guest_path("linux") / "vmlinux"
    initrd = guest_path("initrd") / "initrd.cpio.gz"
    return ["--kernel", str(kernel), "--initrd", str(initrd), "--append", "console=ttyS0"]


@pytest.fixture(scope="session")
def build(isochron):
    """The build that the program is of."""
    return pathlib.Path(isochron).resolve().parent.parent


@pytest.fixture(scope="session")
def generated(build):
    """Where the build puts manual pages and completions."""
    return build / "generated"


def pack(build, directory):
    """Makes the Debian package of a build in a directory, and returns its path."""
    subprocess.run(
        ["cpack", "-G", "DEB", "-B", str(directory)],
        cwd=build, umask=0o022, stdout=subprocess.DEVNULL, timeout=HANG, check=True,
    )  # fmt: skip
    [archive] = directory.glob("*.deb")
    return archive


@pytest.fixture(scope="session")
def archive(build, tmp_path_factory):
    """Path of the Debian package."""
    return pack(build, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def package(archive, tmp_path_factory):
    """What the Debian package puts below /."""
    root = tmp_path_factory.mktemp("package")
    subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], timeout=HANG, check=True)
    return root
