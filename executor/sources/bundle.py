"""A bundle: the files of a lock one after the other in a tar archive, taken from where they lie.

Only the headers are read, once; a file is read from its place when its turn comes. What comes
through a pipe has no places (``bundle_stream``).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cache, lru_cache
from io import FileIO
from struct import Struct
from typing import ClassVar, Literal

from executor.archive.chunk_reader import FileReader, Truncated
from executor.archive.tar_reader import InvalidTar, read_tar
from executor.files.regular import open_regular
from executor.lock.step import Step
from executor.sources.bundle_stream import BundleStream, check_count, check_plain, digest_of
from executor.sources.errors import InvalidBundle
from executor.sources.local_file import read_file
from schemas.data_class import frozen

__all__ = ["STANDARD_INPUT", "Bundle", "bundle_at", "stream_at"]


STANDARD_INPUT = "-"


_AGAIN = "/proc/self/fd/"
"""Where Linux opens once more what a shell has opened; a pipe stays the same pipe."""


_SAME = "/dev/fd/"
"""Where a shell puts the pipe of ``<(...)``. On other systems a file there has one position for all
who open it."""


_BLOCK = 4 << 10
"""Bytes read at once of the headers, which lie far apart."""


_END = 512
"""Bytes without contents at the end of every archive, or more."""


_MAX_NAME = 255
"""Bytes of the name of a file (NAME_MAX). A lock names no file with a longer one."""


_LARGEST = (1 << 63) - 1
"""Bytes of the largest file that there can be."""


_PLACE = Struct("<8sQQ")
"""The digest of a name, the first byte of the file and its bytes."""


@frozen
class Bundle:
    """The places of the files in the archive at ``path``."""

    is_stream: ClassVar[Literal[False]] = False
    path: str
    places: bytes
    """A ``_PLACE`` for each file, in the order of the archive."""

    def place(self, name: str) -> tuple[int, int] | None:
        """Return the first byte and the bytes of a file, by its name without folders. Of files with
        one name the last counts, as for tar, which adds a new one to the end.
        """
        key, at = digest_of(name), len(self.places)
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


def bundle_at(path: str) -> Bundle | BundleStream:
    """Return the bundle at ``path``, or of standard input; it is read once for each version of the
    file.

    Raises InvalidBundle if it cannot be read or is not a tar archive.
    """
    if (stream := stream_at(path)) is not None:
        return stream
    try:
        status = os.stat(place := _place_of(path))
        return _opened(os.path.abspath(place), path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise InvalidBundle(path, f"cannot be read: {error.strerror or error}") from None


def stream_at(path: str) -> BundleStream | None:
    """Return the bundle that comes through a pipe at ``path``, or of standard input; None if there
    is no pipe. A file is not looked at.

    Raises InvalidBundle if it cannot be read.
    """
    place = _place_of(path)
    if not place.startswith((_AGAIN, _SAME)):
        return None
    try:
        status = os.stat(place)
        if place.startswith(_AGAIN) and stat.S_ISREG(status.st_mode):
            return None
        return _piped(place, path, status.st_dev, status.st_ino)
    except OSError as error:
        raise InvalidBundle(path, f"cannot be read: {error.strerror or error}") from None


def _place_of(path: str) -> str:
    if path != STANDARD_INPUT:
        return path
    return f"{_AGAIN if os.path.exists(_AGAIN) else _SAME}0"


@cache
def _piped(place: str, path: str, _device: int, _inode: int) -> BundleStream:
    descriptor = int(place.rpartition("/")[2])
    name = "standard input" if path == STANDARD_INPUT else path
    if os.isatty(descriptor):
        raise InvalidBundle(name, "is a terminal", hint="pipe an archive to it, or name a file")
    return BundleStream(name, FileIO(descriptor, closefd=False))


@lru_cache(maxsize=8)
def _opened(place: str, path: str, _changed: int, _size: int) -> Bundle:
    with open_regular(place) as file:
        size = os.fstat(file.fileno()).st_size
        begin, end = (os.pread(file.fileno(), _END, at) for at in (0, max(0, size - _END)))
        check_plain(path, begin)
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
            found += _PLACE.pack(digest_of(name), reader.offset, member.size)
        check_count(path, len(found) // _PLACE.size)
    return bytes(found)
