"""A cache of the wheels that were built on this machine, by everything that they depend on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from executor.files.file_digest import digest_file
from executor.files.user_folders import cache_folder

__all__ = ["WheelCache", "default_wheel_cache"]


_DIGEST = "sha256"
"""Name of the file that records the digest of the wheel in its folder."""


@dataclass(frozen=True, slots=True)
class WheelCache:
    """The built wheels of one user, each in a folder that is named for its key.

    A wheel that cannot be read counts as missing, and one that cannot be written is not kept.
    """

    folder: str | None
    """None to keep no wheels."""

    def find(self, key: str) -> str | None:
        """Return the path of the wheel with this key if it is there and unchanged."""
        if self.folder is None:
            return None
        place = os.path.join(self.folder, key)
        with suppress(OSError):
            (name,) = [one for one in os.listdir(place) if one.endswith(".whl")] or [""]
            with open(os.path.join(place, _DIGEST), encoding="ascii") as file:
                expected = file.read()
            path = os.path.join(place, name)
            if name and digest_file(path).hex() == expected:
                return path
        return None

    def keep(self, key: str, path: str) -> None:
        """Keep a copy of the wheel at ``path``."""
        if self.folder is None:
            return
        place = os.path.join(self.folder, key)
        unfinished = f"{place}.{os.getpid()}"
        with suppress(OSError):
            os.makedirs(unfinished)
            copy = shutil.copy(path, unfinished)
            with open(os.path.join(unfinished, _DIGEST), "w", encoding="ascii") as file:
                file.write(digest_file(copy).hex())
            shutil.rmtree(place, ignore_errors=True)
            os.rename(unfinished, place)
        shutil.rmtree(unfinished, ignore_errors=True)


def default_wheel_cache(environ: Mapping[str, str]) -> WheelCache:
    """Return the cache of the user; ``environ`` as ``os.environ``."""
    folder = cache_folder(environ)
    return WheelCache(os.path.join(folder, "built") if folder else None)
