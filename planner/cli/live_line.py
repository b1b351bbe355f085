"""One line on a terminal that is redrawn while work goes on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Self, TextIO

from schemas.text import printable

__all__ = ["LiveLine"]


INTERVAL = 0.1
"""Seconds between two drawings: as often as an eye can follow numbers."""


_ERASE = "\r\x1b[2K"
"""Carriage return, then erase the line (ECMA-48, EL)."""


class LiveLine:
    """A context that shows what ``describe`` returns on ``stream``, and redraws it.

    It shows nothing if ``stream`` is not a terminal.
    """

    def __init__(self, stream: TextIO, describe: Callable[[], str]) -> None:
        self._stream = stream
        self._describe = describe
        self._shown = ""
        self._lock = Lock()
        self._done = Event()
        self._thread = Thread(target=self._run, name="live line", daemon=True)

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()
        self.clear()

    def draw(self) -> None:
        """Draw the line as it is now."""
        text = self._describe()
        with self._lock:
            if text != self._shown:
                self._write(f"{_ERASE}{text}")
                self._shown = text

    def say(self, text: str) -> None:
        """Write a line that stays, above this one."""
        with self._lock:
            self._write(f"{_ERASE if self._shown else ''}{printable(text)}\n")
            self._shown = ""

    def clear(self) -> None:
        """Erase the line."""
        with self._lock:
            if self._shown:
                self._write(_ERASE)
                self._shown = ""

    def _run(self) -> None:
        while not self._done.wait(INTERVAL):
            self.draw()

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
