"""The part of planning that needs package indexes: resolve, build, and compose the lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.pylock import Pylock

from planner.index.access import Access
from planner.index.reader import IndexReader
from planner.inputs.question import Question
from planner.lock.built import Stock
from planner.lock.writer import render_lock
from planner.planning.answer_cache import AnswerCache, Remembered
from planner.planning.heap import share_one_heap
from planner.planning.reporter import Reporter, tell
from planner.planning.session import OpenBuilder, open_session
from schemas.data_class import frozen

if TYPE_CHECKING:
    from planner.planning.plan import Plan

__all__ = ["ComposedLock", "answer"]


@frozen
class ComposedLock:
    """The lock that answers a question; the caller owns it."""

    text: str
    lock: Pylock | None
    """The content of ``text``; None if the answer cache had the text."""


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
    with open_session(question, access, reporter, open_builder) as session:
        look = IndexReader(question.indexes, session.client).look
        if memo and (found := memo.confirm(look)):
            tell(found.remarks, reporter)
            return ComposedLock(found.text, None)
        # Loading the resolver takes as long as confirming a remembered answer.
        from planner.planning.plan import plan  # noqa: PLC0415

        planned = plan(
            question.inputs,
            question.cases,
            client=session.client,
            indexes=question.indexes,
            policy=question.policy,
            reporter=reporter,
            builder=session.builder,
        )
    lock = _compose(question, planned, session.stock)
    text = render_lock(lock, session.client.keychain.secrets)
    if memo and planned.pages is not None:
        memo.keep(Remembered(text, planned.remarks, planned.pages))
    return ComposedLock(text, lock)


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
