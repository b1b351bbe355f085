"""Locks of files, and of revisions of a git repository."""

from __future__ import annotations

import os
import re
import shlex
import subprocess

from packaging.pylock import Pylock

from planner.inputs.errors import UnreadableInput
from planner.lock.reader import parse_lock, read_lock
from schemas.errors import InvalidLockText, UsageError
from schemas.lock import UnsupportedLockVersion
from schemas.text import one_line

__all__ = ["read_lock_at"]


_LOCK = "pylock.toml"


_MAX_SHOWN = 200
"""Characters of what git says that are shown."""


_FOREIGN = re.compile(r"dubious ownership in repository at '(.+)'$", re.MULTILINE)
"""What git says in a container whose user does not own the checkout
(https://git-scm.com/docs/git-config, safe.directory)."""


def read_lock_at(place: str, other: str = "") -> Pylock:
    """Return the lock at ``place``: the path of a file, else ``REVISION:PATH``, else a revision
    that has the lock ``other`` (a place, too), or a ``pylock.toml`` in the working directory.

    Raises UsageError if it is none of these, and what ``read_lock`` raises.
    """
    if os.path.lexists(place):
        return read_lock(place)
    revision, colon, path = place.partition(":")
    if colon and "://" in place:
        raise UsageError(
            f"{place} is an address, and locks are files",
            hint="download it, and name the file",
        )
    if not colon and place.endswith(".toml"):
        return read_lock(place)
    text = _of_git(place, revision, path if colon else _path_of(other))
    try:
        return parse_lock(text)
    except UnsupportedLockVersion as error:
        error.path = place
        raise
    except InvalidLockText as error:
        raise UnreadableInput(
            place,
            error.describe(),
            hint="what is committed stays so: name a revision before it or after it",
        ) from None


def _path_of(place: str) -> str:
    """Return the path of the lock at ``place``, from the working directory."""
    if os.path.lexists(place):
        return os.path.relpath(place)
    _revision, _colon, path = place.partition(":")
    return path or _LOCK


def _of_git(place: str, revision: str, path: str) -> str:
    # ``./`` lets the path begin at the working directory, as paths of files do.
    name = f"{revision}:{path if os.path.isabs(path) else f'./{path}'}"
    problem = "it is no file, and "
    if name.startswith("-"):
        raise UsageError(
            f"{place}: {problem}no revision begins with -",
            hint=f"of a file of this name: ./{place}",
        )
    try:
        # The text as it is stored: no filter or program of the repository is run.
        done = subprocess.run(
            ["git", "cat-file", "blob", name],  # noqa: S607  # the user's git
            capture_output=True,
            check=False,
            env={**os.environ, "LC_ALL": "C"},  # its messages are looked at
        )
    except FileNotFoundError:
        raise UsageError(
            f"{place}: {problem}git is not installed to look for a revision of this name",
            hint="name the path of a lock, or install git",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{place}: {problem}git cannot be run: {error.strerror}",
            hint="name the path of a lock, or repair git",
        ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        if found := _FOREIGN.search(said):
            raise UsageError(
                f"{place}: {problem}git reads no repository of another user ({found[1]})",
                hint=f"if you trust it: git config --global --add safe.directory "
                f"{shlex.quote(found[1])}",
            )
        said = one_line(said.partition("\n")[0], _MAX_SHOWN)
        raise UsageError(
            f"{place}: {problem}git finds no such revision or file ({said})",
            hint="name a file, a revision such as HEAD, or REVISION:PATH such as main:pylock.toml, "
            "whose path begins at the working folder",
        )
    return done.stdout.decode(errors="replace")
