"""`isochron query --dask` and `isochron replay --dask`: the parts of a recording on a Dask cluster."""

import os
import subprocess

import pytest

from helpers.commands import assert_refused, run
from helpers.guests import own_guest
from helpers.recordings import record, replay, rewritten
from helpers.tree import DRIVER, HANG
from isochron import cluster

EVERY = ["--console", "null", "--checkpoint-interval", "1M", "--snapshot-every", "8M"]
OFTEN = ["--console", "null", "--input-interval", "10000", "--checkpoint-interval", "100000", "--snapshot-every", "100000"]


# Of Debian's distributed itself.
pytestmark = pytest.mark.filterwarnings("ignore:make_current is deprecated:DeprecationWarning")


@pytest.fixture(scope="module", name="log")
def its_log(isochron, tmp_path_factory):
    path = tmp_path_factory.mktemp("cluster") / "log"
    record(isochron, path, "--kernel", own_guest(isochron, "mmu"), *EVERY)
    return path


@pytest.fixture(scope="module", name="small")
def its_small_log(isochron, looked_at_kernel, tmp_path_factory):
    path = tmp_path_factory.mktemp("cluster") / "log"
    record(isochron, path, "--kernel", looked_at_kernel, *OFTEN)
    return path


def parts_of(isochron, *command):
    listing = run(isochron, *command, "--part", "list")
    assert listing.returncode == 0, listing.stderr.decode()
    return listing.stdout.decode().split()


def join(isochron, *command, text):
    return run(isochron, *command, "--part", "join", input=text, stdin=None)


QUESTIONS = [
    ["tlb-misses"],
    ["exceptions", "--json"],
    ["writes", "pa:0x10000:0x1000", "--from", "2M", "--to", "25M"],
    ["executions", "guest_main"],
    ["last-write", "pa:0x10180", "--before", "20M"],
    ["last-write", "0x40000040:64"],
]
OF_THE_SMALL_ONE = [["interrupts"], ["syscalls"], ["switches"], ["reads", "total"], ["executions", "add_up+8"]]


