"""The verbs of the planner: plan a lock, and check one against its inputs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.pylock import Pylock

from executor import read_input
from planner.inputs.project_tables import refuse_backend
from planner.inputs.remote_file import refuse_remote
from planner.lock.lock_path import lock_path
from planner.lock.reader import read_lock
from planner.model.environments import MarkerEnvironment, group_targets
from planner.model.project_set import remarks_about_names
from planner.plan_request import (
    PlanRequest,
    Task,
    foreign_question,
    read_task,
    task_for,
    task_over,
    with_recorded,
)
from planner.planning.reporter import Reporter, tell
from planner.review.check import find_problems, find_undecided
from planner.review.fit import check_fit
from planner.review.lost_wheels import find_lost_wheels
from planner.review.planned_lock import PlannedLock
from planner.review.previous import check_files, is_current, preferences
from planner.review.recorded import (
    foreign_text_hidden,
    is_planned,
    recorded_sources,
    refuse_special_files,
)
from planner.review.subset_choice import SubsetChoice, SubsetOrigin
from schemas.data_class import frozen
from schemas.errors import InvalidInput, NoSolution, UsageError
from schemas.lock import recorded_targets
from schemas.text import lock_command

if TYPE_CHECKING:
    from planner.advisories.audit import Audit, AuditRequest
    from planner.builds.opened import BuilderOrder
    from planner.planning.answer_cache import AnswerCache
    from planner.review.standing import Outlook

__all__ = [
    "CheckedLock",
    "WrittenSubset",
    "audit_lock",
    "check_lock",
    "find_outdated",
    "plan_lock",
    "subset_lock",
]


@frozen(kw_only=True)
class CheckedLock:
    """The verdict on a lock; the caller owns it."""

    lock: Pylock
    environments: tuple[MarkerEnvironment, ...]
    problems: tuple[str, ...]
    """What is wrong, a sentence each; empty if the lock is current."""
    undecided: tuple[str, ...] = ()
    """What a plan would read and the check could not, a sentence each."""
    again: str = ""
    """The command that makes a subset again; empty if a plan wrote the lock."""


@frozen(kw_only=True)
class WrittenSubset:
    """A subset of a lock, written or found as it is; the caller owns it."""

    lock: Pylock
    of: Pylock
    """The lock that it is a subset of."""
    text: str
    is_changed: bool


def check_lock(path: str, request: PlanRequest | None = None) -> CheckedLock:
    """Compare the lock at ``path`` with what a plan of ``request`` would write, offline; a subset
    with what is one now of the lock that it was made of.

    Raises UsageError if the lock does not record its inputs, and what ``read_lock``,
    ``read_inputs`` and ``find_problems`` raise.
    """
    lock = read_lock(path)
    if origin := SubsetOrigin.of(lock, path):
        # Loads the executor's selection, which other checks do without.
        from planner.review.subset_file import find_subset_problems  # noqa: PLC0415

        return CheckedLock(
            lock=lock,
            environments=group_targets(recorded_targets(lock)),
            problems=find_subset_problems(lock, path, origin),
            again=origin.command(path),
        )
    recorded_sources(lock, path)
    request = replace(request or PlanRequest(), output=path)
    if not request.forget:
        request = with_recorded(request, lock, path)
    refuse_special_files(request.sources, request.builds.constraints)
    with foreign_text_hidden(path):
        question = task_for(request, path, lock, refuse_remote, refuse_backend).question
    return CheckedLock(
        lock=lock,
        environments=group_targets(recorded_targets(lock)) or question.environments,
        problems=find_problems(lock, question),
        undecided=(
            *find_undecided(question, request.upgraded, everything=request.upgrade),
            *find_lost_wheels(lock, question.folder),
        ),
    )


def plan_lock(request: PlanRequest, reporter: Reporter | None = None) -> PlannedLock:
    """Choose versions and wheels for all that ``request`` names, and write the lock. One that is
    current is kept, and no index is asked.

    Raises LockstreamError: UsageError, InvalidInput, NoSolution, IndexUnreachable, IndexAnswer,
    BuildFailed, FileExchanged, DoesNotFit and others. The file is then as it was.
    """
    reporter = reporter or Reporter()
    task = read_task(request, reporter)
    if request.fragments or request.engine:
        task.builds.check_keeps("--fragments" if request.fragments else "--on")
    for remark in (
        *task.question.inputs.remarks,
        *remarks_about_names("--build", task.builds.allowed),
        *remarks_about_names("--no-binary", task.question.policy.no_binary),
        *remarks_about_names("--only-binary", task.question.policy.only_binary),
    ):
        reporter.input_remark(remark)
    previous = task.previous
    if previous and task.may_be_kept and is_current(previous, task.question):
        for lost in find_lost_wheels(previous, task.question.folder):
            reporter.input_remark(f"{lost}; lockstream plan --refresh builds it again")
        text = Path(task.output).read_text(encoding="utf-8")
        planned = task.planned(text, previous, is_changed=False)
        _check_content(planned, request, reporter)
        return planned
    if task.output != "-":
        # What cannot be written is an error before the work. A check needs no writer.
        from planner.lock.writer import check_output, write_lock  # noqa: PLC0415

        check_output(task.output)
    planned = _answer(task, request, reporter)
    if request.engine is not None:
        planned = _with_builds(task, request, reporter, planned)
    if task.existing:
        check_files(task.existing, planned.lock)
    _check_content(planned, request, reporter)
    if task.output != "-" and planned.text == _text_of(task.output):
        planned = replace(planned, is_changed=False)
    elif task.output != "-":
        write_lock(task.output, planned.text)
    if request.access and request.access.cache:
        request.access.cache.tidy()
    return planned


def find_outdated(
    path: str, request: PlanRequest | None = None, reporter: Reporter | None = None
) -> Outlook:
    """Return what a plan of ``request`` with ``upgrade`` would choose in place of the versions of
    the lock at ``path``, and the newest there are. Nothing is built or written. Of a lock that does
    not record its inputs only the newest releases are found.

    Raises LockstreamError, as ``plan_lock`` does.
    """
    # A check needs none of these.
    from planner.index.access import Access  # noqa: PLC0415
    from planner.planning.newest import find_newest  # noqa: PLC0415
    from planner.planning.outlook import find_outlook  # noqa: PLC0415

    reporter = reporter or Reporter()
    lock = read_lock(path)
    if origin := SubsetOrigin.of(lock, path):
        raise UsageError(
            f"{path} is a subset of {origin.path}, which decides its versions",
            hint=f"run {lock_command('outdated', origin.path)}",
        )
    request = replace(request or PlanRequest(), output=path, upgrade=True)
    access = request.access or Access()
    if not is_planned(lock):
        return find_newest(lock, foreign_question(lock, path, request), access, reporter)
    with foreign_text_hidden(path):
        task = task_over(request, path, lock, reporter)
    for remark in task.question.inputs.remarks:
        reporter.input_remark(remark)
    opened = None
    if task.builds.allowed:
        opened = replace(_builder_order(task, request, reporter), is_trial=True).open
    try:
        return find_outlook(lock, task.question, access, reporter, opened)
    except NoSolution as error:
        _add_kept_options(error, task)
        raise


def audit_lock(path: str, request: AuditRequest | None = None) -> Audit:
    """Return which releases of the lock at ``path`` are known to be vulnerable. Nothing is written.

    Raises LockstreamError: UsageError, InvalidInput and NetworkError.
    """
    # No other verb needs these.
    from planner.advisories.audit import AuditRequest, audit_releases  # noqa: PLC0415
    from planner.advisories.releases import releases_of  # noqa: PLC0415
    from planner.advisories.upgrade import upgrade_commands  # noqa: PLC0415

    request = request or AuditRequest()
    request.check()
    lock = read_lock(path)
    pins, unaudited = releases_of(lock, request)
    audit = audit_releases(pins, request)
    ended = dict.fromkeys(one.name for one in audit.findings if one.has_end)
    return replace(audit, unaudited=unaudited, upgrade=upgrade_commands(lock, path, ended))


def subset_lock(
    lock: str | Path, output: str | Path, choice: SubsetChoice | None = None
) -> WrittenSubset:
    """Write to ``output`` what ``choice`` selects of the lock at the path ``lock``, as a lock of
    its own; with ``-`` as ``output`` return it alone, for the working folder. A subset that is the
    same already stays as it is.

    Raises LockstreamError: UsageError, InvalidInput, NoSolution, Refused and NotWritten. The file
    is then as it was.
    """
    from planner.lock.writer import check_output, write_lock  # noqa: PLC0415  # as above
    from planner.review.subset_file import make_subset  # noqa: PLC0415

    lock, output = str(lock), lock_path(str(output))
    folder = os.getcwd() if output == "-" else os.path.dirname(os.path.abspath(output))
    if output != "-":
        check_output(output, (lock,))
        _check_replaceable(output)
    made = make_subset(SubsetOrigin(path=lock, choice=choice or SubsetChoice()), folder)
    is_changed = output == "-" or made.text != _text_of(output)
    if is_changed and output != "-":
        write_lock(output, made.text)
    return WrittenSubset(lock=made.lock, of=made.of, text=made.text, is_changed=is_changed)


def _check_replaceable(output: str) -> None:
    """Raise UsageError if a lock is at ``output`` that is not a subset."""
    try:
        existing = read_lock(output) if os.path.exists(output) else None
    except InvalidInput:
        return
    if existing is not None and SubsetOrigin.of(existing, output) is None:
        raise UsageError(
            f"{output} is a lock that is no subset, and would be replaced",
            hint="name another file; or remove it, if it is not needed any more",
        )


def _answer(task: Task, request: PlanRequest, reporter: Reporter) -> PlannedLock:
    """Return the new lock, from the answer cache or from the indexes."""
    # A check needs none of these, and they take a third of its time.
    from planner.index.access import Access  # noqa: PLC0415
    from planner.planning.answer_cache import AnswerCache, follows_from_indexes  # noqa: PLC0415

    question, access = task.question, request.access or Access()
    is_building = bool(task.builds.allowed or request.build_project)
    is_settled = not is_building and follows_from_indexes(question.inputs, question.indexes)
    memo: AnswerCache | None = None
    if access.cache and is_settled:
        memo = AnswerCache(access.cache, question.cache_key())
        if not access.refresh and (known := memo.recall()):
            tell(known.remarks, reporter)
            return task.planned(known.text, None, is_changed=True)
    # Loads a client for HTTP, which a remembered answer does not need.
    from planner.planning.answer import answer  # noqa: PLC0415

    opened = _builder_order(task, request, reporter).open if is_building else None
    try:
        found = answer(question, access, reporter=reporter, memo=memo, open_builder=opened)
    except NoSolution as error:
        _add_kept_options(error, task)
        raise
    return task.planned(found.text, found.lock, is_changed=True)


def _add_kept_options(error: NoSolution, task: Task) -> None:
    if task.kept:
        from planner.planning.advice import add_kept_options  # noqa: PLC0415  # as above

        add_kept_options(error, task.kept)


def _with_builds(
    task: Task, request: PlanRequest, reporter: Reporter, planned: PlannedLock
) -> PlannedLock:
    """Let an engine do the builds that ``planned`` defers; return the lock with their wheels."""
    from planner.engines.remote_builds import do_builds, store_place  # noqa: PLC0415  # as above

    assert request.engine is not None
    place = request.store or store_place(os.environ)
    if not do_builds(planned.lock, planned.text, request.engine, place, request.access, reporter):
        return planned
    question = task.question
    chosen = preferences(planned.lock, question.cases)
    policy = replace(question.policy, preferences=chosen)
    again = replace(task, previous=planned.lock, question=replace(question, policy=policy))
    return _answer(again, replace(request, fragments=(place,)), reporter)


def _builder_order(task: Task, request: PlanRequest, reporter: Reporter) -> BuilderOrder:
    # Loads the executor, which a plan without builds does not need.
    from planner.builds.opened import BuilderOrder  # noqa: PLC0415

    return BuilderOrder(
        question=task.question,
        policy=task.builds,
        previous=task.previous,
        fragments=request.fragments,
        projects=task.projects if request.build_project else (),
        reporter=reporter,
    )


def _check_content(planned: PlannedLock, request: PlanRequest, reporter: Reporter) -> None:
    """Say that a lock is empty, and compare its cost with what the request allows."""
    if "[[packages]]" not in planned.text:
        reporter.input_remark("the inputs require nothing for these targets: the lock is empty")
    if request.fit:
        check_fit(planned.costs, request.fit)


def _text_of(path: str) -> str | None:
    """Return the text of the lock that is there; None if there is none."""
    try:
        return read_input(path).decode()
    except (OSError, ValueError):
        return None
