"""A thread that does something again and again while something else is at work."""

from __future__ import annotations

import _thread
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Self

__all__ = ["Repeated"]


class Repeated:
    """A context in which a thread calls ``work`` every ``seconds``, first after that time or
    ``at_once``.

    Where no thread can be made, nothing is called.
    """

    def __init__(
        self, work: Callable[[], object], seconds: float, *, at_once: bool = False
    ) -> None:
        self._work = work
        self._seconds = seconds
        self._at_once = at_once
        self._has_begun = False
        self._is_over = Event()
        self._has_ended = Event()

    def __enter__(self) -> Self:
        with suppress(RuntimeError):  # a limit of threads or memory is reached
            # Not threading.Thread: start() waits forever for a thread that has no memory to begin.
            _thread.start_new_thread(self._run, ())
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        # One that begins from now on sees that, and calls nothing.
        if self._has_begun:
            self._has_ended.wait()

    def _run(self) -> None:
        self._has_begun = True
        try:
            pause = 0.0 if self._at_once else self._seconds
            while not self._is_over.wait(pause):
                self._work()
                pause = self._seconds
        finally:
            self._has_ended.set()