@pytest.mark.parametrize(
    "which, question",
    [("log", question) for question in QUESTIONS] + [("small", question) for question in OF_THE_SMALL_ONE],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_parts_write_is_joined_to_the_answer(isochron, request, which, question):
    command = ["query", str(request.getfixturevalue(which)), *question]
    parts = parts_of(isochron, *command)
    assert (len(parts) > 2) == (question != ["executions", "guest_main"])
    written = [run(isochron, *command, "--part", part) for part in parts]
    assert {(part.returncode, part.stderr) for part in written} == {(0, b"")}
    whole = run(isochron, *command)
    assert whole.stdout.count(b"\n") > (0 if "--json" in question else 1)
    joined = join(isochron, *command, text=b"".join(part.stdout for part in written))
    assert (joined.returncode, joined.stdout, joined.stderr) == (0, whole.stdout, b"")


@pytest.mark.parametrize(
    "text, said",
    [
        (b"1 0 2\n", "line 1: is nothing that this question sees"),
        (b"1 7 1 2 3 4\n", "line 1: is nothing that this question sees"),
        (b"1 0 1 2 3 4\n1 0 x\n", "line 2: is no list of numbers"),
        (b"1 0 1 2 3 99999999999999999999\n", "line 1: is no list"),
        (b"1 -1 1 2 3 4\n", "line 1: is no list"),
        (b"\n", "line 1: is no list"),
        (b"1 0 1 2 3 4", "ends within a line"),
    ],
)
def test_what_no_part_writes_is_refused(isochron, log, text, said):
    result = join(isochron, "query", str(log), "tlb-misses", text=text)
    assert result.returncode == 2 and said in result.stderr.decode()
    assert result.stderr.count(b"\n") == 1


def test_refusals(isochron, log, tmp_path):
    query, verify = ["query", str(log), "syscalls"], ["replay", str(log)]
    for command in (query, verify):
        assert_refused(run(isochron, *command, "--jobs", "2", "--dask", "h:1"), "do not go together")
        for part in ("3-2", "x", "1-", "-1", "1-18446744073709551616"):
            assert_refused(run(isochron, *command, f"--part={part}"), "a part is list, join or FROM-TO")
    assert_refused(run(isochron, "query", "-", "syscalls", "--part", "list"), "must be a file then")
    assert_refused(run(isochron, "query", str(log), "writes", "--dask", "h:1"), "writes needs ADDRESS")
    assert_refused(run(isochron, *verify, "--part", "17-18"), "no snapshot at cycle 17 to begin at")
    assert_refused(run(isochron, *verify, "--dask", "h:1", "--live"), "--dask and --live do not go together")
    assert_refused(join(isochron, *verify, text=b"x\n"), "line 1: is no number of events")
    nowhere = os.environ | {"PATH": str(tmp_path)}
    assert_refused(run(isochron, *query, "--dask", "h:1", env=nowhere), "--dask needs python3")


def test_parts_of_a_replay_without_the_last_are_no_replay(isochron, log):
    verify = ["replay", str(log)]
    written = [run(isochron, *verify, "--part", part).stdout for part in parts_of(isochron, *verify)]
    for text in (b"", b"".join(written[:-1])):
        assert_refused(join(isochron, *verify, text=text), "what the last part writes is not there")
    whole = join(isochron, *verify, text=b"".join(written))
    assert whole.returncode == 0 and b"parts side by side" in whole.stderr


def test_python_finds_the_package_and_nothing_of_the_working_directory(isochron, log, python, tmp_path):
    command = ["query", str(log), "syscalls", "--dask", "h:1"]
    for module in ("isochron", "distributed", "subprocess", "contextlib"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit(99)")
    (tmp_path / "package" / "distributed").mkdir(parents=True)
    (tmp_path / "package" / "distributed" / "__init__.py").write_text("raise ImportError")
    elsewhere = python | {"PYTHONPATH": f"{tmp_path / 'package'}:{DRIVER}"}
    assert_refused(run(isochron, *command, env=elsewhere, cwd=tmp_path), "needs the Python package distributed")
    for paths in ({"PYTHONPATH": ""}, {"PYTHONPATH": str(tmp_path / "package")}):
        refused = run(isochron, *command, env=python | paths, cwd=tmp_path)
        assert_refused(refused, "--dask needs the Python package isochron")


def test_a_cluster_gives_the_same_answers(isochron, log, scheduler, python):
    for question in QUESTIONS[1:]:
        command = ["query", str(log), *question]
        whole = run(isochron, *command)
        result = run(isochron, *command, "--dask", scheduler, env=python)
        assert (result.returncode, result.stdout, result.stderr) == (0, whole.stdout, b"")
    # From the folder that the log is in.
    result = run(isochron, "query", log.name, *question, "--dask", scheduler, env=python, cwd=log.parent)
    assert (result.returncode, result.stdout, result.stderr) == (0, whole.stdout, b"")


def test_a_cluster_verifies_as_one_machine_does(isochron, log, scheduler, python, tmp_path):
    whole = replay(isochron, log)
    result = replay(isochron, log, "--dask", scheduler, env=python)
    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr.startswith(whole.stderr.rstrip()) and b"parts side by side" in result.stderr

    # The state at the end is another one.
    other = tmp_path / "other"
    rewritten(other, log, lambda contents: contents[:-1] + [contents[-1][:-1] + bytes([contents[-1][-1] ^ 1])])
    for suffix in (".images", ".snapshots"):
        (tmp_path / f"other{suffix}").write_bytes(log.with_name(f"log{suffix}").read_bytes())
    command = ["query", str(other), "tlb-misses"]
    for ask, how in ((["replay", str(other)], ["--jobs", "1"]), (command, [])):
        alone = run(isochron, *ask, *how)
        result = run(isochron, *ask, "--dask", scheduler, env=python)
        assert alone.returncode == 3
        assert (result.returncode, result.stdout, result.stderr) == (3, alone.stdout, alone.stderr)


class FakeCluster:
    """One that knows what becomes of each part."""

    def __init__(self, outcomes):
        self.outcomes = outcomes

    def width(self):
        return len(self.outcomes)

    def submit(self, command, *_where):
        return command[command.index("--part") + 1]

    def result(self, part, _seconds):
        return self.outcomes[part]

    def cancel(self, futures):
        pass


@pytest.mark.parametrize(
    "wanted, code, joined",
    [
        (cluster.FIRST, 0, "written\n"),  # the part behind it is nobody's business
        (cluster.UP_TO, 3, "written\nand more\n"),
        (cluster.ALL, 3, None),
    ],
)
def test_a_part_that_fails_matters_where_it_is_wanted(tmp_path, capfd, wanted, code, joined):
    """Whatever the order in which parts are done, and however late the program that joins them sees what they wrote."""
    program = tmp_path / "join"
    program.write_text("#!/bin/sh\nsleep 0.2\ntext=$(cat; echo .)\nprintf %s \"${text%.}\"\n")
    program.chmod(0o755)
    outcomes = {
        "3-4": cluster.Done("w"),
        "2-3": cluster.Done("w", output=b"written\n"),
        "1-2": cluster.Done("w", code=3, output=b"and more\n", errors=b"left its log\n"),
        "0-1": cluster.Done("w", output=b"never joined\n"),
    }
    assert cluster.Work(FakeCluster(outcomes), wanted, str(program), ["query", "log"], ["log"]).run(list(outcomes)) == code
    written, said = capfd.readouterr()
    assert written == (joined or "")
    assert said == ("" if code == 0 else "left its log\n")


def on_workers(scheduler, function, count):
    """Runs a function on so many workers; their addresses."""
    import distributed

    with distributed.Client(scheduler, timeout=HANG, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=HANG)
        workers = list(client.scheduler_info(n_workers=-1)["workers"])[:count]
        client.run(function, workers=workers)
    return workers


def test_a_worker_that_dies_is_made_up_for(isochron, log, scheduler, python):
    def die_at_the_next_part():
        import os
        import subprocess

        subprocess.run = lambda *_, **__: os._exit(1)

    on_workers(scheduler, die_at_the_next_part, 1)
    command = ["query", str(log), "tlb-misses"]
    result = run(isochron, *command, "--dask", scheduler, env=python)
    assert (result.returncode, result.stdout) == (0, run(isochron, *command).stdout)


def test_a_worker_that_does_not_see_the_log_is_told_of(isochron, log, scheduler, python):
    def see_nothing():
        import os

        os.seen = os.access
        os.access = lambda path, *_: str(path).startswith("/proc/")  # which Dask itself looks at

    def see_again():
        import os

        os.access = getattr(os, "seen", os.access)

    command = ["query", str(log), "tlb-misses"]
    whole = run(isochron, *command)
    try:
        [blind] = on_workers(scheduler, see_nothing, 1)
        result = run(isochron, *command, "--dask", scheduler, env=python)
        assert (result.returncode, result.stdout) == (0, whole.stdout)
        assert result.stderr.decode() == f"isochron: the worker {blind} does not see {log}; it is left out\n"
        on_workers(scheduler, see_nothing, 2)
        result = run(isochron, *command, "--dask", scheduler, env=python)
        assert result.returncode == 2
        *left_out, last = result.stderr.decode().splitlines()
        assert len(left_out) == 2 and last == "isochron: no worker of the Dask cluster sees the files"
    finally:
        on_workers(scheduler, see_again, 2)


def test_a_scheduler_that_is_not_there_is_bad_input(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with pytest.raises(cluster.Failure) as caught:
        cluster.Cluster("127.0.0.1:1")
    assert caught.value.code == 2 and "no Dask scheduler answers at 127.0.0.1:1" in str(caught.value)


def test_a_host_without_dask_is_told_of(isochron, log, python, tmp_path):
    (tmp_path / "distributed.py").write_text("raise ImportError")
    paths = python | {"PYTHONPATH": f"{tmp_path}:{python['PYTHONPATH']}"}
    result = subprocess.run(
        [isochron, "query", str(log), "syscalls", "--dask", "h:1"], env=paths, capture_output=True, check=False
    )
    assert result.returncode == 2 and b"needs the Python package distributed" in result.stderr
