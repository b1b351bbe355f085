"""Claims on builds in a folder that machines share, so that no two of them do one build at a time.

A claim is a lock (flock) on a small file of the folder. The kernel, or the server of a network file
system, gives it up when its holder ends or dies, so that a killed build leaves at most an empty
file, which the next one takes over. Claims only save work: if a file system cannot lock, all build,
and the first one that publishes counts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from executor import try_lock
from schemas.data_class import frozen

__all__ = ["CLAIM_PREFIX", "HOLD_SECONDS", "Claim", "sweep_claims"]


T = TypeVar("T")

CLAIM_PREFIX = ".claim-"

HOLD_SECONDS = 30.0
"""How long a build waits for that of another target, whose wheel may suit it too; what takes longer
is likely to compile something."""

PAUSE_SECONDS = 0.5
"""Time between two looks at whether a claim is free, or whether its build is there."""

_IMPOSSIBLE = -1
"""In place of a descriptor: the folder can have no claims."""

_LEFT_SECONDS = 3600.0
"""Age of a claim from which it is removed if no process holds it."""


@frozen
class Claim:
    """A claim on what has this name, in a folder that need not exist."""

    folder: str
    name: str
    seconds: float
    """How long it is waited for at most."""

    @contextmanager
    def held(self, look: Callable[[], T | None], waits: Callable[[], None]) -> Iterator[T | None]:
        """Wait until no other process has this claim, hold it in the body; yield what ``look``
        finds.

        It stops waiting as soon as ``look`` finds something, and yields that; after ``seconds`` it
        yields None and holds nothing. ``waits`` is called once if it has to wait.
        """
        made: list[str] = []
        descriptor: int | None = None
        try:
            deadline = time.monotonic() + self.seconds
            is_waiting = False
            found: T | None = None
            while (taken := self._take(made)) is None and time.monotonic() < deadline:
                if not is_waiting:
                    is_waiting = True
                    waits()
                time.sleep(PAUSE_SECONDS)
                if (found := look()) is not None:
                    break
            descriptor = taken
            if is_waiting and found is None:
                found = look()  # the one that had it may just have ended
            yield found
        finally:
            if descriptor is not None:
                self._release(descriptor)
            _remove(made)

    def _take(self, made: list[str]) -> int | None:
        """Return the open file of the claim if it is ours now, or ``_IMPOSSIBLE`` if the folder can
        have none; None if another one holds it. Add the folders that had to be made to ``made``.
        """
        try:
            made[:0] = _make(self.folder)
            descriptor = _opened(self._path)
        except FileNotFoundError:
            return None  # the one that held it has just removed the folder
        except OSError:
            return _IMPOSSIBLE  # publishing the build says what is wrong with the folder
        with suppress(FileNotFoundError):
            # The one that held it may have removed the file that we opened.
            is_ours = try_lock(descriptor)
            if is_ours and os.path.samestat(os.fstat(descriptor), os.stat(self._path)):
                return descriptor
        os.close(descriptor)
        return None

    def _release(self, descriptor: int) -> None:
        if descriptor != _IMPOSSIBLE:
            with suppress(OSError):
                os.unlink(self._path)
            os.close(descriptor)

    @property
    def _path(self) -> str:
        return os.path.join(self.folder, f"{CLAIM_PREFIX}{self.name}")


def sweep_claims(folder: str) -> None:
    """Remove the claims in ``folder`` that killed builds have left."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        with suppress(OSError):
            if (
                name.startswith(CLAIM_PREFIX)
                and time.time() - os.lstat(path).st_mtime > _LEFT_SECONDS
            ):
                descriptor = _opened(path)
                if try_lock(descriptor):
                    os.unlink(path)
                os.close(descriptor)


def _opened(path: str) -> int:
    """Open the file of a claim, which another user may have made. Raises OSError."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        return os.open(path, flags | os.O_RDWR | os.O_CREAT, 0o666)
    except PermissionError:
        return os.open(path, flags | os.O_RDONLY)


def _make(folder: str) -> list[str]:
    """Make ``folder`` and return what was made, the innermost first. Raises OSError."""
    missing = []
    place = os.path.abspath(folder)
    while not os.path.lexists(place):
        missing.append(place)
        place = os.path.dirname(place)
    os.makedirs(folder, exist_ok=True)
    return missing


def _remove(folders: list[str]) -> None:
    """Remove those of ``folders`` that are still empty."""
    with suppress(OSError):
        for place in folders:
            os.rmdir(place)
