"""Fixtures of the user-level tests: guests to run on the program. What users of the driver get is in its plugin."""

import faulthandler
import os
import pathlib
import signal
import subprocess
import sys

import pytest

pytest.register_assert_rewrite("helpers")

# pylint: disable=wrong-import-position
from conformance.campaign.soak import build_locales  # noqa: E402
from conformance.tree import guest_path  # noqa: E402
from helpers.commands import write  # noqa: E402
from helpers.guests import build_kernel, own_guest  # noqa: E402
from helpers.package import pack  # noqa: E402
from helpers.recordings import CONVERSATION, record, recorded  # noqa: E402
from helpers.tree import DRIVER, HANG, ROOT  # noqa: E402

# Wall seconds for one test with its fixtures, which only a hang reaches.
WATCHDOG = 1800

# An installed isochron's stays out (pytest.ini).
pytest_plugins = ["isochron.pytest_plugin"]


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=9, help="how many recordings with a disk are killed (9)")


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


@pytest.fixture(scope="session")
def conversation_log(isochron, console_guest, tmp_path_factory):
    """A recorded conversation with the console guest; not to be changed."""
    directory = tmp_path_factory.mktemp("conversation")
    script = write(directory / "script", CONVERSATION)
    log = directory / "log"
    result = record(isochron, log, "--kernel", console_guest, "--script", script)
    assert result.stdout == b"ready\r\n[61][62][63][48][45]"
    return log


@pytest.fixture(scope="session", name="mmu")
def recorded_mmu(isochron, tmp_path_factory):
    """The log of a guest that misses TLBs, takes all kinds of exceptions and has user mode; not to be changed."""
    return recorded(isochron, own_guest(isochron, "mmu"), tmp_path_factory.mktemp("mmu"))


@pytest.fixture(scope="session", name="looked_at_kernel")
def built_looked_at(tmp_path_factory):
    """The kernel of guests/looked_at.S."""
    return build_kernel(tmp_path_factory.mktemp("looked_at") / "kernel", ["pytests/guests/looked_at.S"])


@pytest.fixture(scope="session", name="looked_at")
def recorded_looked_at(isochron, looked_at_kernel, tmp_path_factory):
    """Its log; not to be changed."""
    return recorded(isochron, looked_at_kernel, tmp_path_factory.mktemp("looked_at"))


@pytest.fixture(name="pytest_in")  # as a function it would be taken for a hook
def project_with_tests(isochron, tmp_path):
    """pytest_in(TEXT, ARGUMENT...): runs pytest on a file of tests in the test's directory."""

    def run(text, *arguments, program=None, file="test_it.py", **environment):
        (tmp_path / file).write_text(text)
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "isochron.pytest_plugin"]
            + ["--rootdir=.", f"--isochron={program or isochron}", *arguments, file],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(DRIVER), "PYTHONDONTWRITEBYTECODE": "1"}
            | environment,
            capture_output=True, text=True, timeout=HANG, check=False,
        )  # fmt: skip

    return run


@pytest.fixture(scope="module", name="scheduler")
def _two_workers():
    distributed = pytest.importorskip("distributed")
    dask = pytest.importorskip("dask")
    # Dask's own patience of half a minute is too short for a busy host.
    with dask.config.set({"distributed.comm.timeouts.connect": HANG, "distributed.comm.timeouts.tcp": HANG}):
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, processes=True
        ) as two:
            yield two.scheduler_address


@pytest.fixture(scope="module", name="python")
def _python_environment(tmp_path_factory):
    """In which python3 is the one that runs the tests, and finds the package."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "python3").symlink_to(sys.executable)
    return os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(DRIVER)}
