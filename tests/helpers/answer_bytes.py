"""The bytes of servers' answers, as a connection hands them out."""

from __future__ import annotations

import errno
import io
from typing import NoReturn

__all__ = ["BETWEEN", "AnswerBytes"]

BETWEEN = b"\0\0next answer\0\0"
"""What separates the answers of one case."""


class AnswerBytes:
    """One answer, behind a socket that keeps what is sent."""

    def __init__(
        self, answer: bytes, sent: list[bytes] | None = None, *, piece: int = 1 << 20
    ) -> None:
        """``piece`` is how many bytes arrive at once."""
        self.received = 0
        """How often something was received."""
        self._content = io.BytesIO(answer)
        self._piece = piece
        self._sent = [] if sent is None else sent

    def recv(self, most: int) -> bytes:
        self.received += 1
        return self._content.read(min(most, self._piece))

    def sendall(self, data: bytes) -> None:
        self._sent.append(data)

    def getpeername(self) -> NoReturn:
        raise OSError(errno.ENOTCONN, "this socket leads nowhere")

    family = 0

    def settimeout(self, _: object) -> None:
        pass

    def close(self) -> None:
        pass
