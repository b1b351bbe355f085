"""What has to change in an environment, decided in forks, the first of which may run ahead.

The lock is read while this process imports the modules that install: a fifth of the time of a small
installation.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from executor.budget.memory import available_memory
from executor.environment.changes import Changes
from executor.environment.environment import Environment
from executor.environment.installed import fingerprint
from executor.environment.schemes import STAGING
from executor.install.early import ROOM, decide_for
from executor.install.options import ExecuteOptions
from executor.lanes.errors import ForkKilled
from executor.lanes.forks import Fork

if TYPE_CHECKING:
    from executor.install.early import EarlyDecision

__all__ = ["Decision"]


_BEGIN = 64 << 10
"""Bytes of the lock that are looked at: those of some packages, with addresses that are alike."""


class Decision:
    """The changes that the lock file ``lock`` requires in ``environment``, decided in forks."""

    def __init__(
        self,
        lock: str,
        environment: Environment,
        options: ExecuteOptions,
        early: EarlyDecision | None = None,
    ) -> None:
        """``early`` is a fork that has begun to prepare, if there is one."""
        self.lock = lock
        self._asked = (lock, environment, options)
        self._options = options
        self._early = early
        self._folder = os.path.join(environment.interpreter.schemes.purelib, STAGING)
        self._packages = environment.interpreter.schemes.packages
        self._ahead: Fork[Changes] | EarlyDecision | None = None
        self._before = 0

    @contextmanager
    def ahead(self) -> Iterator[bool]:
        """Decide while the body runs, if there is memory to spare and no other run is at work.

        Yield whether that is done. What fails is raised by ``changes``.
        """
        is_free = self._has_room() and not os.path.lexists(self._folder)
        try:
            self._before = fingerprint(self._packages) if is_free else 0
        except OSError:  # the installation looks at the environment first, and says it better
            is_free = False
        early, self._early = self._early, None
        if not is_free:
            if early is not None:
                early.close()
            yield False
            return
        if early is not None:
            early.ask(self._asked)
        with closing(early or self._fork()) as self._ahead:
            yield True

    def _has_room(self) -> bool:
        """Return whether there is memory for a second process, or there is one already."""
        named = self._options.memory
        if named is not None and named < ROOM:
            return False
        return self._early is not None or (available_memory() or 0) >= ROOM

    def _fork(self) -> Fork[Changes]:
        return Fork(partial(decide_for, *self._asked))

    def names_https(self) -> bool:
        """Return whether the lock seems to name servers that speak TLS, for which much is loaded.

        False if it is a pipe: what is read of that is gone.
        """
        try:
            if not os.path.isfile(self.lock):
                return False
            with open(self.lock, "rb", buffering=0) as file:
                return b'url = "https://' in (file.read(_BEGIN) or b"")
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
            fork = self._fork()
        with closing(fork):
            try:
                return fork.result()
            except ForkKilled:
                if isinstance(fork, Fork):
                    raise
        # It may have ended before it was asked.
        return self.changes()

    @property
    def is_outdated(self) -> bool:
        """Return whether a distribution was added or removed since the changes were decided."""
        return fingerprint(self._packages) != self._before
