"""A reader of an iterable of chunks by number of bytes, wherever the chunks are cut."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from struct import Struct
from typing import BinaryIO

__all__ = ["ChunkReader", "FileReader", "Truncated"]


class Truncated(ValueError):
    """The bytes ended before what had to be read."""


class ChunkReader:
    """The bytes of ``chunks`` in order, of which it holds one chunk at a time.

    One wheel's ``ForwardZip`` owns it.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._chunk = b""
        self._position = 0
        self._passed = 0

    @property
    def offset(self) -> int:
        """The number of bytes read so far."""
        return self._passed + self._position

    def exactly(self, count: int) -> bytes:
        """Return the next ``count`` bytes. Raises Truncated if there are fewer."""
        end = self._position + count
        if end <= len(self._chunk):
            data = self._chunk[self._position : end]
            self._position = end
            return data
        parts: list[bytes | memoryview] = []
        while count:
            part = self.some(count)
            if not part:
                raise Truncated
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def fields(self, form: Struct) -> tuple[int, ...]:
        """Return the next ``form.size`` bytes as the numbers that ``form`` describes.

        Raises Truncated if there are fewer.
        """
        start = self._position
        end = start + form.size
        if end <= len(self._chunk):
            self._position = end
            return form.unpack_from(self._chunk, start)
        return form.unpack(self.exactly(form.size))

    def some(self, limit: int) -> memoryview:
        """Return one to ``limit`` bytes, or none at the end. They are valid until the next read."""
        while self._position == len(self._chunk):
            chunk = next(self._chunks, None)
            if chunk is None:
                return memoryview(b"")
            self._passed += len(self._chunk)
            self._chunk = chunk
            self._position = 0
        start = self._position
        self._position = min(start + limit, len(self._chunk))
        return memoryview(self._chunk)[start : self._position]

    def leave(self, count: int) -> None:
        """Pass over the next ``count`` bytes. Raises Truncated if there are fewer."""
        while count:
            part = self.some(count)
            if not part:
                raise Truncated
            count -= len(part)

    def hold(self) -> None:
        """Hold the chunk in which the next byte is, if there is one."""
        self.some(0)

    def at_hand(self, count: int) -> memoryview | None:
        """Return the next ``count`` bytes without reading them; None if they end in a later chunk.

        They are valid until the next read.
        """
        end = self._position + count
        if end > len(self._chunk):
            return None
        return memoryview(self._chunk)[self._position : end]

    def skip(self, count: int) -> None:
        """Read past ``count`` bytes that ``at_hand`` or ``chunk`` returned."""
        self._position += count

    def chunk(self) -> tuple[bytes, int]:
        """Return the chunk that is held, and the place in it of the next byte to read."""
        return self._chunk, self._position

    def give_back(self, data: bytes) -> None:
        """Unread ``data``, the last bytes that were read; they may come from several chunks."""
        if len(data) <= self._position:
            self._position -= len(data)
            return
        offset = self.offset - len(data)
        self._chunk = data + self._chunk[self._position :]
        self._position = 0
        self._passed = offset


class FileReader(ChunkReader):
    """The bytes of an open file, read in blocks of ``block`` bytes; what is left is not read."""

    def __init__(self, file: BinaryIO, block: int) -> None:
        super().__init__(iter(partial(file.read, block), b""))
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def leave(self, count: int) -> None:
        """Pass over the next ``count`` bytes. Raises Truncated if there are fewer."""
        held = len(self._chunk) - self._position
        if count <= held:
            self._position += count
            return
        self._passed = self.offset + count
        if self._passed > self._size:
            raise Truncated
        self._chunk, self._position = b"", 0
        self._file.seek(count - held, os.SEEK_CUR)
