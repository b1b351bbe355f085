"""The verbs of the planner: plan a lock, and check one against its inputs."""

from __future__ import annotations

import os
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from planner.builds.policy import BuildPolicy, BuildRequest
from planner.builds.project_metadata import ProjectMetadata
from planner.inputs.errors import InvalidRequirementLine
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, index_table
from planner.inputs.project_tables import Backend, refuse_backend
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.question import Question
from planner.inputs.recorded_options import keep_recorded, options_from_table, options_to_table
from planner.inputs.remote_file import FetchFile, file_fetcher, refuse_remote
from planner.inputs.targets import TargetChoice, TargetRequest, targets_for
from planner.lock.lock_path import lock_path
from planner.lock.reader import read_lock
from planner.model.environments import MarkerEnvironment, group_targets, recorded_targets
from planner.planning.reporter import Reporter, tell
from planner.review.check import find_problems, find_undecided
from planner.review.fit import ContainerSize, check_fit
from planner.review.header import describe_changes
from planner.review.merge_into import read_merged, with_targets_of
from planner.review.planned_lock import PlannedLock
from planner.review.previous import check_files, is_current, preferences
from planner.review.recorded import (
    recorded_indexes,
    recorded_sources,
    recorded_table,
    refuse_special_files,
    without_foreign_text,
)
from schemas.data_class import frozen
from schemas.errors import InvalidInput, NotWritten
from schemas.lock import newer_remark

if TYPE_CHECKING:
    from planner.builds.opened import BuilderOrder
    from planner.index.access import Access
    from planner.planning.answer_cache import AnswerCache

__all__ = ["CheckedLock", "PlanRequest", "check_lock", "plan_lock"]


@frozen(kw_only=True)
class PlanRequest:
    """What a user wants planned; the caller makes it, from a command line or from code.

    What it leaves at its default is as the existing lock records it.
    """

    sources: Provenance = field(default_factory=Provenance)
    """The projects and files that hold the requirements."""
    project: str | None = None
    """The project that is planned if neither ``sources`` nor the existing lock names any; None for
    that of the working folder."""
    output: str | None = None
    """The path of the lock; ``-`` to leave it unwritten. None for ``pylock.toml``, or for a script
    ``pylock.NAME.toml`` in its folder."""
    targets: TargetRequest = field(default_factory=TargetRequest)
    indexes: IndexRequest = field(default_factory=IndexRequest)
    policy: PolicyRequest = field(default_factory=PolicyRequest)
    builds: BuildRequest = field(default_factory=BuildRequest)
    build_project: bool = False
    """Whether the lock of what the projects themselves are built with is written too."""
    access: Access | None = None
    """How the indexes may be asked; None: without a cache."""
    merge_into: str | None = None
    """The path of a lock that the targets are added to."""
    fragments: tuple[str, ...] = ()
    """Folders and URLs with wheels that other machines have built for the existing lock."""
    engine: str | None = None
    """The engine that does the builds, such as ``dask``; the plan then defers them."""
    store: str | None = None
    """The folder or the URL for the wheels that the engine builds; None for one in the cache."""
    forget: bool = False
    """Whether the options that the existing lock records do not count."""
    upgrade: bool = False
    """Whether no version of the existing lock is preferred."""
    upgraded: tuple[str, ...] = ()
    """Names of projects of which no version is preferred."""
    fit: ContainerSize | None = None
    """What an execution of the lock may take."""

    @property
    def builds_anew(self) -> bool:
        """Whether builds are done or taken over even if the existing lock is current."""
        return bool(self.build_project or self.fragments or self.engine)


@frozen(kw_only=True)
class CheckedLock:
    """The verdict on a lock; the caller owns it."""

    lock: Pylock
    environments: tuple[MarkerEnvironment, ...]
    problems: tuple[str, ...]
    """What is wrong, a sentence each; empty if the lock is current."""
    undecided: tuple[str, ...] = ()
    """What a plan would read and the check could not, a sentence each."""


def check_lock(path: str, request: PlanRequest | None = None) -> CheckedLock:
    """Compare the lock at ``path`` with what a plan of ``request`` would write, offline.

    Raises UsageError if the lock does not record its inputs, and what ``read_lock``,
    ``read_inputs`` and ``find_problems`` raise.
    """
    lock = read_lock(path)
    recorded_sources(lock, path)
    request = _with_recorded(replace(request or PlanRequest(), output=path), lock, path)
    refuse_special_files(request.sources, request.builds.constraints)
    try:
        question = _read_question(request, path, lock, refuse_remote, refuse_backend).question
    except InvalidRequirementLine as error:
        raise without_foreign_text(error, os.path.dirname(os.path.abspath(path))) from None
    return CheckedLock(
        lock=lock,
        environments=group_targets(recorded_targets(lock)) or question.environments,
        problems=find_problems(lock, question),
        undecided=find_undecided(question),
    )


