"""The fork that decides what to change, begun before the command line is read.

It imports the readers of locks while this process imports the command: a tenth of the time of a
small installation, where there are two processors and memory to spare.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from executor.budget.memory import available_memory
from executor.budget.processors import usable_processors
from executor.lanes.errors import NoProcess
from executor.lanes.forks import WaitingFork

if TYPE_CHECKING:
    from executor.environment.changes import Changes
    from executor.environment.environment import Environment
    from executor.install.options import ExecuteOptions

__all__ = ["ROOM", "EarlyDecision", "begin_early", "decide_for"]


Question: TypeAlias = "tuple[str, Environment, ExecuteOptions]"


EarlyDecision: TypeAlias = "WaitingFork[Question, Changes]"


ROOM = 64 << 20
"""Bytes of memory from which on a second process may work meanwhile: neither shares what it writes
to, which takes up to 15 MiB for a tenth of a second."""


_WITHOUT = ("-h", "--help", "--dry-run", "--memory")
"""Options with which nothing is decided in a fork, or with a budget that this would not keep."""


def begin_early(words: Sequence[str]) -> EarlyDecision | None:
    """Begin to prepare for the command ``execute`` with the words of its command line; None if
    that would not help.
    """
    if any(word.startswith(_WITHOUT) for word in words) or "LOCKSTREAM_MEMORY" in os.environ:
        return None
    if (available_memory() or 0) < ROOM or usable_processors() < 2:
        return None
    _load_for_both()
    try:
        return WaitingFork(_prepare)
    except NoProcess:
        return None


def _load_for_both() -> None:
    """Import what this process and its fork both need. If each of them imported it after the fork,
    a small run would take a twelfth more processor time.
    """
    import hashlib  # noqa: F401, PLC0415

    import executor.environment.changes  # noqa: PLC0415
    import executor.environment.environment  # noqa: PLC0415
    import executor.environment.uninstall  # noqa: PLC0415
    import executor.install.options  # noqa: F401, PLC0415
    import schemas.numbers  # noqa: F401, PLC0415


def _prepare() -> Callable[[Question], Changes]:
    import executor.install.decide  # noqa: F401, PLC0415  # in the fork

    return lambda asked: decide_for(*asked)


def decide_for(lock: str, environment: Environment, options: ExecuteOptions) -> Changes:
    """Return the changes that the lock file ``lock`` requires in ``environment``. To be called in a
    fork: modules that only read locks are imported here. Raises what ``decide`` raises.
    """
    from executor.install.decide import decide  # noqa: PLC0415  # in the fork

    return decide(
        lock, environment, select=options.select, sync=options.sync, origins=options.origins
    )
