"""The reader of locks, whichever tool wrote them."""

from __future__ import annotations

from packaging.pylock import Pylock

from executor import open_regular
from planner.inputs.errors import UnreadableInput
from schemas.errors import InvalidLockText, lock_hint
from schemas.lock_parser import parse_whole

__all__ = ["parse_lock", "read_lock"]


_CHUNK_SIZE = 1 << 20


def read_lock(path: str) -> Pylock:
    """Return the lock at ``path``.

    Raises UnreadableInput, InvalidLock, UnsupportedLockVersion, LockNotText and LockTooLarge.
    """
    try:
        with open_regular(path) as file:
            return parse_whole(iter(lambda: file.read(_CHUNK_SIZE), b""))
    except InvalidLockText as error:
        error.path = path
        raise
    except OSError as error:
        raise UnreadableInput.because(path, error, lock_hint(path, error)) from None


def parse_lock(text: str) -> Pylock:
    """Return the lock of this ``text``.

    Raises InvalidLock, UnsupportedLockVersion, LockNotText and LockTooLarge.
    """
    return parse_whole([text.encode()])
