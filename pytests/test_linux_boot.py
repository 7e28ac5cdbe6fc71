"""Linux boots to a shell and powers off, tells the truth about its machine, and does so every time alike."""

import concurrent.futures
import os
import re
import subprocess
import sys

import pytest

from conformance.tree import guest_path
from helpers.linux_guest import boot_arguments, conversation, converse, run_script
from isochron import engines

CYCLES_PER_SECOND = 600_000_000

KERNELS = {"linux": 128, "linux-hz1024": 1024, "linux-poll": 128, "linux-6.12": 128}


def fields(lines):
    """The `name : value` lines of /proc/cpuinfo."""
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("memory", ["64M", "1G", "3G"])
def test_boots(isochron, tmp_path, kernel, memory, engine):
    arguments = ["--memory", memory, "--engine", engine]
    transcript = converse(
        isochron, tmp_path, ["uname -a", "cat /proc/meminfo"], *arguments, kernel=kernel
    )
    version = "6.12" if kernel == "linux-6.12" else "6.1"
    assert re.fullmatch(
        rf"Linux isochron {version}\.\d+ #1 .* alpha GNU/Linux", transcript.output(0)[0]
    )
    total = int(fields(transcript.output(1))["MemTotal"].split()[0]) << 10
    size = int(memory[:-1]) << {"M": 20, "G": 30}[memory[-1]]
    assert size - total < (48 << 20) + size // 64 and total < size


@pytest.mark.parametrize("entries", ["16", "128", "1024"])
def test_boots_with_tlb_entries(isochron, tmp_path, entries, engine):
    arguments = ["--tlb-entries", entries, "--engine", engine]
    converse(isochron, tmp_path, ["ls -lR /sys >/dev/null"], *arguments)


def test_fewer_tlb_entries_miss_more_often(isochron, tmp_path):
    misses = []
    for entries in ("16", "1024"):
        transcript = converse(isochron, tmp_path, ["true"], "--tlb-entries", entries, "--stats")
        misses.append(int(re.search(r"DTB misses +(\d+)", transcript.errors)[1]))
    assert misses[0] > 1.1 * misses[1]


@pytest.mark.parametrize("kernel", KERNELS)
def test_boots_a_compressed_kernel(isochron, tmp_path, kernel):
    plain = converse(isochron, tmp_path, ["uname -a"], kernel=kernel)
    compressed = converse(isochron, tmp_path, ["uname -a"], kernel=kernel, image="vmlinuz")
    assert compressed.raw == plain.raw


@pytest.mark.parametrize("kernel, hz", KERNELS.items())
def test_cpuinfo(isochron, tmp_path, kernel, hz):
    info = fields(converse(isochron, tmp_path, ["cat /proc/cpuinfo"], kernel=kernel).output(0))
    assert info["cpu"] == "Alpha"
    assert info["cpu model"] == "EV67"
    assert info["system type"] == "Tsunami"
    assert info["system variation"] == "Clipper"
    assert info["cycle frequency [Hz]"].startswith(str(CYCLES_PER_SECOND))
    assert float(info["timer frequency [Hz]"]) == pytest.approx(hz, rel=0.001)
    assert info["page size [bytes]"] == "8192"
    assert info["cpus detected"] == "1"
    # An instruction of the calibration loop is one cycle, and there are two of them.
    assert float(info["BogoMIPS"]) == pytest.approx(2 * CYCLES_PER_SECOND / 1e6, rel=0.05)


@pytest.mark.parametrize("kernel", KERNELS)
def test_guest_time(isochron, tmp_path, kernel):
    commands = [
        "date -u '+%F %T %s'",
        "cat /proc/uptime",
        "sleep 60",
        "cat /proc/uptime",
        "date -u +%s",
        "hwclock -u",
    ]
    transcript = converse(
        isochron, tmp_path, commands, "--rtc", "2003-02-28T23:59:50", "--stats", kernel=kernel
    )
    day, time, start = transcript.output(0)[0].split()
    assert day == "2003-02-28" and "23:59:50" <= time <= "23:59:55"
    uptime = [float(transcript.output(number)[0].split()[0]) for number in (1, 3)]
    end = int(transcript.output(4)[0])
    assert uptime[1] - uptime[0] == pytest.approx(60, abs=0.1)
    assert end - int(start) == pytest.approx(60, abs=1)
    # The clock that keeps the date through a power-off agrees with the one that counts interrupts.
    hardware = re.fullmatch(r"Sat Mar +1 (\d\d):(\d\d):(\d\d) 2003 .*", transcript.output(5)[0])
    hours, minutes, seconds = (int(part) for part in hardware.groups())
    midnight = 1_046_476_800  # 2003-03-01T00:00:00Z
    assert midnight + 3600 * hours + 60 * minutes + seconds == pytest.approx(end, abs=1)
    # And both with the cycle counter.
    cycles = int(re.search(r"^cycles +(\d+)", transcript.errors, re.M)[1])
    assert cycles / CYCLES_PER_SECOND == pytest.approx(uptime[1], abs=1)


