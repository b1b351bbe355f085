"""A file that is sent to a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import IO, Self

from schemas.data_class import frozen

__all__ = ["Upload"]


_CHUNK_SIZE = 256 << 10


@frozen
class Upload:
    """An open file, which is read from its beginning for each attempt and each redirect.

    The caller owns the file.
    """

    file: IO[bytes]
    size: int
    """Bytes."""

    @classmethod
    def of(cls, file: IO[bytes]) -> Self:
        """Return the upload of all that ``file`` has now. Raises OSError."""
        return cls(file, file.seek(0, os.SEEK_END))

    def __iter__(self) -> Iterator[bytes]:
        self.file.seek(0)
        while chunk := self.file.read(_CHUNK_SIZE):
            yield chunk
