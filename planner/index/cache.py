"""Cache: what was read from indexes, kept on disk between plans.

Entries are compressed, each in a file of its own that is replaced at once, so any number of plans
may share a cache; an entry that was damaged counts as none. What is not used for longest goes
first when the cache grows beyond its limit.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

import zstandard
from packaging.utils import NormalizedName

__all__ = ["KINDS", "MAX_SIZE", "Cache", "Kind", "PageSeen", "Usage"]


Kind = Literal["pages", "plans", "metadata", "sizes", "listings"]
"""Pages of projects; plans, by what they answer; METADATA files, sizes and file names of wheels,
which are kept by the hash of the wheel, so they never change."""


KINDS: tuple[Kind, ...] = ("pages", "plans", "metadata", "sizes", "listings")


MAX_SIZE = 1 << 30
"""Bytes. Planning a thousand packages takes about a tenth."""


PRUNE_SECONDS = 24 * 3600
"""Looking for what can go reads every folder, so it is done once a day at most."""


USE_SECONDS = 3600
"""How exactly it is known when an entry was used: noting it takes as long as reading it."""


_VERSION = "v3"
"""Changes whenever entries are written in another way."""


_LEVEL = 1
"""Of compression: 3 makes no less of pages, and takes three times as long."""


_MAX_ENTRY_SIZE = 256 << 20
"""Bytes of an entry when unpacked; no page is larger."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What entries of one kind take."""

    entries: int
    size: int
    """Bytes on disk, compressed."""


@dataclass(frozen=True, slots=True)
class _KeptFile:
    used: float
    size: int
    path: str


class Cache:
    """The cache in ``folder``, made when something is written; safe to use from many threads and
    processes. What cannot be read is not there, and what cannot be written is not kept.
    """

    def __init__(self, folder: str, *, limit: int = MAX_SIZE) -> None:
        self.folder = os.path.abspath(folder)
        self._root = os.path.join(self.folder, _VERSION)
        self._limit = limit
        self._wrote = False

    def read(self, kind: Kind, key: str) -> bytes | None:
        """The entry of ``key``, if there is one."""
        path = self._path(kind, key)
        try:
            with open(path, "rb") as file:
                packed = file.read()
                used = os.fstat(file.fileno()).st_mtime
            content = zstandard.ZstdDecompressor().decompress(
                packed, max_output_size=_MAX_ENTRY_SIZE
            )
            if time.time() - used > USE_SECONDS:
                os.utime(path)
        except (OSError, zstandard.ZstdError):
            return None
        return content

    def write(self, kind: Kind, key: str, content: bytes) -> None:
        """Keep ``content`` as the entry of ``key``."""
        path = self._path(kind, key)
        temporary = f"{path}.{secrets.token_hex(8)}.tmp"
        packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        with suppress(OSError):
            # Pages of private indexes are nobody else's business.
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            try:
                with open(temporary, "xb") as file:
                    file.write(packer.compress(content))
                os.replace(temporary, path)
                self._wrote = True
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary)

    def tidy(self) -> None:
        """Prune, where something was written and nobody did it today."""
        mark = os.path.join(self._root, "pruned")
        with suppress(OSError):
            if self._wrote and _age(mark) > PRUNE_SECONDS:
                with open(mark, "w", encoding="ascii"):
                    pass
                self.prune()

    def prune(self, limit: int | None = None) -> int:
        """Remove what was not used for longest until the rest takes ``limit`` bytes or less; the
        bytes that are free now.
        """
        files = sorted((file for kind in KINDS for file in self._files(kind)), key=_by_use)
        excess = sum(file.size for file in files) - (self._limit if limit is None else limit)
        freed = 0
        for file in files:
            if freed >= excess:
                break
            with suppress(OSError):
                os.unlink(file.path)
                freed += file.size
        return freed

    def clear(self) -> int:
        """Remove everything; the bytes that are free now."""
        size = sum(usage.size for usage in self.usage().values())
        shutil.rmtree(self._root, ignore_errors=True)
        return size

    def usage(self) -> dict[Kind, Usage]:
        """What entries of each kind take."""
        found = {}
        for kind in KINDS:
            sizes = [file.size for file in self._files(kind)]
            found[kind] = Usage(len(sizes), sum(sizes))
        return found

    def _path(self, kind: Kind, key: str) -> str:
        digest = sha256(key.encode()).hexdigest()
        return os.path.join(self._root, kind, digest[:2], digest[2:])

    def _files(self, kind: Kind) -> Iterator[_KeptFile]:
        for folder, _, names in os.walk(os.path.join(self._root, kind)):
            for name in names:
                path = os.path.join(folder, name)
                with suppress(OSError):
                    status = os.stat(path)
                    yield _KeptFile(status.st_mtime, status.st_size, path)


def _by_use(file: _KeptFile) -> float:
    return file.used


def _age(path: str) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except FileNotFoundError:
        return float("inf")


@dataclass(frozen=True, slots=True)
class PageSeen:
    """A page that a plan looked at."""

    index: str
    """The URL of the index."""
    project: NormalizedName
    digest: str
    """SHA-256 of what the index sent; empty where it does not know the project."""
    fresh_until: float
    """Seconds since the epoch; until then nobody need be asked whether it is the same."""
