"""Stopping: a signal that asks to stop ends an execution in order.

Until the commit it ends at once: what is at work is ended, and the environment is as it was. The
commit itself is moves that take less than a second; it is not interrupted.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from schemas.errors import Interrupted

__all__ = ["held_back", "stoppable"]


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGINT and SIGTERM raise Interrupted in the body. For the main thread."""
    before = {number: signal.signal(number, _raise) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _raise(number: int, _frame: FrameType | None) -> None:
    # A second one must not keep what the first one began from being tidied up.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Interrupted(number, signal.Signals(number).name)


@contextmanager
def held_back() -> Iterator[None]:
    """Let signals that ask to stop wait until the body has ended."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
