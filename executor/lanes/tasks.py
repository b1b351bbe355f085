"""The steps that no lane has begun, as numbers that all lanes take from one pipe."""

from __future__ import annotations

import fcntl
import os
import termios
from collections import deque
from collections.abc import Callable, Sequence
from struct import Struct

from executor.lock.step import Step

__all__ = ["Tasks", "coming", "following"]


_NUMBER = Struct("<L")


_INT = Struct("@i")
"""What FIONREAD returns (https://man7.org/linux/man-pages/man2/FIONREAD.2const.html)."""


_PIPE_SIZE = 64 << 10
"""Bytes that a pipe holds unless it is enlarged (https://man7.org/linux/man-pages/man7/pipe.7.html).
"""


class Tasks:
    """The numbers of the steps that no lane has begun, in a pipe that all lanes read from.

    Each number is read once (https://man7.org/linux/man-pages/man7/pipe.7.html). ``run_lanes`` owns
    it.
    """

    def __init__(self, count: int) -> None:
        self._pipe, fill = os.pipe()
        numbers = b"".join(_NUMBER.pack(number) for number in range(count))
        if len(numbers) > _PIPE_SIZE:
            fcntl.fcntl(fill, fcntl.F_SETPIPE_SZ, len(numbers))
        os.write(fill, numbers)
        os.close(fill)
        self._reserved: deque[int] = deque()

    def take(self) -> int | None:
        """Return the next number; None if all are taken."""
        return self._reserved.popleft() if self._reserved else self._read()

    def reserve(self) -> int | None:
        """Return a further number, which this lane will take after those it has reserved before.

        None if all are taken.
        """
        number = self._read()
        if number is not None:
            self._reserved.append(number)
        return number

    @property
    def reserved(self) -> int:
        """Return how many numbers this lane has reserved and not taken yet."""
        return len(self._reserved)

    def left(self) -> int:
        """Return how many numbers no lane has taken or reserved."""
        size = bytearray(_INT.size)
        fcntl.ioctl(self._pipe, termios.FIONREAD, size)
        return int(_INT.unpack(size)[0]) // _NUMBER.size

    def _read(self) -> int | None:
        data = os.read(self._pipe, _NUMBER.size)
        return int(_NUMBER.unpack(data)[0]) if data else None

    def close(self) -> None:
        os.close(self._pipe)


def following(
    steps: Sequence[Step],
    tasks: Tasks,
    address: Callable[[Step], str | None],
    lanes: int,
    leaves_some: bool,
) -> tuple[str, int] | None:
    """Return the URL and the size (bytes) of the next file of a lane; None if there is none, or if
    it ``leaves_some`` and each other one of the ``lanes`` would be left fewer files than it has.
    """
    if leaves_some and tasks.reserved * (lanes - 1) >= tasks.left():
        return None
    number = tasks.reserve()
    if number is None or (url := address(steps[number])) is None:
        return None
    size = steps[number].size
    return None if size is None else (url, size)


def coming(
    steps: Sequence[Step],
    tasks: Tasks,
    address: Callable[[Step], str | None],
    lanes: int,
    server: str,
) -> int:
    """Return how many files of ``server`` each of the ``lanes`` has to fetch yet, if all get as
    many.
    """
    urls = (address(step) for step in steps[len(steps) - tasks.left() :])
    return sum(url is not None and url.startswith(f"{server}/") for url in urls) // lanes
