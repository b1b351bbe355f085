"""The cache of index documents on disk, shared by all plans of a user.

Each entry is a compressed file of its own that is replaced atomically, so any number of plans may
share a cache. It begins with the digest of its key: who may write to a folder can exchange files in
it, though not change them. A damaged or exchanged entry counts as missing. When the cache grows
beyond its limit, the entries that were not used for longest are removed first.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from typing import Literal

import zstandard
from packaging.utils import NormalizedName

from executor import is_trusted
from schemas.data_class import frozen

__all__ = ["KINDS", "MAX_SIZE", "Cache", "Kind", "PageSeen", "Usage", "unpacked"]


Kind = Literal["pages", "plans", "metadata", "sizes"]
"""Kinds of entries: pages of projects; plans, by their questions; and METADATA files, and sizes
with file lists of wheels by the address and the stated hash of the wheel, which never change."""


KINDS: tuple[Kind, ...] = ("pages", "plans", "metadata", "sizes")


MAX_SIZE = 1 << 30
"""Bytes. Planning a thousand packages takes about a tenth."""


PRUNE_SECONDS = 24 * 3600
"""Pruning reads every folder, so it is done at most once a day."""


USE_SECONDS = 3600
"""Precision of the time when an entry was used: writing it takes as long as reading the entry."""


_VERSION = "v6"
"""Version of the format of entries. Increase it when the format changes."""


_LEVEL = 1
"""Level of compression: 3 does not make pages smaller, and takes three times as long."""


_MAX_ENTRY_SIZE = 256 << 20
"""Bytes of an entry when decompressed; no page is larger."""


@frozen
class Usage:
    """The entries of one kind: how many, and their size."""

    entries: int
    size: int
    """Bytes on disk, compressed."""


@frozen
class _KeptFile:
    used: float
    size: int
    path: str


class Cache:
    """The cache in ``folder``, which is made at the first write. Many threads and processes may use
    it.

    An entry that cannot be read, or that another user may have written, counts as missing; one
    that cannot be written is not kept.
    """

    def __init__(self, folder: str, *, limit: int = MAX_SIZE) -> None:
        self.folder = os.path.abspath(folder)
        self._root = os.path.join(self.folder, _VERSION)
        self._limit = limit
        self._wrote = False

    def read(self, kind: Kind, key: str) -> bytes | None:
        """Return the entry of ``key``, or None."""
        path = self._path(kind, key)
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
                status = os.fstat(file.fileno())
                is_file = stat.S_ISREG(status.st_mode)  # a device has no end
                if not is_file or not is_trusted(status) or status.st_size > _MAX_ENTRY_SIZE:
                    return None
                packed = file.read()
                used = status.st_mtime
            content = unpacked(packed, _MAX_ENTRY_SIZE)
            if time.time() - used > USE_SECONDS:
                os.utime(path)
        except (OSError, zstandard.ZstdError):
            return None
        mark = _mark(kind, key)
        return content[len(mark) :] if content.startswith(mark) else None

    def write(self, kind: Kind, key: str, content: bytes) -> None:
        """Keep ``content`` as the entry of ``key``."""
        path = self._path(kind, key)
        temporary = f"{path}.{secrets.token_hex(8)}.tmp"
        packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
        packed = packer.compress(_mark(kind, key) + content)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with suppress(OSError):
            try:
                try:
                    number = os.open(temporary, flags, 0o600)
                except FileNotFoundError:
                    # Other users must not read pages of private indexes.
                    os.makedirs(self.folder, mode=0o700, exist_ok=True)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    number = os.open(temporary, flags, 0o600)
                try:
                    while packed:
                        packed = packed[os.write(number, packed) :]
                finally:
                    os.close(number)
                os.replace(temporary, path)
                self._wrote = True
            except OSError:
                with suppress(OSError):
                    os.unlink(temporary)

    def tidy(self) -> None:
        """Prune, if something was written and the cache was not pruned today."""
        mark = os.path.join(self._root, "pruned")
        with suppress(OSError):
            if self._wrote and _age(mark) > PRUNE_SECONDS:
                with open(mark, "w", encoding="ascii"):
                    pass
                self.prune()

    def prune(self, limit: int | None = None) -> int:
        """Remove entries, the longest unused first, until the rest takes at most ``limit`` bytes.

        Return the bytes that were freed.
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
        """Remove everything, of older versions of the program too. Return the bytes that were
        freed.
        """
        import shutil  # noqa: PLC0415  # loads four formats of archives

        freed = 0
        for layout in _layouts(self.folder):
            freed += sum(file.size for file in _files_below(layout))
            shutil.rmtree(layout, ignore_errors=True)
        return freed

    def usage(self) -> dict[Kind, Usage]:
        """Return the number and size of the entries of each kind."""
        found = {}
        for kind in KINDS:
            sizes = [file.size for file in self._files(kind)]
            found[kind] = Usage(len(sizes), sum(sizes))
        return found

    def _path(self, kind: Kind, key: str) -> str:
        digest = sha256(key.encode()).hexdigest()
        # A plan of 100 projects writes 300 entries: 256 folders would be made for nearly as many.
        return os.path.join(self._root, kind, digest[:1], digest[1:])

    def _files(self, kind: Kind) -> Iterator[_KeptFile]:
        return _files_below(os.path.join(self._root, kind))


def _mark(kind: Kind, key: str) -> bytes:
    """Return what the entry of a key begins with."""
    return sha256(f"{kind} {key}".encode()).digest()


def _layouts(folder: str) -> list[str]:
    """Return the folders in which versions of this program keep their entries."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [os.path.join(folder, name) for name in names if re.fullmatch(r"v[0-9]+", name)]


def _files_below(folder: str) -> Iterator[_KeptFile]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            with suppress(OSError):
                status = os.lstat(path)
                yield _KeptFile(status.st_mtime, status.st_size, path)


def unpacked(packed: bytes, limit: int) -> bytes:
    """Return the bytes of a zstandard frame, at most ``limit``. Raises ZstdError."""
    stated = zstandard.get_frame_parameters(packed).content_size
    # Stated sizes are allocated at once, whatever the limit is.
    if stated not in (0, zstandard.CONTENTSIZE_UNKNOWN) and stated > limit:
        raise zstandard.ZstdError(f"it states {stated} bytes, more than {limit}")
    return zstandard.ZstdDecompressor().decompress(packed, limit, allow_extra_data=False)


def _by_use(file: _KeptFile) -> float:
    return file.used


def _age(path: str) -> float:
    try:
        return time.time() - os.stat(path).st_mtime
    except FileNotFoundError:
        return float("inf")


@frozen
class PageSeen:
    """A page that a plan has read."""

    index: str
    """The URL of the index."""
    project: NormalizedName
    digest: str
    """SHA-256 of the body that the index sent; empty if it does not have the project."""
    fresh_until: float
    """Seconds since the epoch until which it may be used without a request."""
