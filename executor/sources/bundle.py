"""A bundle: the files of a lock one after the other in a tar archive, taken from where they lie.

Only the headers are read, once; a file is read from its place when its turn comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from struct import Struct

from executor.archive.chunk_reader import FileReader, Truncated
from executor.archive.tar_reader import InvalidTar, read_tar
from executor.files.regular import open_regular
from executor.lock.step import Step
from executor.sources.errors import InvalidBundle
from executor.sources.local_file import read_file
from schemas.data_class import frozen

__all__ = ["Bundle", "bundle_at"]


_BLOCK = 4 << 10
"""Bytes read at once of the headers, which lie far apart."""


_END = 512
"""Bytes without contents at the end of every archive, or more."""


_MAX_FILES = 100_000
"""Files of a bundle; a lock of 1,000 packages with 40 wheels each has fewer."""


_MAX_NAME = 255
"""Bytes of the name of a file (NAME_MAX). A lock names no file with a longer one."""


_LARGEST = (1 << 63) - 1
"""Bytes of the largest file that there can be."""


_PACKED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
"""The first bytes of a compressed file, and the program that wrote it."""


_PLACE = Struct("<8sQQ")
"""A digest of a name, the first byte of the file and its bytes. Names would take ten times as
much; what a file of another name would be taken for has another hash."""


@frozen
class Bundle:
    """The places of the files in the archive at ``path``."""

    path: str
    places: bytes
    """A ``_PLACE`` for each file, in the order of the archive."""

    def place(self, name: str) -> tuple[int, int] | None:
        """Return the first byte and the bytes of a file, by its name without folders. Of files with
        one name the last counts, as for tar, which adds a new one to the end.
        """
        key, at = _digest(name), len(self.places)
        while (at := self.places.rfind(key, 0, at)) >= 0:
            if at % _PLACE.size == 0:
                return _PLACE.unpack_from(self.places, at)[1:]
            at += len(key) - 1
        return None

    def holds(self, step: Step) -> bool:
        """Return whether it has a file of the name and the size of a step. Whether that is the
        right one shows when it is read.
        """
        place = self.place(step.filename)
        return place is not None and step.size in {None, place[1]}

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file. Raises Unreachable and OSError as ``read_file`` does, and
        KeyError if there is none.
        """
        if (place := self.place(name)) is None:
            raise KeyError(name)
        start, left = place
        for chunk in read_file(self.path, start) if left else ():
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return


def _digest(name: str) -> bytes:
    return blake2b(name.encode(errors="surrogateescape"), digest_size=8).digest()


def bundle_at(path: str) -> Bundle:
    """Return the bundle at ``path``; it is read once for each version of the file.

    Raises InvalidBundle if it cannot be read or is not a tar archive.
    """
    try:
        status = os.stat(path)
        return _opened(os.path.abspath(path), path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InvalidBundle(path, f"cannot be read: {error.strerror or error}") from None


@lru_cache(maxsize=8)
def _opened(place: str, path: str, _changed: int, _size: int) -> Bundle:
    with open_regular(place) as file:
        size = os.fstat(file.fileno()).st_size
        begin, end = (os.pread(file.fileno(), _END, at) for at in (0, max(0, size - _END)))
        if (packed := _PACKED.get(begin[:2])) is not None:
            raise InvalidBundle(path, f"is compressed ({packed}); wheels are already")
        reader = FileReader(file, _BLOCK)
        try:
            places = _places(path, reader)
            # What is cut between two members looks whole but for its end.
            is_whole = reader.offset and not any(end)
        except InvalidTar as error:
            raise InvalidBundle(path, f"is no tar archive: {error}") from None
        except Truncated:
            is_whole = False
    if not is_whole:
        raise InvalidBundle(path, "is cut short, or something follows its end")
    return Bundle(place, places)


def _places(path: str, reader: FileReader) -> bytes:
    """Return the ``places`` of the bundle at ``path``. Raises InvalidBundle, InvalidTar and
    Truncated.
    """
    found = bytearray()
    for member in read_tar(reader):
        name = os.path.basename(member.name)
        if member.size > _LARGEST:
            raise Truncated
        if member.kind == "file" and name and len(name) <= _MAX_NAME:
            found += _PLACE.pack(_digest(name), reader.offset, member.size)
        if len(found) > _MAX_FILES * _PLACE.size:
            raise InvalidBundle(path, f"has more than {_MAX_FILES} files")
    return bytes(found)
