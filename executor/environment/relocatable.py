"""Environments that run wherever they are moved to: no file in them depends on their own path.

Their commands look for the interpreter in their own folder. The links to the base interpreter are
absolute, so that has to be at the same path in the new place.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress

__all__ = ["is_relocatable", "make_relocatable"]

_MARK = "relocatable = true"
"""The line of pyvenv.cfg by which uv marks such an environment too; Python ignores it."""

_UNMOVABLE = ("activate.csh",)
"""csh cannot tell a script that is sourced from where."""

_FIND_HERE = """\
if [ -n "${{ZSH_VERSION:-}}" ]; then eval '_here=${{(%):-%x}}'; else _here="${{BASH_SOURCE:-}}"; fi
if [ -z "$_here" ] && read -r _pid _rest 2>/dev/null </proc/self/stat; then
  # A shell that does not say which file it reads, as sh of Debian, has it open.
  for _file in "/proc/$_pid/fd/"*; do
    case "$(readlink "$_file")" in */bin/activate) _here="$(readlink "$_file")" ;; esac
  done
  unset _pid _rest _file
fi
if [ -n "$_here" ]; then _here="$(CDPATH= cd -- "$(dirname -- "$_here")/.." && pwd)"; fi
[ -f "$_here/pyvenv.cfg" ] || _here={path}
if [ ! -f "$_here/pyvenv.cfg" ]; then
  echo "activate: this shell does not say where it is; put the folder bin into PATH instead" >&2
  return 1
fi
"""
"""The folder of the environment, in ``_here``; of a shell that tells nothing, the first one."""


def is_relocatable(venv: str) -> bool:
    """Return whether the virtual environment in the folder ``venv`` was made relocatable."""
    try:
        with open(os.path.join(venv, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            return any(line.strip() == _MARK for line in file)
    except OSError:
        return False


def make_relocatable(venv: str) -> None:
    """Make the fresh virtual environment in the folder ``venv``, an absolute path, relocatable."""
    for name in _UNMOVABLE:
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(venv, "bin", name))
    _edit(venv, "activate", 'VIRTUAL_ENV="$_here"', _FIND_HERE.format(path=shlex.quote(venv)))
    _edit(venv, "activate.fish", "VIRTUAL_ENV (path resolve (status dirname)/..)")
    # Last: an environment with this mark has been edited.
    with open(os.path.join(venv, "pyvenv.cfg"), "a", encoding="utf-8") as file:
        file.write(f"{_MARK}\n")


def _edit(venv: str, name: str, assignment: str, before: str = "") -> None:
    """Let the script ``name`` find out the folder instead of naming it."""
    path = os.path.join(venv, "bin", name)
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except FileNotFoundError:  # an older Python has fewer
        return
    spellings = {venv, f'"{venv}"', f"'{venv}'", shlex.quote(venv)}
    either = "|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))
    text = re.sub(rf"VIRTUAL_ENV[ =](?:{either})(?=\s)", lambda _: assignment, text)
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(before + text)
