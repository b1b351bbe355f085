"""Wheelhouse: wheels that were built on this machine, kept by all that they depend on."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from schemas.hints import TOOL_NAME

__all__ = ["Wheelhouse", "default_wheelhouse", "digest_of"]


_DIGEST = "sha256"
"""The file beside a wheel that says what it has to be."""


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """Wheels in ``folder``, each in one that is named for its key. What cannot be read is not
    there, and what cannot be written is not kept.
    """

    folder: str

    def find(self, key: str) -> str | None:
        """The path of the wheel with this key, which is what was kept."""
        place = os.path.join(self.folder, key)
        with suppress(OSError):
            (name,) = [one for one in os.listdir(place) if one.endswith(".whl")] or [""]
            with open(os.path.join(place, _DIGEST), encoding="ascii") as file:
                expected = file.read()
            path = os.path.join(place, name)
            if name and digest_of(path) == expected:
                return path
        return None

    def keep(self, key: str, path: str) -> None:
        """Keep a copy of the wheel at ``path``."""
        place = os.path.join(self.folder, key)
        unfinished = f"{place}.{os.getpid()}"
        with suppress(OSError):
            os.makedirs(unfinished)
            copy = shutil.copy(path, unfinished)
            with open(os.path.join(unfinished, _DIGEST), "w", encoding="ascii") as file:
                file.write(digest_of(copy))
            shutil.rmtree(place, ignore_errors=True)
            os.rename(unfinished, place)
        shutil.rmtree(unfinished, ignore_errors=True)


def default_wheelhouse(environment: Mapping[str, str]) -> Wheelhouse:
    """That of the user, in the folder where planning keeps its cache too."""
    base = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = environment.get("LOCKSTREAM_CACHE_DIR") or os.path.join(base, TOOL_NAME)
    return Wheelhouse(os.path.join(folder, "built"))


def digest_of(path: str) -> str:
    """SHA-256 of a file, in hexadecimal. Raises OSError."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
