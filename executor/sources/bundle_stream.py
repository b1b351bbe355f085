"""A bundle that comes through a pipe: its files are read as they come by, once, in their order.

Executions and bundles have one fixed order of files, so that no file has to be kept for later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from hashlib import blake2b
from io import FileIO
from typing import ClassVar, Literal

from executor.archive.chunk_reader import ChunkReader, Truncated
from executor.archive.tar_reader import InvalidTar, TarMember, read_tar
from executor.lock.step import Step
from executor.sources.errors import InvalidBundle, Unreachable

__all__ = ["BundleStream", "check_count", "check_plain", "digest_of"]


_CHUNK = 128 << 10
"""Bytes read at once."""


_MAX_FILES = 100_000
"""Files of a bundle; a lock of 1,000 packages with 40 wheels each has fewer."""


_DIGEST = 8


_PACKED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}
"""The first bytes of a compressed file, and the program that wrote it."""


def check_plain(path: str, begin: bytes) -> None:
    """Raise InvalidBundle if ``begin``, the first bytes of the archive, are of a compressed one."""
    if (packed := _PACKED.get(begin[:2])) is not None:
        raise InvalidBundle(path, f"is compressed ({packed}); wheels are already")


def check_count(path: str, files: int) -> None:
    """Raise InvalidBundle if no lock has so many files."""
    if files > _MAX_FILES:
        raise InvalidBundle(path, f"has more than {_MAX_FILES} files")


def digest_of(name: str) -> bytes:
    """Return ``_DIGEST`` bytes for the name of a file. Names would take ten times as much; what a
    file of another name would be taken for has another hash.
    """
    return blake2b(name.encode(errors="surrogateescape"), digest_size=_DIGEST).digest()


class BundleStream:
    """The bundle that ``file``, which is open, brings; ``path`` is for messages.

    One process reads it, so an execution has one lane.
    """

    is_stream: ClassVar[Literal[True]] = True

    def __init__(self, path: str, file: FileIO) -> None:
        self.path = path
        self._file = file
        self._reader = ChunkReader(iter(partial(file.read, _CHUNK), b""))
        self._members = self._named()
        self._passed = bytearray()
        """The digests of the names that came."""

    def holds(self, _: Step) -> bool:
        """Return True: whether it has the file of a step shows when it has come."""
        return True

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the bytes of a file, which is not among those that came before.

        Raises InvalidBundle, and Unreachable if it does not come any more.
        """
        try:
            for found, member in self._members:
                self._passed += digest_of(found)
                check_count(self.path, len(self._passed) // _DIGEST)
                if found == name:
                    yield from self._content(member)
                    return
        except InvalidTar as error:
            raise InvalidBundle(self.path, f"is no tar archive: {error}") from None
        except Truncated:
            raise InvalidBundle(self.path, "is cut short") from None
        except OSError as error:
            raise InvalidBundle(self.path, f"cannot be read: {error.strerror or error}") from None
        raise self._absent(name)

    def drain(self) -> None:
        """Read what is left: a program that still writes to the pipe would be ended by a signal."""
        with suppress(OSError):
            while self._file.read(_CHUNK):
                pass

    def _named(self) -> Iterator[tuple[str, TarMember]]:
        """Yield the members that are files, each after its name without folders."""
        self._reader.hold()
        check_plain(self.path, self._reader.chunk()[0])
        for member in read_tar(self._reader):
            if member.kind == "file":
                yield member.name.rpartition("/")[2], member

    def _content(self, member: TarMember) -> Iterator[bytes]:
        left = member.size
        while left:
            chunk = bytes(self._reader.some(min(left, _CHUNK)))
            if not chunk:
                raise Truncated
            left -= len(chunk)
            yield chunk

    def _absent(self, name: str) -> Unreachable:
        digests = (
            bytes(self._passed[at : at + _DIGEST]) for at in range(0, len(self._passed), _DIGEST)
        )
        if digest_of(name) in digests:
            return Unreachable(
                f"{self.path}/{name}",
                "it came earlier than it is needed, and is gone",
                hint="write the archive to a file and name that: --bundle FILE",
            )
        if not self._passed:
            return Unreachable(self.path, "no file came", hint="pipe lockstream bundle -o - to it")
        return Unreachable(
            f"{self.path}/{name}",
            "the archive has no such file",
            hint="make it again from this lock: lockstream bundle -o FILE",
        )
