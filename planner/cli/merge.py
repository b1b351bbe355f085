"""The command ``merge``, which git runs, and ``init git``, which tells git to."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

import click

from executor import echo, is_quiet, read_input
from planner.inputs.errors import UnreadableInput
from planner.lock.reader import parse_lock
from planner.lock.writer import write_atomically
from planner.review.forge import find_root
from planner.review.line_merge import merge_files, merge_lines
from planner.review.recorded import is_planned
from planner.review.three_way import Merged, merge_locks
from schemas.errors import ExitCode, NotWritten, UsageError

__all__ = ["git", "merge"]


_ATTRIBUTES = ("pylock.toml merge=lockstream", "pylock.*.toml merge=lockstream")
"""Lines of .gitattributes (https://git-scm.com/docs/gitattributes, "Defining a custom merge
driver") for the names that locks have (PEP 751)."""


_NAME = "Merge locks package by package"


@click.command("merge", short_help="Merge two versions of a lock, as git does it.")
@click.argument("base")
@click.argument("ours")
@click.argument("theirs")
@click.argument("name", default="pylock.toml")
def merge(base: str, ours: str, theirs: str, name: str) -> None:
    """Merge two versions of a lock, OURS and THEIRS, that were made of BASE, into OURS.

    A package that one of them has changed is taken from there. Of a package that both have changed,
    the later version is kept, and the exit code is 1: then lockstream plan decides. NAME is what
    the lock is called.

    git runs this command after: lockstream init git
    """
    before, one, other = (_read(path, name) for path in (base, ours, theirs))
    merged = merge_locks(before, one, other, merge_lines)
    if merged is None:
        # git says that there are conflicts.
        if not merge_files(ours, base, theirs):
            raise click.exceptions.Exit(ExitCode.REFUSED)
        return
    try:
        write_atomically(ours, merged.text)
    except OSError as error:
        raise NotWritten(f"{ours}: cannot be written", error) from None
    if merged.problems:
        _print_problems(merged, name)
        raise click.exceptions.Exit(ExitCode.REFUSED)


def _read(path: str, name: str) -> str:
    try:
        return read_input(path).decode()
    except OSError as error:
        raise UnreadableInput.because(path, error) from None
    except UnicodeDecodeError:
        raise UnreadableInput(
            name, "not UTF-8 text", "TOML files are UTF-8 text; save the file in that encoding"
        ) from None


def _print_problems(merged: Merged, name: str) -> None:
    for problem in merged.problems:
        echo(f"{name}: {problem}", err=True)
    add = f"git add {shlex.quote(name)}"
    if is_planned(parse_lock(merged.text)):
        folder, lock = os.path.split(name)
        words = [] if lock == "pylock.toml" else ["-o", lock]
        inside = f" in {folder}" if folder else ""
        echo(f"next{inside}: {shlex.join(['lockstream', 'plan', *words])}; then {add}", err=True)
    else:
        echo(f"next: lock it again with the tool that wrote it; then {add}", err=True)


@click.command("git", short_help="Have git merge locks package by package.")
@click.option("--print", "is_printed", is_flag=True, help="Print what to add, and change nothing.")
def git(is_printed: bool) -> None:
    """Have git merge the locks of this repository package by package.

    .gitattributes names them; commit it. The configuration of this clone has the command that git
    runs; each clone needs it once, and without it git merges lines, as before.
    """
    driver = f"{_program()} merge %O %A %B %P"
    if is_printed:
        for line in _ATTRIBUTES:
            echo(line)
        echo(f"git config merge.lockstream.driver {shlex.quote(driver)}")
        return
    root = find_root(".")
    if root is None:
        raise UsageError(
            "there is no repository of git here", hint="change into one, or make one: git init"
        )
    path = os.path.relpath(os.path.join(root, ".gitattributes"))
    is_new = _add_attributes(path)
    # First: git merges nothing by a driver that has a name and no command.
    _configure("merge.lockstream.driver", driver)
    _configure("merge.lockstream.name", _NAME)
    echo(f"wrote {path}" if is_new else f"{path} is as it would be written")
    if not is_quiet():
        echo("this clone merges locks by: " + driver, err=True)
        if is_new:
            echo(f"next: git add {path}; each clone runs lockstream init git once", err=True)


def _program() -> str:
    """Return the command that runs this program, for a shell."""
    if shutil.which("lockstream"):
        return "lockstream"
    return f"{shlex.quote(sys.executable)} -m lockstream"


def _add_attributes(path: str) -> bool:
    """Add the lines that are missing to .gitattributes; return whether there are any."""
    try:
        text = read_input(path).decode()
    except FileNotFoundError:
        text = ""
    except OSError as error:
        raise UnreadableInput.because(path, error) from None
    except UnicodeDecodeError:
        raise UnreadableInput(path, "not UTF-8 text", "add the lines by hand: --print") from None
    present = [line.split() for line in text.splitlines()]
    missing = [line for line in _ATTRIBUTES if line.split() not in present]
    if not missing:
        return False
    end = "" if not text or text.endswith("\n") else "\n"
    try:
        write_atomically(path, "".join([text, end, *(f"{line}\n" for line in missing)]))
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written", error) from None
    return True


def _configure(key: str, value: str) -> None:
    try:
        done = subprocess.run(
            ["git", "config", "--local", key, value],  # noqa: S607  # the user's git
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise UsageError(
            f"git cannot be run: {error.strerror}", hint="install git, or add it to the PATH"
        ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise UsageError(f"git config fails: {said}", hint=f"run it by hand: --print shows {key}")
