"""Several CPUs: Linux runs them all, and recordings are equal. scripts/soak --cpus does this at length."""

import json
import re

import pytest

from conformance.tree import guest_path
from helpers.commands import run
from helpers.linux_guest import PROMPT, boot_arguments, conversation, converse, quoted, run_script
from helpers.recordings import assert_replays

from isochron import Log

GUEST = {"kernel": "linux-smp"}
# Four programs at once, which meet at a lock and at pipes.
BUSY = "for n in 1 2 3 4; do (i=0; while [ $i -lt 300 ]; do i=$((i+1)); done; seq 1 200 | md5sum) & done; wait"
LOOK = ["nproc", "grep timer /proc/interrupts", BUSY]
LOADS = ["jobs", "groups", "futexes", "pipes", "threads", "mappings", "code", "interrupts", "share"]


@pytest.mark.parametrize("kernel, cpus", [("linux-smp", 1), ("linux-smp", 4), ("linux-6.12-smp", 3)])
def test_linux_runs_loads_on_all_cpus_and_every_engine_records_the_same(isochron, tmp_path, kernel, cpus):
    guest = boot_arguments(kernel=kernel, initrd=guest_path("smp-load") / "initrd.cpio.gz")
    logs = {}
    for engine in ("ref", "jit"):
        log = tmp_path / f"{engine}.log"
        arguments = [*guest, "--cpus", str(cpus), "--engine", engine, "-o", str(log)]
        transcript = run_script(isochron, arguments, tmp_path / "script", conversation(["nproc", "smp-load all"]), "record")
        transcript.check()
        assert transcript.output(0) == [str(cpus)]
        said = dict(re.fullmatch(r"smp-load: (\w+): ok, (.*)", line).groups() for line in transcript.output(1))
        assert list(said) == LOADS
        ticks, of_others = (list(map(int, re.findall(r"\d+", said["interrupts"].split(",")[i]))) for i in (1, 0))
        assert len(ticks) == len(of_others) == cpus and min(ticks) >= 60
        assert min(of_others) > 0 or cpus == 1
        logs[engine] = log.read_bytes()
    assert logs["ref"] == logs["jit"]
    assert_replays(isochron, tmp_path / "jit.log", "the guest powered off")
    info = run(isochron, "log", "info", str(tmp_path / "jit.log")).stdout.decode()
    assert cpus == 1 or f"{cpus}, in turns of 65536 cycles" in info


# Not all that the guest does by then: short turns take their time.
BOOTED = ["nproc", "seq 1 50 | md5sum"]


@pytest.mark.parametrize("schedule", ["random:5:500-20K", "pct:11:20:50M"])
def test_a_schedule_is_part_of_the_run_and_every_engine_records_the_same(isochron, tmp_path, schedule):
    logs = {}
    for engine in ("ref", "jit"):
        log = tmp_path / f"{engine}.log"
        arguments = [*boot_arguments(**GUEST), "--cpus", "2", "--schedule", schedule, "--engine", engine, "-o", str(log)]
        run_script(isochron, arguments, tmp_path / "script", conversation(BOOTED), "record").check()
        logs[engine] = log.read_bytes()
    assert logs["ref"] == logs["jit"]
    log = tmp_path / "jit.log"
    assert_replays(isochron, log, "the guest powered off")
    full = schedule.replace("20K", "20000").replace("50M", "50000000")
    assert re.search(rf"schedule +{full}\n", run(isochron, "log", "info", str(log)).stdout.decode())
    assert Log(log).header["schedule"] == full
    header = json.loads(run(isochron, "log", "dump", "--json", str(log)).stdout.splitlines()[0])
    assert header == Log(log).header


def test_logs_of_two_schedules_differ_in_the_header(isochron, console_guest, tmp_path):
    for seed in (1, 2):
        arguments = ["--kernel", str(console_guest), "--cpus", "2", "--schedule", f"random:{seed}", "--max-cycles", "1M"]
        run(isochron, "record", *arguments, "-o", str(tmp_path / str(seed)))
    result = run(isochron, "log", "diff", str(tmp_path / "1"), str(tmp_path / "2"))
    assert result.returncode == 3
    assert b"random:1:1-4096" in result.stdout and b"random:2:1-4096" in result.stdout


def test_a_driven_machine_has_its_schedule(machine, console_guest):
    schedule = "switches:5000:0-1,9000:1-0"
    with machine(kernel=console_guest, cpus=2, schedule=schedule).record("log") as session:
        session.expect("ready")
        session.stop()
    assert Log("log").header["schedule"] == schedule


@pytest.mark.parametrize(
    "cpus, schedule, why",
    [
        (2, "often", "'often' is no schedule: it is fixed, random:SEED[:MIN-MAX], pct:SEED:DEPTH[:LENGTH]"),
        (2, "random", "'random' is no schedule"),
        (2, "random:x", "'x' is not a number"),
        (2, "random:1:9-3", "turns of 9 to 3 cycles: they must be from 1 to 1073741824, the least first"),
        (2, "pct:1:0", "a depth is from 1 to 64, not 0"),
        (2, "pct:1:2:0", "priorities change among 1 to"),
        (2, "switches:10:0-2", "a switch from CPU 0 to CPU 2 is none of a machine of 2 CPUs"),
        (1, "random:1", "one CPU has its turn always"),
    ],
)
def test_schedules_that_there_are_not_are_refused_in_a_line(isochron, console_guest, cpus, schedule, why):
    result = run(isochron, "run", "--kernel", str(console_guest), "--cpus", str(cpus), "--schedule", schedule)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert why in result.stderr.decode()


