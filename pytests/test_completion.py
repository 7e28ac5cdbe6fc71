"""What the shells complete: each is asked itself, with the file that is installed for it."""

import os
import subprocess

import pexpect
import pytest

from helpers.commands import commands, help_options
from helpers.tree import HANG
from isochron import engines


class Bash:
    """What bash offers for a line whose last word is being typed."""

    def __init__(self, generated, directory):
        self.generated, self.directory = generated, directory

    def offers(self, line):
        # Bash takes = and : for words.
        words = line.replace("=", " = ").replace(":", " : ").split(" ")
        if words[-2:] == ["=", ""] or words[-2:] == [":", ""]:
            words.pop()
        script = (
            f'source {self.generated}/isochron.bash; compopt() {{ [[ $2 != default ]] || compgen -f -- "$word"; }}; '
            'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _isochron; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        done = subprocess.run(
            ["bash", "-c", script, "bash", *words], cwd=self.directory, stdout=subprocess.PIPE, text=True, check=True
        )
        return set(done.stdout.splitlines()) - {""}


class Fish:
    """The same of fish, which answers in a form of its own."""

    def __init__(self, generated, directory):
        self.generated, self.directory = generated, directory

    def offers(self, line):
        done = subprocess.run(
            ["fish", "--no-config", "-c", f"source {self.generated}/isochron.fish; complete -C $argv[1]", line],
            cwd=self.directory, env={**os.environ, "HOME": str(self.directory)},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        word = line.split(" ")[-1]
        prefix = word[: word.index("=") + 1] if "=" in word else ""
        return {offer.split("\t")[0].removeprefix(prefix).removeprefix("file:" if "file:" in word else "")
                for offer in done.stdout.splitlines()}  # fmt: skip


# Collects what is offered in place of a menu.
ZSH = r"""
PS1='ready> '; fpath=(GENERATED $fpath); autoload -Uz compinit; compinit -u -D; hits=()
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found; builtin compadd -O found "$@"; hits+=($found); builtin compadd "$@"
}
zle -C capture list-choices _main_complete
show() { hits=(); zle capture; zle -I; print -r -- "HITS<${(j:|:)hits}>"; BUFFER= }
zle -N show; bindkey '^T' show
"""


class Zsh:
    """The same of zsh, which completes only for somebody who types."""

    def __init__(self, generated, directory):
        setup = directory / ".setup.zsh"
        setup.write_text(ZSH.replace("GENERATED", str(generated)))
        self.shell = pexpect.spawn(
            "zsh", ["-f", "-i"], cwd=str(directory), timeout=HANG, encoding="utf-8",
            env={"TERM": "dumb", "PATH": os.environ["PATH"], "HOME": str(directory)},
        )  # fmt: skip
        self.shell.sendline(f"source {setup}")
        self.shell.expect_exact("ready> ")

    def offers(self, line):
        self.shell.send(f"{line}\x14")
        self.shell.expect("HITS<(.*?)>")
        hits = self.shell.match[1]
        self.shell.expect_exact("ready> ")
        return set(hits.replace("\\", "").split("|")) - {""}


@pytest.fixture(params=[Bash, Zsh, Fish])
def shell(request, generated, tmp_path):
    """A shell in a directory with one file."""
    (tmp_path / "my session.log").touch()
    return request.param(generated, tmp_path)


def test_every_option_of_every_command_is_offered(shell, isochron):
    for command in commands(isochron):
        line = " ".join(["isochron", *command])
        assert shell.offers(f"{line} --") - {"--help"} == help_options(isochron, *command), command
        # After a flag, too.
        for flag in {"--stats", "--live"} & help_options(isochron, *command):
            assert shell.offers(f"{line} {flag} --cons") == {"--console"}, flag


FILE = {"my session.log"}


def test_values_are_offered(shell, isochron):
    names = engines(isochron)
    cases = {
        "isochron r": {"run", "record", "replay", "report"},
        "isochron log d": {"dump", "diff"},
        "isochron run --stats --ker": {"--kernel"},
        "isochron run --kernel m": FILE,
        "isochron replay m": FILE,
        "isochron replay --live m": FILE,
        "isochron log diff one.log m": FILE,
        "isochron record -o m": FILE,
        "isochron run --engine r": {"ref"},
        "isochron run --engine=r": {"ref"},
        "isochron run --stats --engine ": set(names),
        "isochron run --engine=": set(names),
        "isochron conform --engines ": {f"{one},{other}" for one in names for other in names},
        "isochron run --console n": {"null"},
        "isochron run --console file:m": FILE,
        "isochron run --memory 1": set(),
        "isochron demo --eng": {"--engine"},
        "isochron help repl": {"replay"},
        "isochron trace --mode k": {"kernel"},
        "isochron profile --by s": {"stack"},
        "isochron profile --format sp": {"speedscope"},
        "isochron profile --weight i": {"instructions"},
    }  # fmt: skip
    for line, expected in cases.items():
        assert shell.offers(line) == expected, line
    assert {"header", "output", "checkpoint"} <= shell.offers("isochron log dump --type ")


@pytest.mark.parametrize("typed, completed", [
    ("isochron replay --stats my", "isochron replay --stats my\\ session.log "),
    ("isochron replay 'my", "isochron replay 'my session.log' "),
    ("isochron run --initrd=my", "isochron run --initrd=my\\ session.log "),
    ("isochron run --console file", "isochron run --console file:"),
    ("isochron run --engine=r", "isochron run --engine=ref "),
])  # fmt: skip
def test_the_completion_in_bash(generated, tmp_path, typed, completed):
    (tmp_path / "my session.log").touch()
    bash = pexpect.spawn(
        "bash", ["--norc", "--noprofile", "-i"], cwd=str(tmp_path), timeout=HANG,
        env={"PS1": "ready> ", "TERM": "dumb", "PATH": os.environ["PATH"], "INPUTRC": "/dev/null"},
    )  # fmt: skip
    bash.expect_exact("ready> ")
    bash.sendline(f"source {generated}/isochron.bash; bind 'set enable-bracketed-paste off'")
    bash.expect_exact("ready> ")
    bash.send(f"{typed}\t")
    bash.expect_exact(completed)
    bash.close(force=True)