def plan_lock(request: PlanRequest, reporter: Reporter | None = None) -> PlannedLock:
    """Choose versions and wheels for all that ``request`` names, and write the lock. One that is
    current is kept, and no index is asked.

    Raises LockstreamError: UsageError, InvalidInput, NoSolution, IndexUnreachable, IndexAnswer,
    BuildFailed, FileExchanged, DoesNotFit and others. The file is then as it was.
    """
    reporter = reporter or Reporter()
    task = _read_task(request, reporter)
    if request.fragments or request.engine:
        task.builds.check_keeps("--fragments" if request.fragments else "--on")
    tell((("input_remark", (text,)) for text in task.question.inputs.remarks), reporter)
    previous = task.previous
    if previous and task.may_be_kept and is_current(previous, task.question):
        text = Path(task.output).read_text(encoding="utf-8")
        planned = task.planned(text, previous, is_changed=False)
        _check_content(planned, request, reporter)
        return planned
    planned = _answer(task, request, reporter)
    if request.engine is not None:
        planned = _with_builds(task, request, reporter, planned)
    if task.existing:
        check_files(task.existing, planned.lock)
    _check_content(planned, request, reporter)
    if task.output != "-":
        _write(planned.text, task.output)
    if request.access and request.access.cache:
        request.access.cache.tidy()
    return planned


@frozen(kw_only=True)
class _Task:
    """A request of which the inputs, the targets and the existing lock are read."""

    question: Question
    output: str
    projects: tuple[str, ...]
    """The folders of the projects that are planned."""
    builds: BuildPolicy
    existing: Pylock | None
    """The lock that is replaced: none of its files may have been exchanged."""
    previous: Pylock | None = None
    """The existing lock, if its versions are preferred."""
    may_be_kept: bool = False
    """Whether ``previous`` may stay as it is, if it is current."""
    notes: tuple[str, ...] = ()

    def planned(self, text: str, lock: Pylock | None, *, is_changed: bool) -> PlannedLock:
        """Return the outcome."""
        return PlannedLock(
            text=text,
            path=self.output,
            environments=self.question.environments,
            is_changed=is_changed,
            notes=self.notes,
            parsed=lock,
            previous=self.existing,
        )


def _read_task(request: PlanRequest, reporter: Reporter) -> _Task:
    output = lock_path(request.merge_into or request.output, request.sources.projects)
    existing = _read_existing(request, output, reporter)
    if existing is not None and (remark := newer_remark(existing, output)):
        reporter.input_remark(remark)
    given = request.sources
    if existing is not None and not request.forget:
        request = _with_recorded(request, existing, output)
    if request.project and not (request.sources.projects or request.sources.requirements):
        request = replace(request, sources=replace(request.sources, projects=(request.project,)))
    rules = request.builds, request.indexes, request.policy
    backend = ProjectMetadata(*rules, request.access, reporter) if request.builds.select else None
    task = _read_question(request, output, existing, file_fetcher(request.access), backend)
    task.question.check_pythons()
    if existing is not None and recorded_table(existing, "inputs"):
        task = replace(task, notes=(*task.notes, *describe_changes(existing, task.question, given)))
    if existing is None or request.upgrade:
        return task
    upgraded = {canonicalize_name(name) for name in request.upgraded}
    question = task.question
    chosen = preferences(existing, question.environments, upgrade=upgraded)
    is_refreshed = request.access is not None and request.access.refresh
    return replace(
        task,
        question=replace(question, policy=replace(question.policy, preferences=chosen)),
        previous=existing,
        may_be_kept=not (upgraded or is_refreshed or request.builds_anew),
    )


def _read_existing(request: PlanRequest, output: str, reporter: Reporter) -> Pylock | None:
    """Read the lock that is to be replaced, if there is one."""
    if request.merge_into is not None:
        named = request.output
        return read_merged(request.merge_into, output=named, upgrade=request.upgrade)
    if output == "-" or not os.path.exists(output):
        return None
    try:
        return read_lock(output)
    except InvalidInput as error:
        if not request.upgrade:
            raise
        reporter.input_remark(f"the options that the lock recorded do not count: {error}")
        return None


