"""What users get: the manual pages, and the driver with its example project, outside the tree."""

import gzip
import os
import re
import shutil
import subprocess
import sys

import pytest

from helpers.commands import commands, help_options, run
from helpers.tree import DRIVER, HANG, ROOT


def test_the_manual_page_has_every_option(isochron, generated):
    page = (generated / "isochron.1").read_text().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS isochron (.+)\n((?:(?!\.S[SH]).*\n)*)", page, re.M))
    assert len(sections) == len(commands(isochron)) > 5
    for command in commands(isochron):
        options = set(re.findall(r"\\fB(--[a-z0-9-]+)\\fR", sections[" ".join(command)]))
        assert options == help_options(isochron, *command), command
    assert "isochron - a deterministic DEC Alpha computer" in formatted(generated / "isochron.1")


def formatted(page, width=200):
    """A manual page as somebody reads it on a terminal of `width` columns; without a warning."""
    shown = subprocess.run(
        ["groff", "-t", "-man", "-Tascii", "-P-c", "-P-bou", "-ww", "-rHY=0", f"-rLL={width}n", page],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stderr == ""
    return " ".join(shown.stdout.split())


def test_the_examples_of_the_manual_page_are_commands(isochron, generated):
    page = (generated / "isochron.1").read_text().replace("\\-", "-")
    examples = re.findall(r"^isochron .*", re.search(r"\.SH EXAMPLES\n(.*?)\.SH", page, re.S)[1], re.M)
    assert len(examples) > 5
    all_commands = commands(isochron)
    for example in examples:
        words = example.split()[1:]
        command = next(known for known in all_commands if words[: len(known)] == known)
        assert set(re.findall(r"--[a-z0-9-]+", example)) <= help_options(isochron, *command), example
    assert re.search(r"\.SH KEYS\n.*\nCtrl-A x|\.SH KEYS\n(.*\n)*\\fBCtrl-A x\\fR\nquit", page)
    assert ".SH FILES\n" in page


@pytest.mark.parametrize(
    "name, document, section",
    [("isochron-script", "cli.md", "Scripts: the control language"), ("isochron-log", "replay-log.md", "Layers")],
)
def test_the_pages_of_file_formats_say_what_the_documents_say(generated, name, document, section):
    shown = formatted(generated / f"{name}.5")
    assert f"{name} - the " in shown and "isochron(1)" in shown
    text = (ROOT / "docs" / document).read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| `?([^`|]+?)`? \|", text, re.M)
    codes = [line.strip() for line in re.findall(r"^    (.*)", text, re.M)]
    assert len(first_cells) > 3
    for expected in first_cells + codes:
        assert " ".join(expected.split()) in shown or expected.startswith("---"), expected


@pytest.mark.parametrize("name", ["isochron.1", "isochron-script.5", "isochron-log.5"])
def test_the_pages_are_readable_at_every_width(generated, name):
    """Blocks of text then end everywhere on a page, at its end, too."""
    for width in range(80, 200):
        formatted(generated / name, width)


@pytest.fixture(params=["/usr", "/usr/local", "/opt/isochron"])
def installed(request, build, tmp_path):
    """(root, prefix) of an installation."""
    subprocess.run(
        ["cmake", "--install", build, "--prefix", request.param],
        env={**os.environ, "DESTDIR": str(tmp_path)}, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return tmp_path, request.param


def test_the_target_installable_is_all_that_is_installed_and_no_more(build):
    """Which is what README and scripts/demo build: cpack has to find everything after it."""
    rules = (build / "packaging/cmake_install.cmake").read_text()
    files = set(re.findall(rf'\s"{re.escape(str(build))}/([^"]+)"', rules))
    assert files >= {"cli/isochron", "generated/isochron.1", "generated/isochron-log.5", "guests/keys.elf"}
    steps = subprocess.run(
        ["ninja", "-C", build, "-t", "commands", "installable"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    made = {file for file in files if re.search(rf"[ /]{re.escape(file)}\s", steps)}
    made.add("generated/README.md")  # configuring writes that one
    if re.search(r"cli/isochron_command_docs \S+/generated\s", steps):
        made |= {f"generated/{name}" for name in ("isochron.1", "isochron.bash", "_isochron", "isochron.fish")}
    assert files <= made
    assert "_test.cc" not in steps


def test_an_installation(installed):
    root, prefix = installed
    below = root / prefix[1:]
    assert {str(path.relative_to(below)) for path in below.rglob("*isochron*") if "docs" not in path.parts} >= {
        "bin/isochron", "share/man/man1/isochron.1.gz", "share/man/man5/isochron-script.5.gz",
        "share/man/man5/isochron-log.5.gz", "share/doc/isochron", "share/bash-completion/completions/isochron",
        "share/zsh/vendor-completions/_isochron", "share/fish/vendor_completions.d/isochron.fish",
    }  # fmt: skip
    documentation = below / "share/doc/isochron"
    page = gzip.decompress((below / "share/man/man1/isochron.1.gz").read_bytes()).decode()
    assert f"\nThe documentation in {prefix}/share/doc/isochron, first" in page
    assert f"\n{prefix}/share/isochron/guests/keys.elf\n" in page
    assert (below / "share/isochron/guests/keys.elf").is_file()

    # Debian's python3 finds the driver by itself below its own prefixes.
    [driver] = below.glob("lib/python3*/dist-packages/isochron")
    sought = subprocess.run(
        ["/usr/bin/python3", "-I", "-c", "import site; print(*site.getsitepackages())"],
        stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.split()  # fmt: skip
    found = "/" + str(driver.parent.relative_to(root))
    assert found in sought if prefix != "/opt/isochron" else found == f"{prefix}/lib/python3/dist-packages"
    assert {path.name for path in driver.iterdir()} >= {"__init__.py", "pytest_plugin.py", "py.typed"}
    [dist_info] = driver.parent.glob("isochron-*.dist-info")
    assert {path.name for path in dist_info.iterdir()} >= {"METADATA", "WHEEL", "INSTALLER", "entry_points.txt"}

    assert (documentation / "docs/example/kernel.S").is_file()
    check_links(documentation)


def test_links_between_pages():
    check_links(ROOT, "README.md", "docs/**/*.md")


def check_links(folder, *patterns):
    """Every link of these pages that names a file names one that is there."""
    pages = [page for pattern in patterns or ["**/*.md"] for page in folder.glob(pattern)]
    assert len(pages) > 10
    for page in pages:
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            assert "://" in link or (page.parent / link).exists(), f"{page}: {link}"


def test_the_example_of_the_package_passes_outside_the_tree(package, tmp_path):
    """With nothing but what the package brings, as its README says."""
    project = tmp_path / "project"
    shutil.copytree(package / "usr/share/doc/isochron/docs/example", project)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        env={
            "PATH": f"{package}/usr/bin:{os.environ['PATH']}",
            "PYTHONPATH": f"{package}/usr/lib/python3/dist-packages",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\d passed in", done.stdout)


def test_annotations_of_the_driver(tmp_path):
    """They are for users' type checkers, too: py.typed is installed."""
    checked = subprocess.run(
        ["mypy", "--strict", f"--cache-dir={tmp_path}", "isochron"],
        cwd=DRIVER, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr


FAILING = '''
def test_fails(machine):
    with machine(kernel="{kernel}").record("some.log") as session:
        session.expect("ready")
        session.stop()
    assert not "a failure"
'''


def test_what_a_failure_leaves_is_kept_and_named(isochron, console_guest, tmp_path):
    (tmp_path / "test_it.py").write_text(FAILING.format(kernel=console_guest))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "isochron.pytest_plugin"]
        + [f"--isochron={isochron}", "--keep-logs=kept", "--rootdir=.", "test_it.py"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(DRIVER)},
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    kept = tmp_path / "kept/test_it.py_test_fails"
    assert f"{kept}/some.log" in done.stdout and (kept / "some.log").is_file()
    assert (kept / "transcript-1").read_bytes() == b"ready\r\n"
    assert run(isochron, "log", "verify", str(kept / "some.log")).returncode == 0
    bundle = kept / "some.log.bundle"
    assert f"{bundle}\n" in done.stdout
    # It needs nothing of where it was made.
    elsewhere = bundle.rename(tmp_path / "elsewhere")
    replayed = run(isochron, "replay", str(elsewhere), "--console", "null", cwd="/")
    assert replayed.returncode == 0 and b"events are equal" in replayed.stderr
