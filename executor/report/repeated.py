"""A thread that does something again and again while something else is at work."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Event, Thread
from typing import Self

__all__ = ["Repeated"]


class Repeated:
    """A context in which a thread calls ``work`` every ``seconds``, first after that time.

    Where no thread can be made, nothing is called. ``name`` is the name of the thread.
    """

    def __init__(self, work: Callable[[], object], seconds: float, name: str) -> None:
        self._work = work
        self._seconds = seconds
        self._ended = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        with suppress(RuntimeError):  # a limit of threads or memory is reached
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._seconds):
            self._work()
