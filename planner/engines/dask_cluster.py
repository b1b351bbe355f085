"""A Dask cluster: one on this machine for the time of a plan, or one that runs at an address.

Source: https://distributed.dask.org/en/stable/resources.html.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from executor import available_memory
from planner.engines.engine_name import LOCAL
from planner.engines.errors import EngineUnusable
from planner.engines.scheduler_probe import check_scheduler
from schemas.errors import UsageError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["RESOURCE", "connected", "take_turns"]


RESOURCE = "MEMORY"
"""The resource, in bytes, that workers have to declare: ``dask worker --resources MEMORY=8e9``."""

CONNECT_SECONDS = 20

RESERVED = 256 << 20
"""Bytes that a cluster on this machine leaves to the plan itself."""


_SILENT = logging.CRITICAL + 1
"""A level above those of all messages."""


_turn: AbstractContextManager[Any] = nullcontext()
"""Within which a cluster on this machine may exist."""


def take_turns(turn: AbstractContextManager[Any]) -> None:
    """Let clusters on this machine exist only within ``turn``, which other processes share: each of
    them gives away all its memory.
    """
    global _turn  # noqa: PLW0603  # of a process that was forked to plan some of many locks
    _turn = turn


@contextmanager
def connected(address: str) -> Iterator[Client]:
    """Yield a client of the cluster at ``address``, or of one on this machine if that is ``dask``,
    which ends with the body.

    Raises EngineUnusable, also for what fails in the body, and UsageError if Dask is not installed.
    """
    try:
        with _opened(address) as client:
            yield client
    except (OSError, TimeoutError) as error:
        raise EngineUnusable(address, f"it cannot be reached: {error}") from None


@contextmanager
def _opened(address: str) -> Iterator[Client]:
    try:
        import distributed  # noqa: PLC0415  # an extra, and 1.5 s
    except ModuleNotFoundError:
        raise UsageError(
            f"--on {address} requires Dask, which is not installed",
            hint="pip install 'lockstream[dask]'",
        ) from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        place = address.replace("dask://", "tcp://", 1)
        if address == LOCAL:
            stack.enter_context(_turn)
            memory = max(0, (available_memory() or 0) - RESERVED)
            # Without processes it listens on no port: anybody who reached it could run code.
            place = stack.enter_context(
                distributed.LocalCluster(
                    n_workers=1,
                    processes=False,
                    resources={RESOURCE: memory},
                    memory_limit=None,
                    dashboard_address=None,
                    silence_logs=_SILENT,  # else it lets warnings through again
                    # Its state is served none the less, on all interfaces if nothing is said.
                    scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                )
            )
        else:
            check_scheduler(address, CONNECT_SECONDS)
        yield stack.enter_context(
            distributed.Client(place, timeout=CONNECT_SECONDS, set_as_default=True)
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the log of Dask off the terminal: it has a traceback for each connection that ends."""
    # All its loggers share this handler, and some have levels of their own.
    handlers = logging.getLogger("distributed").handlers
    before = [handler.level for handler in handlers]
    for handler in handlers:
        handler.setLevel(_SILENT)
    try:
        yield
    except KeyboardInterrupt:
        # The program ends, and threads of a cluster on this machine may go on until then.
        before = [handler.level for handler in handlers]
        raise
    finally:
        for handler, level in zip(handlers, before, strict=True):
            handler.setLevel(level)
