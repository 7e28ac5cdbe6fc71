"""Runs the program, and judges what it says."""

import re
import subprocess

from helpers.tree import HANG


def run(isochron, *args, **options):
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [isochron, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=HANG,
        **options,
    )


def start(isochron, *args, **options):
    options.setdefault("stdin", subprocess.PIPE)
    options.setdefault("stdout", subprocess.PIPE)
    return subprocess.Popen([isochron, *args], stderr=subprocess.PIPE, **options)


def end_of(process):
    """Exit code and standard error of a started program."""
    _, errors = process.communicate(timeout=HANG)
    return process.returncode, errors.decode()


def press(isochron, kernel, keys, *args):
    """A run of the console guest with these keys on a pipe."""
    return run(isochron, "run", "--kernel", kernel, *args, input=keys, stdin=None)


def write(path, text):
    path.write_text(text)
    return str(path)


def assert_refused(result, message):
    """Exit code 2, one line that says why, and nothing was started."""
    errors = result.stderr.decode()
    assert result.returncode == 2, errors
    assert result.stdout == b""
    assert errors.startswith("isochron: ") and errors.count("\n") == 1 and errors.endswith("\n")
    assert re.search(message, errors), errors


def help_options(isochron, *command):
    text = run(isochron, *command, "--help").stdout.decode()
    return set(re.findall(r"^  (?:-\w,)?(--[a-z0-9-]+)", text, re.MULTILINE)) - {"--help"}


def commands(isochron, *words):
    """All commands below one, from the program's own help."""
    text = run(isochron, *words, "--help").stdout.decode()
    if "Subcommands:\n" not in text:
        return [list(words)]
    names = re.findall(r"^  ([a-z]+) ", text.split("Subcommands:\n")[1], re.M)
    return [command for name in names for command in commands(isochron, *words, name)]