def _with_recorded(request: PlanRequest, lock: Pylock, path: str) -> PlanRequest:
    """Return ``request`` with what ``lock`` records of the options that it does not give."""
    folder = os.path.dirname(path)
    sources = Provenance.from_table(recorded_table(lock, "inputs"), folder)
    if sources is None:
        return request
    options = recorded_table(lock, "options")
    policy = options_from_table(PolicyRequest, options.get("policy"))
    builds = BuildRequest.from_options(options.get("build"), folder)
    return replace(
        request,
        sources=request.sources.keep(sources),
        targets=replace(
            request.targets,
            recorded=recorded_targets(lock),
            are_recorded_named=options.get("named-targets") is True,
        ),
        indexes=keep_recorded(request.indexes, recorded_indexes(lock, folder)),
        policy=keep_recorded(request.policy, policy),
        builds=request.builds.keep(builds),
    )


def _read_question(
    request: PlanRequest,
    output: str,
    existing: Pylock | None,
    fetch: FetchFile,
    backend: Backend | None = None,
) -> _Task:
    """Read the inputs and decide the targets and the rules of a plan."""
    sources = request.sources
    inputs = read_inputs(sources, environment=os.environ, fetch=fetch, backend=backend)
    if not sources.requirements:
        sources = replace(sources, projects=sources.projects or (os.curdir,))
    choice = _choose_targets(inputs, sources, request, existing)
    folder = os.getcwd() if output == "-" else os.path.dirname(os.path.abspath(output))
    indexes = request.indexes.with_configured(inputs, os.environ)
    places = indexes.resolve(inputs, os.environ)
    policy = request.policy.resolve(inputs, datetime.now(UTC))
    builds = request.builds.resolve(inputs.settings.build, fetch)
    options: dict[str, Any] = {
        "index": indexes.to_options(folder),
        "policy": options_to_table(request.policy),
        "build": request.builds.to_options(folder),
        "named-targets": choice.are_named,
    }
    question = Question(
        inputs=inputs,
        environments=group_targets(choice.targets),
        policy=policy,
        indexes=places,
        folder=folder,
        provenance={
            "inputs": sources.to_table(folder),
            "options": {key: value for key, value in options.items() if value},
            "policy": {
                **index_table(places, folder),
                **request.policy.to_table(policy, inputs),
                **({"build": table} if (table := builds.to_table()) else {}),
            },
        },
    )
    return _Task(
        question=question,
        output=output,
        existing=existing,
        projects=sources.projects,
        builds=builds,
        notes=() if choice.are_named else (f"targets: from {choice.origin}",),
    )


def _choose_targets(
    inputs: Inputs, sources: Provenance, request: PlanRequest, existing: Pylock | None
) -> TargetChoice:
    first = (*sources.projects, *sources.requirements)[0]
    folder = first if os.path.isdir(first) else os.path.dirname(first)
    wanted = replace(request.targets, folder=folder)
    if request.merge_into is None or existing is None:
        return targets_for(inputs, wanted)
    # This machine is added to the targets of the lock.
    choice = targets_for(inputs, replace(wanted, recorded=()))
    targets = with_targets_of(existing, choice.targets, are_named=choice.are_named)
    return replace(choice, targets=targets, are_named=True)


def _answer(task: _Task, request: PlanRequest, reporter: Reporter) -> PlannedLock:
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
    found = answer(question, access, reporter=reporter, memo=memo, open_builder=opened)
    return task.planned(found.text, found.lock, is_changed=True)


def _with_builds(
    task: _Task, request: PlanRequest, reporter: Reporter, planned: PlannedLock
) -> PlannedLock:
    """Let an engine do the builds that ``planned`` defers; return the lock with their wheels."""
    from planner.engines.remote_builds import do_builds, store_place  # noqa: PLC0415  # as above

    assert request.engine is not None
    place = request.store or store_place(os.environ)
    if not do_builds(planned.lock, planned.text, request.engine, place, request.access, reporter):
        return planned
    question = task.question
    chosen = preferences(planned.lock, question.environments)
    policy = replace(question.policy, preferences=chosen)
    again = replace(task, previous=planned.lock, question=replace(question, policy=policy))
    return _answer(again, replace(request, fragments=(place,)), reporter)


def _builder_order(task: _Task, request: PlanRequest, reporter: Reporter) -> BuilderOrder:
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


def _write(text: str, output: str) -> None:
    from planner.lock.writer import write_atomically  # noqa: PLC0415  # as above

    try:
        write_atomically(output, text)
    except OSError as error:
        raise NotWritten(f"{output} cannot be written", error) from None