def test_each_cpu_has_its_clock_and_the_quantum_is_part_of_the_run(isochron, tmp_path):
    outputs = []
    for quantum in ("10K", "200K"):
        transcript = converse(isochron, tmp_path, LOOK, "--cpus", "2", "--quantum", quantum, **GUEST)
        assert transcript.output(0) == ["2"]
        # What is typed ahead the terminal may echo in between.
        timer = next(line for line in transcript.output(1) if line.endswith("timer"))
        ticks = [int(count) for count in re.findall(r"\b\d+\b", timer)[1:]]
        assert len(ticks) == 2 and min(ticks) > 20
        sums = [line for line in transcript.output(2) if line.endswith("  -")]
        assert sums == 4 * ["304f7b9574921ad21a2bc72f200483d7  -"]
        outputs.append(transcript.raw)
    assert outputs[0] != outputs[1]


@pytest.mark.parametrize("cpus", [2, 4])
def test_a_replay_begins_at_snapshots_and_is_cut_there(isochron, tmp_path, cpus):
    """Snapshots of either engine, by a recording and by a replay, are the same file, and any engine goes on from them."""
    log, script = tmp_path / "log", tmp_path / "script"
    arguments = [*boot_arguments(**GUEST), "--cpus", str(cpus), "--engine", "jit", "-o", str(log), "--snapshot-every", "100M", "--checkpoint-interval", "32M"]
    run_script(isochron, arguments, script, conversation(LOOK), "record").check()
    snapshots = tmp_path / "log.snapshots"
    recorded = snapshots.read_bytes()
    whole = run(isochron, "replay", str(log), "--engine", "jit", "--console", "null")
    end = re.search(r"to its end at cycle .*", whole.stderr.decode())[0]
    for engine in ("ref", "jit"):
        for start in ("300M", "0.8s"):
            result = run(isochron, "replay", str(log), "--engine", engine, "--from", start, "--console", "null")
            assert result.returncode == 0, result.stderr.decode()
            said = result.stderr.decode()
            assert "the replay begins at the snapshot at cycle" in said and end.split(";")[0] in said, said
        result = run(isochron, "replay", str(log), "--engine", engine, "--jobs", "2")
        assert result.returncode == 0, result.stderr.decode()
        # Every event has been compared, as by a whole replay.
        assert end in result.stderr.decode() and "parts side by side" in result.stderr.decode()
    snapshots.unlink()
    result = run(isochron, "replay", str(log), "--engine", "jit", "--snapshot-every", "100M", "--console", "null")
    assert result.returncode == 0, result.stderr.decode()
    assert snapshots.read_bytes() == recorded


def test_a_replay_from_a_snapshot_goes_live(isochron, tmp_path):
    """The new log is one from power-on, which replays, and is the old one up to there."""
    log, new, script = tmp_path / "log", tmp_path / "new", tmp_path / "script"
    arguments = [*boot_arguments(**GUEST), "--cpus", "2", "--engine", "jit", "--snapshot-every", "100M", "--checkpoint-interval", "32M"]
    run_script(isochron, [*arguments, "-o", str(log)], script, conversation(["nproc"]), "record").check()
    script.write_text('send "echo 4711\\n"\nrun 20M\nstop\n')
    live = run(
        isochron, "replay", str(log), "--from", "400M", "--until", "420M", "--live", "-o", str(new), "--engine", "jit", "--script", str(script), "--console", "null"
    )  # fmt: skip
    assert live.returncode == 0 and "the replay begins at the snapshot" in live.stderr.decode(), live.stderr.decode()
    assert_replays(isochron, new, "it was stopped as asked")
    assert run(isochron, "log", "diff", str(log), str(new)).returncode == 3


def test_a_panic_is_told_whatever_cpu_has_it(isochron, tmp_path):
    """Linux stops all other CPUs, the first one, too, before it has told everything."""
    script = f'expect {quoted(PROMPT)}\nsend "taskset 2 sh -c \'echo c >/proc/sysrq-trigger\'\\n"\nexpect "never"\n'
    arguments = [*boot_arguments(**GUEST), "--cpus", "2", "--engine", "jit"]
    transcript = run_script(isochron, arguments, tmp_path / "script", script)
    assert transcript.code == 4, transcript.text
    assert "the guest panicked" in transcript.errors
    assert "end Kernel panic - not syncing: sysrq triggered crash" in transcript.text


def test_a_kernel_for_one_cpu_runs_on_the_first(isochron, tmp_path):
    transcript = converse(isochron, tmp_path, ["grep -c timer /proc/interrupts"], "--cpus", "4")
    assert transcript.output(0) == ["1"]
