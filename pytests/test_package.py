"""The Debian package, and that equal sources make equal bytes wherever they are built."""

import gzip
import json
import os
import re
import shutil
import subprocess

from helpers.commands import run
from helpers.package import pack
from helpers.tree import HANG, ROOT


def test_lintian_has_nothing_to_say(archive):
    """No error and no warning, but for those that packaging/lintian-overrides gives a reason for."""
    checked = subprocess.run(
        ["lintian", "--allow-root", "--fail-on", "error,warning", str(archive)],
        capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr


def test_the_changelog_is_of_this_version(isochron, package):
    changelog = gzip.decompress((package / "usr/share/doc/isochron/changelog.gz").read_bytes()).decode()
    version = re.match(r"isochron \((.*)\) ", changelog)[1]
    assert run(isochron, "--version").stdout.decode().split()[1].strip(",;") == version


def test_the_demo_of_the_package_boots(package, tmp_path):
    """With nothing else: `isochron demo` needs neither kernel nor build, wherever the package was unpacked."""
    (tmp_path / "typed").write_text('expect "> "\nsend "h"\nexpect "> h"\nstop\n')
    done = run(str(package / "usr/bin/isochron"), "demo", "--script", "typed", cwd=tmp_path)
    assert done.returncode == 0 and b"type a line" in done.stdout
    assert f"{package}/usr/share/isochron/guests/keys.elf" in done.stderr.decode()


def test_a_demo_without_its_guest_says_where_it_looked(isochron, tmp_path):
    program = tmp_path / "bin/isochron"
    program.parent.mkdir()
    shutil.copy(isochron, program)
    done = run(str(program), "demo")
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1
    assert f"{tmp_path}/share/isochron/guests/keys.elf".encode() in done.stderr


def test_the_bill_of_materials_names_what_the_program_is_made_of(package):
    bill = json.loads((package / "usr/share/doc/isochron/isochron.spdx.json").read_text())
    assert bill["spdxVersion"] == "SPDX-2.3" and bill["documentNamespace"].startswith("https://")
    packages = {entry["SPDXID"]: entry for entry in bill["packages"]}
    relations = {(entry["relationshipType"], entry["relatedSpdxElement"]) for entry in bill["relationships"]}
    needed = subprocess.run(
        ["readelf", "-d", package / "usr/bin/isochron"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    linked = [packages[name] for kind, name in relations if kind == "DYNAMIC_LINK"]
    for library in ("libzstd", "libxxhash", "libc.so", "libstdc++"):
        assert library in needed
        assert any(entry["name"].startswith(library.replace(".so", "6")) for entry in linked), library
    assert all(entry["versionInfo"] != "NOASSERTION" for entry in packages.values())
    assert ("STATIC_LINK", "SPDXRef-libcli11-dev") in relations


def test_packing_again_gives_the_same_bytes(build, archive, tmp_path):
    assert pack(build, tmp_path).read_bytes() == archive.read_bytes()


# Some that need little else: code with DWARF, of two libraries, and a guest of the cross compiler. scripts/reproduce
# compares the whole package.
SAMPLES = [
    "alpha/CMakeFiles/isochron_alpha.dir/instruction.cc.o",
    "jit/CMakeFiles/isochron_jit_objects.dir/options.cc.o",
    "guests/keys.elf",
]


def test_another_directory_gives_the_same_bytes(build, tmp_path):
    """Both are built here: a compiler cache with a base directory of its own, as a build may have, changes the names."""
    environment = {**os.environ, "CCACHE_DISABLE": "1"}
    made = []
    for name in ("one", "another, with a rather longer name"):
        tree = tmp_path / name
        shutil.copytree(
            ROOT, tree, ignore=lambda folder, _: ["build", ".git"] if folder == str(ROOT) else ["__pycache__"]
        )
        subprocess.run(
            ["cmake", "--preset", build.name, "-DCMAKE_CXX_COMPILER_LAUNCHER="],
            cwd=tree, env=environment, stdout=subprocess.DEVNULL, timeout=HANG, check=True,
        )  # fmt: skip
        output = tree / "build" / build.name
        subprocess.run(
            ["ninja", "-C", output, *SAMPLES], env=environment, stdout=subprocess.DEVNULL, timeout=HANG, check=True
        )
        made.append([(output / sample).read_bytes() for sample in SAMPLES])
        assert not [sample for sample, found in zip(SAMPLES, made[-1]) if str(tmp_path).encode() in found]
    assert [one == other for one, other in zip(*made)] == [True] * len(SAMPLES)


def run_ci(package, project, kept):
    """docs/ci/run-tests as installed, without its installation: with the package's program and driver alone."""
    return subprocess.run(
        [package / "usr/share/doc/isochron/docs/ci/run-tests", "-", project, kept],
        env={
            "INSTALL": "",
            "PATH": f"{package}/usr/bin:{os.environ['PATH']}",
            "PYTHONPATH": f"{package}/usr/lib/python3/dist-packages",
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=kept.parent, capture_output=True, text=True, timeout=HANG, check=False,
    )  # fmt: skip


def test_the_ci_job_keeps_what_a_failure_leaves(package, tmp_path):
    project, kept = tmp_path / "project", tmp_path / "kept"
    shutil.copytree(package / "usr/share/doc/isochron/docs/example", project)
    (project / "test_kernel.py").write_text(
        "def test_it(machine, kernel):\n"
        "    with machine(kernel=kernel).record('some.log') as session:\n"
        "        session.expect('capitals> ')\n"
        "        session.stop()\n"
        "    assert not 'a failure'\n"
    )
    done = run_ci(package, project, kept)
    assert done.returncode == 1, done.stdout + done.stderr
    assert (kept / "junit.xml").is_file() and any(kept.glob("*/*")), done.stdout


def test_the_ci_files_make_the_call_that_is_tested():
    for name in ("github.yml", "gitlab-ci.yml", "Containerfile"):
        [call] = re.findall(r"(?:ci/)?run-tests (\S+) (\S+) (\S+)\n", (ROOT / "docs/ci" / name).read_text())
        assert call[1:] == ("kernel-tests", "kept"), name


def test_a_build_of_ones_own_needs_no_gtest_and_takes_warnings(tmp_path):
    """-DBUILD_TESTING=OFF without GTest; and without a preset a warning of another compiler or level is no error."""
    subprocess.run(
        ["cmake", "-S", ROOT, "-B", tmp_path, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF"]
        + ["-DCMAKE_DISABLE_FIND_PACKAGE_GTest=ON", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"],
        stdout=subprocess.DEVNULL, timeout=HANG, check=True,
    )  # fmt: skip
    commands = json.loads((tmp_path / "compile_commands.json").read_text())
    assert any(entry["file"].endswith("cli/main.cc") for entry in commands)
    assert not [entry["file"] for entry in commands if "_test.cc" in entry["file"] or "-Werror" in entry["command"]]


def test_warnings_are_errors_in_our_presets():
    presets = {preset["name"]: preset for preset in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
    assert presets["strict"]["cacheVariables"]["CMAKE_COMPILE_WARNING_AS_ERROR"] == "ON"
    assert all(preset.get("inherits") == "strict" for name, preset in presets.items() if name != "strict")
