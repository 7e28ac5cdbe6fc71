"""`isochron hunt --dask`: the schedules of a hunt on a Dask cluster."""

import pytest

from helpers.commands import assert_refused, run


# Of Debian's distributed itself.
pytestmark = pytest.mark.filterwarnings("ignore:make_current is deprecated:DeprecationWarning")


@pytest.fixture(name="hunt", scope="module")
def _hunt(isochron, build):
    """Hunts for a use after free with these seeds and options; --part comes first, as its own client gives it."""

    def hunt(output, seeds, *options, part=(), **how):
        command = ["hunt", *part, "--seeds", seeds, "--schedule", "pct:3", "--fail", "expect /BUG: .*/", "--within", "20M"]
        guest = ["--kernel", str(build / "guests" / "races.elf"), "--cpus", "2", "--memory", "16M", "--append", "u"]
        return run(isochron, *command, "-o", str(output), "--no-explain", *options, "--", *guest, **how)

    return hunt


@pytest.fixture(name="failing", scope="module")
def _failing(hunt, tmp_path_factory):
    """A folder of verdicts, of which the last is the first that fails."""
    folder = tmp_path_factory.mktemp("hunt") / "one"
    assert hunt(folder, "880-1000").returncode == 3
    return folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("options", [(), ("--all",)], ids=["first", "all"])
def test_a_cluster_comes_to_what_one_machine_does(hunt, scheduler, python, tmp_path, options):
    alone = hunt(tmp_path / "alone", "880-960", *options)
    shared = hunt(tmp_path / "shared", "880-960", *options, "--dask", scheduler, env=python)
    assert alone.returncode == shared.returncode == 3, shared.stderr.decode()
    assert shared.stdout.decode().replace("shared", "alone") == alone.stdout.decode()
    assert contents(tmp_path / "shared") == contents(tmp_path / "alone")


def test_parts_are_of_what_is_not_known(hunt, failing, tmp_path):
    verdicts = (failing / "verdicts").read_bytes().splitlines(keepends=True)
    (tmp_path / "verdicts").write_bytes(b"".join(verdicts[:11]))
    parts = hunt(tmp_path, "880-1000", part=("--part", "list")).stdout.decode().split()
    assert parts[0] == "890-905" and parts[-1].endswith("-1000")
    ends = [tuple(map(int, part.split("-"))) for part in parts]
    assert all(last + 1 == first for (_, last), (first, _) in zip(ends, ends[1:]))
    assert hunt(failing, "880-1000", part=("--part", "list")).stdout == b""


def test_a_part_ends_behind_the_first_that_fails(hunt, failing, tmp_path):
    verdicts = (failing / "verdicts").read_bytes().splitlines(keepends=True)
    last = int(verdicts[-1].split()[0])
    part = hunt(tmp_path / "none", "880-1000", part=("--part", f"{last - 3}-1000"))
    assert (part.returncode, part.stdout) == (3, b"".join([verdicts[0], *verdicts[-4:]]))
    assert not (tmp_path / "none").exists()
    assert_refused(hunt(tmp_path / "none", "880-1000", part=("--part", "879-900")), "not of these seeds")


def test_what_parts_wrote_is_joined_as_far_as_it_goes(hunt, failing, tmp_path):
    header, *verdicts = (failing / "verdicts").read_bytes().splitlines(keepends=True)
    join = {"part": ("--part", "join"), "stdin": None}
    some = hunt(tmp_path, "880-1000", input=header + b"".join(verdicts[:4]) + header + b"".join(verdicts[4:9]), **join)
    assert (some.returncode, some.stdout) == (0, b"")
    assert (tmp_path / "verdicts").read_bytes() == header + b"".join(verdicts[:9])
    for wrong in (verdicts[8], verdicts[10], b"889 passes 1\n", b"889 maybe 1 2\n"):
        refused = hunt(tmp_path, "880-1000", input=header + wrong, **join)
        assert (refused.returncode, refused.stdout) == (2, b"")
        assert refused.stderr.endswith(b"standard input, line 2: is not the verdict on seed 889\n")
    for other in (verdicts[9], header.replace(b"pct", b"random") + verdicts[9]):
        refused = hunt(tmp_path, "880-1000", input=other, **join)
        assert (refused.returncode, refused.stdout) == (2, b"")
        assert b"standard input, line 1: is of another hunt" in refused.stderr
    rest = hunt(tmp_path, "880-1000", input=header + b"".join(verdicts[9:]) + b"what is behind a failure is not read\n", **join)
    assert rest.returncode == 3
    assert contents(tmp_path) == contents(failing)


def test_parts_have_no_jobs(hunt, tmp_path):
    for how in (("--dask", "h:1"), ("--part", "list")):
        assert_refused(hunt(tmp_path / "none", "1", "--jobs", "2", part=how), "do not go together")
    assert not (tmp_path / "none").exists()


def test_workers_need_the_files_of_the_guest(isochron, tmp_path):
    """As they need a log: who does not see them is left out (test_cluster.py)."""
    (tmp_path / "python3").write_text('#!/bin/sh\nshift 3\nprintf "%s\\n" "$@"\n')
    (tmp_path / "python3").chmod(0o755)
    command = ["hunt", "--schedule", "random", "--fail", "expect x", "--within", "1M", "-o", "out", "--dask", "h:1", "--"]
    guest = ["--kernel", "k", "--initrd", "i", "--script", "s", "--disk", "d", "--cdrom", "c", "--cpus", "2"]
    told = run(isochron, *command, *guest, env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    wanted, scheduler, _, count, *rest = told.stdout.decode().split()
    assert (wanted, scheduler, count) == ("up-to", "h:1", "5"), told.stderr.decode()
    assert sorted(rest[:5]) == ["c", "d", "i", "k", "s"] and rest[5] == "hunt" and rest[-len(guest) :] == guest
