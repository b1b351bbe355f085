"""The part of planning that needs package indexes: resolve, build, and compose the lock."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Protocol

from packaging.pylock import Pylock

from executor import Keychain
from planner.index.access import Access
from planner.index.client import IndexClient
from planner.index.reader import IndexReader
from planner.inputs.question import Question
from planner.lock.built import Stock
from planner.lock.writer import render_lock
from planner.planning.answer_cache import AnswerCache, Remembered
from planner.planning.heap import share_one_heap
from planner.planning.reporter import Reporter, tell
from planner.resolver.direct import direct_logins
from schemas.data_class import frozen

if TYPE_CHECKING:
    from planner.planning.plan import Plan, PlanBuilder

__all__ = ["ComposedLock", "OpenBuilder", "answer", "open_client"]


@frozen
class ComposedLock:
    """The lock that answers a question; the caller owns it."""

    text: str
    lock: Pylock | None
    """The content of ``text``; None if the answer cache had the text."""


class OpenBuilder(Protocol):
    """Opens what builds wheels for one plan."""

    def __call__(
        self, client: IndexClient
    ) -> AbstractContextManager[tuple[PlanBuilder | None, Stock]]:
        """Return a context of the builder, and of what it adds to the files of the indexes.

        The builder is None if the plan itself may not build.
        """


def answer(
    question: Question,
    access: Access,
    *,
    reporter: Reporter,
    memo: AnswerCache | None = None,
    open_builder: OpenBuilder | None = None,
) -> ComposedLock:
    """Return the lock that answers ``question``; from ``memo`` if the indexes have not changed.

    Raises what ``plan``, ``build_lock`` and ``render_lock`` raise.
    """
    share_one_heap()
    with ExitStack() as stack:
        client = stack.enter_context(open_client(question, access, reporter))
        builder: PlanBuilder | None = None
        stock = Stock()
        if open_builder:
            builder, stock = stack.enter_context(open_builder(client))
        with reporter.watch(lambda: client.requests):
            look = IndexReader(question.indexes, client).look
            if memo and (found := memo.confirm(look)):
                tell(found.remarks, reporter)
                return ComposedLock(found.text, None)
            # Loading the resolver takes as long as confirming a remembered answer.
            from planner.planning.plan import plan  # noqa: PLC0415

            planned = plan(
                question.inputs,
                question.cases,
                client=client,
                indexes=question.indexes,
                policy=question.policy,
                reporter=reporter,
                builder=builder,
            )
    lock = _compose(question, planned, stock)
    text = render_lock(lock, client.keychain.secrets)
    if memo and planned.pages is not None:
        memo.keep(Remembered(text, planned.remarks, planned.pages))
    return ComposedLock(text, lock)


def open_client(question: Question, access: Access, reporter: Reporter) -> IndexClient:
    """Return the client of one plan, with the logins of its inputs and indexes; the caller closes
    it.
    """
    logins = {**direct_logins(question.inputs), **question.indexes.logins()}
    return IndexClient(
        keychain=Keychain(logins, environment=os.environ, keyring=access.keyring),
        cache=access.cache,
        offline=access.offline,
        refresh=access.refresh,
        trusted_hosts=question.indexes.trusted_hosts,
        recorder=reporter.recorder,
    )


def _compose(question: Question, planned: Plan, stock: Stock) -> Pylock:
    from planner.lock.compose import LockContent, build_lock  # noqa: PLC0415  # as above
    from planner.review.derived import with_facts  # noqa: PLC0415  # as above

    lock = build_lock(
        LockContent(
            environments=question.environments,
            entries=planned.entries,
            extras=question.inputs.extras,
            groups=question.inputs.groups,
            inputs=question.provenance["inputs"],
            options=question.provenance["options"],
            policy=question.provenance["policy"],
            folder=question.folder,
            stock=stock,
        )
    )
    return with_facts(lock, question)
