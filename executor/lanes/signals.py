"""Handle SIGINT, SIGTERM and SIGHUP so that an execution ends in order.

Before the commit it ends at once: lanes and builds are ended, and the environment is as it was. The
commit itself consists of moves that take less than a second; it is not interrupted.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from schemas.errors import Interrupted

__all__ = ["STOPPING", "held_back", "stoppable"]


STOPPING = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that stop an execution; SIGHUP is sent when a terminal or a connection is closed."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Let these signals raise Interrupted in the body, except those that whoever started the
    program ignores (nohup). For the main thread.
    """
    heeded = [number for number in STOPPING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _raise) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_held = 0
"""How many ``held_back`` are open."""

_waiting: list[int] = []
"""Signals that came meanwhile."""


def _raise(number: int, _frame: FrameType | None) -> None:
    if _held:
        _waiting.append(number)
        return
    # Ignore further signals while cleaning up after the first.
    for other in STOPPING:
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted(number, signal.Signals(number).name)


@contextmanager
def held_back() -> Iterator[None]:
    """Delay the signals until the body has ended.

    The kernel delays them for this thread alone; if it gives one to another thread, such as the one
    that draws the live view, its handler still runs in the main thread, and waits here.
    """
    global _held  # noqa: PLW0603  # as are the handlers of signals
    _held += 1
    try:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        try:
            yield
        finally:
            # What waits in the kernel waits here from now on.
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    finally:
        _held -= 1
        if _waiting and not _held:
            number = _waiting[0]
            _waiting.clear()
            _raise(number, None)
