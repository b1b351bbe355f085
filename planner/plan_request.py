"""What a user wants planned, and the reading of all that it names."""

from __future__ import annotations

import os
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from planner.builds.build_request import BuildRequest
from planner.builds.policy import BuildPolicy
from planner.builds.project_metadata import ProjectMetadata
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, conflicts_table, index_table
from planner.inputs.project_tables import Backend
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.question import Question
from planner.inputs.recorded_options import (
    given_fields,
    keep_recorded,
    options_from_table,
    options_to_table,
)
from planner.inputs.remote_file import FetchFile, file_fetcher
from planner.inputs.targets import TargetChoice, TargetRequest, targets_for
from planner.lock.lock_path import lock_path
from planner.lock.reader import read_lock
from planner.model.environments import group_targets
from planner.planning.reporter import Reporter
from planner.review.fit import ContainerSize
from planner.review.header import describe_changes
from planner.review.merge_into import read_merged, with_targets_of
from planner.review.planned_lock import PlannedLock
from planner.review.previous import preferences
from planner.review.recorded import (
    recorded_indexes,
    recorded_table,
    targets_of,
)
from planner.review.subset_choice import SubsetOrigin
from schemas.data_class import frozen
from schemas.errors import InvalidInput, UsageError
from schemas.lock import newer_remark, recorded_targets

if TYPE_CHECKING:
    from planner.index.access import Access

__all__ = [
    "PlanRequest",
    "Task",
    "foreign_question",
    "read_task",
    "task_for",
    "task_over",
    "with_recorded",
]


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
class Task:
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
    kept: tuple[str, ...] = ()
    """The names of the options of indexes and policy that only the lock has."""

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


def read_task(request: PlanRequest, reporter: Reporter) -> Task:
    """Return the task of ``request``, with the existing lock and what that records.

    Raises what ``task_for`` and ``read_lock`` raise.
    """
    output = lock_path(request.merge_into or request.output, request.sources.projects)
    existing = _read_existing(request, output, reporter)
    if existing is not None and (remark := newer_remark(existing, output)):
        reporter.input_remark(remark)
    return task_over(request, output, existing, reporter)


def task_over(
    request: PlanRequest, output: str, existing: Pylock | None, reporter: Reporter
) -> Task:
    """Return the task of ``request`` for the lock ``existing`` at ``output``, if there is one, with
    what it records. Raises what ``task_for`` raises.
    """
    given, asked = request.sources, _given_options(request)
    if existing is not None and not request.forget:
        request = with_recorded(request, existing, output)
    kept = tuple(name for name in _given_options(request) if name not in asked)
    if request.project and not (request.sources.projects or request.sources.requirements):
        request = replace(request, sources=replace(request.sources, projects=(request.project,)))
    rules = request.builds, request.indexes, request.policy
    backend = ProjectMetadata(*rules, request.access, reporter) if request.builds.select else None
    task = task_for(request, output, existing, file_fetcher(request.access), backend)
    task = replace(task, kept=kept)
    task.question.check_pythons()
    if existing is not None and recorded_table(existing, "inputs"):
        task = replace(task, notes=(*task.notes, *describe_changes(existing, task.question, given)))
    if existing is None or request.upgrade:
        return task
    upgraded = {canonicalize_name(name) for name in request.upgraded}
    question = task.question
    chosen = preferences(existing, question.cases, upgrade=upgraded)
    is_refreshed = request.access is not None and request.access.refresh
    return replace(
        task,
        question=replace(question, policy=replace(question.policy, preferences=chosen)),
        previous=existing,
        may_be_kept=not (upgraded or is_refreshed or request.builds_anew),
    )


def _given_options(request: PlanRequest) -> list[str]:
    return [*given_fields(request.policy), *given_fields(request.indexes)]


def _read_existing(request: PlanRequest, output: str, reporter: Reporter) -> Pylock | None:
    """Read the lock that is to be replaced, if there is one."""
    if request.merge_into is not None:
        named = request.output
        return read_merged(request.merge_into, output=named, upgrade=request.upgrade)
    if output == "-" or not os.path.exists(output):
        return None
    try:
        existing = read_lock(output)
    except InvalidInput as error:
        if not request.upgrade:
            raise
        reporter.input_remark(f"the options that the lock recorded do not count: {error}")
        return None
    if origin := SubsetOrigin.of(existing, output):
        raise UsageError(
            f"{output} is a subset of {origin.path}, which a plan would replace",
            hint=f"plan {origin.path}, then make the subset again: {origin.command(output)}",
        )
    return existing


def with_recorded(request: PlanRequest, lock: Pylock, path: str) -> PlanRequest:
    """Return ``request`` with what ``lock`` records of the options that it does not give."""
    folder = os.path.dirname(path)
    sources = Provenance.from_table(recorded_table(lock, "inputs"), folder)
    if sources is None:
        return request
    options = recorded_table(lock, "options")
    policy = options_from_table(PolicyRequest, options.get("policy"))
    builds = BuildRequest.from_options(options.get("build"), folder)
    indexes = recorded_indexes(lock, folder)
    if request.indexes.default_index or request.indexes.indexes:
        # An index that is named now is there to be used.
        indexes = replace(indexes, no_index=False)
    return replace(
        request,
        sources=request.sources.keep(sources),
        targets=replace(
            request.targets,
            recorded=recorded_targets(lock),
            are_recorded_named=options.get("named-targets") is True,
        ),
        indexes=keep_recorded(request.indexes, indexes),
        policy=keep_recorded(request.policy, policy),
        builds=request.builds.keep(builds),
    )


def task_for(
    request: PlanRequest,
    output: str,
    existing: Pylock | None,
    fetch: FetchFile,
    backend: Backend | None = None,
) -> Task:
    """Return the task of ``request``, in which nothing is preferred yet: read the inputs, and
    decide the targets and the rules. Raises what ``read_inputs`` raises, UsageError and others.
    """
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
                **conflicts_table(inputs),
                **request.policy.to_table(policy, inputs),
                **({"build": table} if (table := builds.to_table()) else {}),
            },
        },
    )
    return Task(
        question=question,
        output=output,
        existing=existing,
        projects=sources.projects,
        builds=builds,
        notes=() if choice.are_named else (f"targets: from {choice.origin}",),
    )


def foreign_question(lock: Pylock, path: str, request: PlanRequest) -> Question:
    """Return the question that a ``lock`` without inputs leaves: its targets, or else the running
    interpreter, by the rules of ``request`` and of this machine.
    """
    inputs = Inputs()
    return Question(
        inputs=inputs,
        environments=group_targets(targets_of(lock)),
        policy=request.policy.resolve(inputs, datetime.now(UTC)),
        indexes=request.indexes.resolve(inputs, os.environ),
        folder=os.path.dirname(os.path.abspath(path)),
        provenance={},
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
