"""What has to change in an environment, decided in forks, the first of which may run ahead.

The lock is read while this process imports the modules that install: a fifth of the time of a small
installation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial

from executor.budget.memory import available_memory
from executor.environment.changes import Changes
from executor.environment.environment import Environment
from executor.environment.installed import fingerprint
from executor.environment.schemes import STAGING
from executor.install.options import ExecuteOptions
from executor.lanes.forks import Fork

__all__ = ["Decision"]


_ROOM = 64 << 20
"""Bytes of memory from which on the lock is read ahead. While both processes work, neither shares
what it writes to: 5 MiB more than if one waits."""


_BEGIN = 64 << 10
"""Bytes of the lock that are looked at: those of some packages, with addresses that are alike."""


class Decision:
    """The changes that the lock file ``lock`` requires in ``environment``, decided in forks."""

    def __init__(self, lock: str, environment: Environment, options: ExecuteOptions) -> None:
        self.lock = lock
        self._decide = partial(_decide, lock, environment, options)
        self._options = options
        self._folder = os.path.join(environment.interpreter.schemes.purelib, STAGING)
        self._packages = environment.interpreter.schemes.packages
        self._ahead: Fork[Changes] | None = None
        self._before = 0

    @contextmanager
    def ahead(self) -> Iterator[bool]:
        """Decide while the body runs, if there is memory to spare and no other run is at work.

        Yield whether that is done. What fails is raised by ``changes``.
        """
        available = available_memory() or 0
        room = min(available, self._options.memory or available)
        is_free = room >= _ROOM and not os.path.lexists(self._folder)
        try:
            self._before = fingerprint(self._packages) if is_free else 0
        except OSError:  # the installation looks at the environment first, and says it better
            is_free = False
        if not is_free:
            yield False
            return
        with closing(Fork(self._decide)) as self._ahead:
            yield True

    def names_https(self) -> bool:
        """Return whether the lock seems to name servers that speak TLS, for which much is loaded.

        False if it is a pipe: what is read of that is gone.
        """
        try:
            if not os.path.isfile(self.lock):
                return False
            with open(self.lock, "rb", buffering=0) as file:
                return b"https://" in (file.read(_BEGIN) or b"")
        except OSError:
            return False

    def changes(self) -> Changes:
        """Return the changes. Raises LockstreamError and OSError."""
        fork, self._ahead = self._ahead, None
        if fork is not None and (os.path.lexists(self._folder) or self.is_outdated):
            # Another run has begun, or has ended, since.
            fork.close()
            fork = None
        if fork is None:
            self._before = fingerprint(self._packages)
            fork = Fork(self._decide)
        with closing(fork):
            return fork.result()

    @property
    def is_outdated(self) -> bool:
        """Return whether a distribution was added or removed since the changes were decided."""
        return fingerprint(self._packages) != self._before


def _decide(lock: str, environment: Environment, options: ExecuteOptions) -> Changes:
    """Return the changes. Modules that only read locks are imported here, in a fork."""
    from executor.install.decide import decide  # noqa: PLC0415

    return decide(
        lock, environment, select=options.select, sync=options.sync, origins=options.origins
    )
