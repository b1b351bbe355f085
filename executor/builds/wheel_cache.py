"""A cache of the wheels that were built on this machine, by everything that they depend on."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress

from executor.files.file_digest import digest_file
from executor.files.folders import remove_tree
from executor.files.regular import read_regular
from executor.files.user_folders import cache_folder, is_trusted
from schemas.data_class import frozen

__all__ = ["WheelCache", "default_wheel_cache"]


_DIGEST = "sha256"
"""Name of the file that records the digest of the wheel in its folder."""


_MAX_DIGEST = 64
"""Bytes of that file."""


@frozen
class WheelCache:
    """The built wheels of one user, each in a folder that is named for its key.

    A wheel that cannot be read, or that another user may have written, counts as missing; one that
    cannot be written is not kept.
    """

    folder: str | None
    """None to keep no wheels."""

    def find(self, key: str) -> str | None:
        """Return the path of the wheel with this key if it is there and unchanged."""
        if self.folder is None:
            return None
        place = os.path.join(self.folder, key)
        with suppress(OSError):
            names = [one for one in os.listdir(place) if one.endswith(".whl")]
            if len(names) != 1:
                return None
            path, digest = os.path.join(place, names[0]), os.path.join(place, _DIGEST)
            if not all(is_trusted(os.lstat(one)) for one in (self.folder, place, path, digest)):
                return None
            # A pipe would be waited for.
            if not stat.S_ISREG(os.lstat(path).st_mode):
                return None
            if digest_file(path).hex().encode() == read_regular(digest, _MAX_DIGEST):
                return path
        return None

    def keep(self, key: str, path: str) -> None:
        """Keep a copy of the wheel at ``path``."""
        if self.folder is None:
            return
        place = os.path.join(self.folder, key)
        unfinished = f"{place}.{os.getpid()}"
        with suppress(OSError):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            os.chmod(self.folder, 0o700)  # it may be older than this rule
            os.mkdir(unfinished, 0o700)
            copy = shutil.copyfile(path, os.path.join(unfinished, os.path.basename(path)))
            digest = os.path.join(unfinished, _DIGEST)
            with open(digest, "w", encoding="ascii") as file:
                file.write(digest_file(copy).hex())
            for made in (copy, digest):
                os.chmod(made, 0o600)
            remove_tree(place)
            os.rename(unfinished, place)
        remove_tree(unfinished)


def default_wheel_cache(environ: Mapping[str, str]) -> WheelCache:
    """Return the cache of the user; ``environ`` as ``os.environ``."""
    folder = cache_folder(environ)
    return WheelCache(os.path.join(folder, "built") if folder else None)
