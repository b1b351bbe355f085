"""Completion, by the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from executor.cli.completion import completion
from helpers.wheels import build_wheel, lock_of

BIN = Path(sys.executable).parent

BASH = """
eval "$(lockstream completion bash)"
COMP_WORDS=({words}); COMP_CWORD={last}; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
compopt() {{ [ "$2" = default ] && COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
             [ "$2" = dirnames ] && COMPREPLY=($(compgen -d -- "${{COMP_WORDS[COMP_CWORD]}}")); }}
_lockstream_completion lockstream
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
autoload -Uz compinit && compinit -u -d {dump}
compadd() {{ print -l -- $completions }}
_describe() {{ print -l -- "${{(@P)3}}" }}
_path_files() {{ print -l -- *(N) }}
eval "$(lockstream completion zsh)"
words=({words}); CURRENT=$(({last} + 1))
_lockstream_completion
"""
FISH = """
lockstream completion fish | source
complete --do-complete '{line}'
"""


def completions(shell: str, line: str, folder: Path) -> set[str]:
    found = answer(shell, line, folder).splitlines()
    return {one.partition("\t")[0].partition(":")[0] for one in found}


def answer(shell: str, line: str, folder: Path) -> str:
    words = line.split(" ")
    quoted = " ".join(word or "''" for word in words)
    script = {"bash": BASH, "zsh": ZSH, "fish": FISH}[shell].format(
        words=quoted, last=len(words) - 1, line=line, dump=folder.parent / "zcompdump"
    )
    run = subprocess.run(
        [shell, *(["--norc"] if shell == "bash" else []), "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(folder.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stderr == ""
    return run.stdout


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "pkgs").mkdir(parents=True)
    (folder / "pylock.toml").write_text(lock_of([build_wheel("demo")]))
    return folder


SHELLS = [
    pytest.param(
        shell,
        marks=pytest.mark.skipif(
            shell != "bash" and shutil.which(shell) is None, reason=f"there is no {shell} here"
        ),
    )
    for shell in ("bash", "zsh", "fish")
]


@pytest.mark.parametrize("shell", SHELLS)
def test_commands_and_options_are_completed(shell: str, folder: Path) -> None:
    assert completions(shell, "lockstream ver", folder) >= {"verify"}
    assert "plan" in completions(shell, "lockstream ", folder)
    assert completions(shell, "lockstream execute --mem", folder) >= {"--memory"}
    assert completions(shell, "lockstream execute --durability ", folder) >= {"full", "kill"}
    assert completions(shell, "lockstream cache pr", folder) >= {"prune"}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_lock_is_completed_to_files(shell: str, folder: Path) -> None:
    assert "pylock.toml" in completions(shell, "lockstream execute py", folder)


def test_the_help_has_a_line_for_each_shell() -> None:
    shown = CliRunner().invoke(completion, ["--help"], prog_name="lockstream completion").output
    for line in (
        '  bash:  eval "$(lockstream completion bash)"       in ~/.bashrc',
        '  zsh:   eval "$(lockstream completion zsh)"        in ~/.zshrc, after compinit',
        "  fish:  lockstream completion fish | source        in ~/.config/fish/config.fish",
    ):
        assert line in shown.splitlines()


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish here")
def test_fish_shows_the_help_of_an_option_whole_and_files_whose_name_has_a_comma(
    folder: Path,
) -> None:
    shown = answer("fish", "lockstream execute --dur", folder)
    assert shown.endswith("a power failure, or only the kill of the process.\n")
    (folder / "a,b.in").touch()
    assert answer("fish", "lockstream plan -r a", folder) == "a,b.in\n"


def test_an_option_for_a_folder_is_completed_to_folders(folder: Path) -> None:
    assert completions("bash", "lockstream execute --venv p", folder) == {"pkgs"}


@pytest.mark.parametrize(
    "variables",
    [
        {"_LOCKSTREAM_COMPLETE": "tcsh_complete"},
        {"_LOCKSTREAM_COMPLETE": "bash_complete"},
        {"_LOCKSTREAM_COMPLETE": "zsh_complete", "COMP_WORDS": "x", "COMP_CWORD": "y"},
        {"_LOCKSTREAM_COMPLETE": ""},
    ],
)
def test_a_question_that_no_script_of_ours_asks_gets_nothing(variables: dict[str, str]) -> None:
    run = subprocess.run(
        [BIN / "lockstream"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