def test_the_kernel_with_dwarf_is_the_default_one(tmp_path):
    """What is loaded is the same to the byte, and the DWARF names sources where Debian's package has them."""
    loaded = []
    for name in ("linux", "linux-debug"):
        kernel = guest_path(name) / "vmlinux"
        subprocess.run(["alpha-linux-gnu-objcopy", "-O", "binary", kernel, tmp_path / name], check=True)
        loaded.append((tmp_path / name).read_bytes())
    assert loaded[0] == loaded[1] and len(loaded[0]) > 1 << 20
    symbols = subprocess.run(["alpha-linux-gnu-nm", kernel], stdout=subprocess.PIPE, text=True, check=True).stdout
    address = re.search(r"^(\w+) T panic$", symbols, re.M)[1]
    place = subprocess.run(
        ["alpha-linux-gnu-addr2line", "-e", kernel, address], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    assert re.fullmatch(r"/usr/src/linux-source-6\.1/kernel/panic\.c:\d+\n", place)


@pytest.mark.parametrize("kernel, source", [("linux", "jiffies"), ("linux-poll", "rpcc")])
def test_the_source_of_guest_time_is_that_of_the_guests_page(isochron, tmp_path, kernel, source):
    """conformance/guests/linux/README.md, "Time": a kernel that waits by WTINT has no clock but its interrupts."""
    place = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
    transcript = converse(isochron, tmp_path, [f"cat {place}"], kernel=kernel)
    assert transcript.output(0) == [source]


def test_printk_times_never_go_back(isochron, tmp_path):
    times = converse(isochron, tmp_path, ["true"]).printk_times()
    assert len(times) > 50 and times[0] == 0 and times == sorted(times)
    assert 0 < times[-1] < 10


# What a guest can do differently: processes, timers, floating point, interrupts, and everything that the kernel counts.
BUSY = [
    "uname -a; date",
    "for i in 1 2 3 4 5 6 7 8; do (sleep 0.0$i; echo $i $$) & done; wait",
    "awk 'BEGIN { for (i = 1; i < 1000; ++i) s += sin(i) / i; print s }'; ps",
    "cat /proc/interrupts /proc/stat /proc/uptime /proc/loadavg; dmesg | tail -3",
]


@pytest.fixture
def busy_host():
    """Processes that compete for the host's CPUs."""
    processes = [
        # They do not outlive the tests, however those end.
        subprocess.Popen(["setpriv", "--pdeathsig", "KILL", sys.executable, "-c", "while True: pass"])
        for _ in os.sched_getaffinity(0)
    ]
    yield
    for process in processes:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("busy_host")
def test_ten_runs_are_equal_to_the_byte(isochron, tmp_path):
    environments = [
        {},
        {"TZ": "Asia/Tokyo", "LANG": "de_DE.UTF-8"},
        {"PATH": "/", "HOME": "/nonexistent", "TERM": "dumb", "COLUMNS": "17"},
        {f"VARIABLE_{i}": "x" * 1000 for i in range(100)},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"},
    ]
    arguments = [*boot_arguments(), "--seed", "7", "--stats"]
    built = engines(isochron)
    script = conversation(BUSY)

    def run(number):
        directory = tmp_path / ("d" * (1 + 20 * number))
        directory.mkdir()
        return run_script(
            isochron,
            [*arguments, "--engine", built[number % len(built)]],
            directory / "script",
            script,
            cwd=directory,
            env=environments[number % len(environments)],
        )

    # Two at a time: they disturb one another as well.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        transcripts = list(pool.map(run, range(10)))
    for transcript in transcripts:
        transcript.check()
    assert len({transcript.raw for transcript in transcripts}) == 1
    assert len(transcripts[0].printk_times()) > 50
    # The counts agree as well, all but those of wall time; what is skipped and translated is an engine's own.
    counts = {
        (
            number % len(built),
            re.sub(
                r"^(wall seconds|million instructions/s|translating \(ms\)) .*\n", "", transcript.errors, flags=re.M
            ),
        )
        for number, transcript in enumerate(transcripts)
    }
    assert len(counts) == len(built), counts
    guest = {tuple(re.findall(r"^(?:instructions|cycles|.TB misses|exceptions|interrupts|PAL calls) .*", text, re.M))
             for _, text in counts}  # fmt: skip
    assert len(guest) == 1, guest
