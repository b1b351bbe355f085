"""The bytes of servers' answers, as a connection hands them out."""

from __future__ import annotations

import io
from typing import Any

__all__ = ["BETWEEN", "AnswerBytes"]

BETWEEN = b"\0\0next answer\0\0"
"""What separates the answers of one case."""


class AnswerBytes(io.RawIOBase):
    """One answer, behind a socket."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(buffer)
