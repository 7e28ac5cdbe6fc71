"""Campaigns of random sequences, as a user starts them."""

import pathlib
import re
import subprocess

import pytest

from helpers.tree import HANG, ROOT


@pytest.fixture
def program(isochron):
    path = pathlib.Path(isochron).resolve().parent.parent / "conformance/random_sequences"
    if not path.exists():
        pytest.skip(f"{path} is not built")
    return str(path)


def campaign(program, output, *arguments):
    command = [str(ROOT / "scripts/campaign"), "--program", program, "--engines", "ref,ref", "--output", str(output)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=HANG, check=False)


def test_verdicts_do_not_depend_on_who_finds_them(program, tmp_path):
    for name, arguments in {"one": ["--jobs", "1"], "many": ["--jobs", "3", "--batch", "2"]}.items():
        done = campaign(program, tmp_path / name, "--seeds", "5-14", *arguments)
        assert done.returncode == 0, done.stderr
    verdicts = (tmp_path / "one/verdicts").read_text()
    assert verdicts == (tmp_path / "many/verdicts").read_text()
    assert [line.split()[1] for line in verdicts.splitlines()] == [str(seed) for seed in range(5, 15)]


def test_a_campaign_may_be_of_whole_boards(program, tmp_path):
    kinds = {"sequences": [], "boards": ["--board"], "cpus": ["--cpus"]}
    for name, arguments in kinds.items():
        done = campaign(program, tmp_path / name, "--seeds", "5-7", *arguments)
        assert done.returncode == 0, done.stderr
    assert len({(tmp_path / name / "verdicts").read_text() for name in kinds}) == len(kinds)


def test_an_interrupted_campaign_goes_on(program, tmp_path):
    assert campaign(program, tmp_path, "--seeds", "1-6", "--batch", "2").returncode == 0
    verdicts = (tmp_path / "verdicts").read_text()
    batches = sorted(tmp_path.glob("batches-*/*.json"))
    assert len(batches) == 3
    kept = batches[0].stat().st_mtime_ns
    batches[1].unlink()
    done = campaign(program, tmp_path, "--seeds", "1-6", "--batch", "2")
    assert done.returncode == 0 and "1 of 1 batches" in done.stderr
    assert (tmp_path / "verdicts").read_text() == verdicts
    assert batches[0].stat().st_mtime_ns == kept


def test_a_program_that_fails_is_reported(tmp_path):
    done = campaign("/bin/false", tmp_path, "--seeds", "1-2")
    assert done.returncode == 1 and "batches failed" in done.stderr


@pytest.mark.parametrize("arguments", [["--seeds", "9-1"], ["--seeds", "x"], ["--seeds", "1-2", "--batch", "0"]])
def test_bad_arguments_are_refused(program, tmp_path, arguments):
    assert campaign(program, tmp_path, *arguments).returncode == 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--seeds", "1-5x"], "'1-5x' is not A-B"),
        (["--seeds", "1 - 5"], "'1 - 5' is not A-B"),
        (["--seeds", "18446744073709551615", "--list"], "'18446744073709551615' is not A-B"),
        (["--seeds", "5-1"], "'5-1' is not A-B"),
        (["--seeds=-3"], "'-3' is not A-B"),
        (["--seeds", "1-2", "--jobs", "0"], "--jobs"),
        (["--seeds", "1-2", "--verdicts", "no/such/directory/v"], "no/such/directory/v: cannot be written"),
        (["--seeds", "1-2", "--emit-user", "no/such/directory/v"], "no/such/directory/v: cannot be written"),
        (["--seeds", "1-2", "--save", "/dev/null/d"], "/dev/null/d: "),
        (["no-such-file"], "no-such-file: cannot be read"),
        (["/dev/null"], "/dev/null: "),
        (["--board", "--coverage"], "--board: neither --coverage"),
        (["--walk"], r"--walk \(see random_sequences --help\)"),
    ],
)
def test_the_program_refuses(program, tmp_path, arguments, message):
    done = subprocess.run(
        [program, "--engines", "ref,ref", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert re.fullmatch(f"random_sequences: .*{message}.*\n", done.stderr), done.stderr


def test_a_scheduler_that_is_not_there_is_bad_input(program, tmp_path):
    pytest.importorskip("distributed")
    done = campaign(program, tmp_path, "--seeds", "1-2", "--scheduler", "127.0.0.1:1", "--patience", "1")
    assert done.returncode == 2 and "no Dask scheduler answers" in done.stderr


# Of Debian's distributed itself.
@pytest.mark.filterwarnings("ignore:make_current is deprecated:DeprecationWarning")
def test_a_dask_cluster_gives_the_same_verdicts(program, scheduler, tmp_path):
    cluster_options = ["--scheduler", scheduler, "--patience", str(HANG)]
    done = campaign(program, tmp_path / "cluster", "--seeds", "5-14", "--batch", "3", *cluster_options)
    assert done.returncode == 0, done.stderr
    assert campaign(program, tmp_path / "here", "--seeds", "5-14").returncode == 0
    assert (tmp_path / "cluster/verdicts").read_text() == (tmp_path / "here/verdicts").read_text()
