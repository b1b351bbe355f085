"""What one plan asks while it lasts: a client of the indexes, and a builder if it may build."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from executor import Keychain
from planner.index.access import Access
from planner.index.client import IndexClient
from planner.inputs.question import Question
from planner.lock.built import Stock
from planner.planning.reporter import Reporter
from planner.resolver.direct import direct_logins
from schemas.data_class import frozen

if TYPE_CHECKING:
    from planner.planning.plan import PlanBuilder

__all__ = ["OpenBuilder", "Session", "open_session"]


class OpenBuilder(Protocol):
    """Opens what builds wheels for one plan."""

    def __call__(
        self, client: IndexClient
    ) -> AbstractContextManager[tuple[PlanBuilder | None, Stock]]:
        """Return a context of the builder, and of what it adds to the files of the indexes.

        The builder is None if the plan itself may not build.
        """


@frozen
class Session:
    """What one plan asks; ``open_session`` closes it."""

    client: IndexClient
    builder: PlanBuilder | None
    """None if the plan may not build."""
    stock: Stock
    """What the builder adds to the files of the indexes."""


@contextmanager
def open_session(
    question: Question,
    access: Access,
    reporter: Reporter,
    open_builder: OpenBuilder | None = None,
) -> Iterator[Session]:
    """Open what a plan of ``question`` asks, with the logins of its inputs and indexes, while the
    ``reporter`` watches.

    Raises what ``open_builder`` raises.
    """
    logins = {**direct_logins(question.inputs), **question.indexes.logins()}
    client = IndexClient(
        keychain=Keychain(logins, environment=os.environ, keyring=access.keyring),
        cache=access.cache,
        offline=access.offline,
        refresh=access.refresh,
        trusted_hosts=question.indexes.trusted_hosts,
        recorder=reporter.recorder,
    )
    with ExitStack() as stack:
        stack.enter_context(client)
        builder: PlanBuilder | None = None
        stock = Stock()
        if open_builder:
            builder, stock = stack.enter_context(open_builder(client))
        stack.enter_context(reporter.watch(lambda: client.requests))
        yield Session(client, builder, stock)
