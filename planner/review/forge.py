"""The repository that a project is in, and the forge that it is on."""

from __future__ import annotations

import os
import re
from contextlib import suppress

from executor import read_input

__all__ = ["FORGES", "find_forges", "find_root"]

FORGES = ("github", "gitlab")

_HOST = re.compile(r"^\s*url\s*=\s*(?:\w+://)?(?:[^@/\s]*@)?([^/:\s]+)", re.MULTILINE)
"""The host of an address of git: ``https://HOST/x``, ``user@HOST:x``."""


def find_root(folder: str) -> str | None:
    """Return the folder of the repository of git that ``folder`` is in; None outside of one."""
    folder = os.path.realpath(folder)
    while not os.path.exists(os.path.join(folder, ".git")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent
    return folder


def find_forges(root: str) -> tuple[str, ...]:
    """Return the FORGES that the repository at ``root`` is on: by its remotes, or else by the
    files of a forge that it has.
    """
    hosts = " ".join(_HOST.findall(_configuration(root)))
    if named := tuple(name for name in FORGES if name in hosts):
        return named
    present = {
        "github": os.path.isdir(os.path.join(root, ".github")),
        "gitlab": os.path.exists(os.path.join(root, ".gitlab-ci.yml")),
    }
    return tuple(name for name in FORGES if present[name])


def _configuration(root: str) -> str:
    """Return the text of the configuration of git; of the repository, in a working tree of it."""
    place = os.path.join(root, ".git")
    if pointer := _text(place).removeprefix("gitdir:").strip():
        place = os.path.join(root, pointer)
        # A working tree names the folder that it shares; a submodule has a folder of its own.
        place = os.path.join(place, _text(os.path.join(place, "commondir")).strip())
    return _text(os.path.join(place, "config"))


def _text(path: str) -> str:
    """Return the content of a file; nothing if there is none to read."""
    with suppress(OSError, UnicodeDecodeError):
        return read_input(path).decode()
    return ""
