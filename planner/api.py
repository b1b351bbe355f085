"""The verbs of the planner: plan a lock, and check one against its inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.pylock import Pylock, is_valid_pylock_path
from packaging.utils import canonicalize_name

from planner.builds.policy import BuildPolicy, BuildRequest
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, index_table
from planner.inputs.provenance import Provenance, read_inputs
from planner.inputs.remote_file import file_fetcher
from planner.inputs.targets import targets_for
from planner.lock.built import Built, known_builds
from planner.lock.reader import parse_lock, read_lock
from planner.model.environments import MarkerEnvironment, group_targets
from planner.planning.question import Question
from planner.planning.reporter import Reporter, tell
from planner.review.check import find_problems
from planner.review.cost import Cost, cost_of
from planner.review.fit import ContainerSize, check_fit
from planner.review.merge_into import read_merged, with_targets_of
from planner.review.previous import check_files, is_current, preferences
from planner.review.recorded import recorded_inputs, recorded_sources, targets_of
from schemas.errors import UsageError

if TYPE_CHECKING:
    from planner.index.access import Access
    from planner.index.client import IndexClient
    from planner.planning.plan import PlanBuilder

__all__ = ["CheckedLock", "PlanRequest", "PlannedLock", "check_lock", "plan_lock"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """What a user wants planned; the caller makes it, from a command line or from code."""

    sources: Provenance = field(default_factory=Provenance)
    """The projects and files that hold the requirements."""
    output: str = "pylock.toml"
    """The path of the lock; ``-`` to leave it unwritten."""
    python_versions: tuple[str, ...] = ()
    """Pythons to plan for, such as ``3.12`` or ``3.13t``."""
    platforms: tuple[str, ...] = ()
    """Platform tags, such as ``manylinux_2_28_x86_64``; each goes with each Python."""
    indexes: IndexRequest = field(default_factory=IndexRequest)
    policy: PolicyRequest = field(default_factory=PolicyRequest)
    builds: BuildRequest = field(default_factory=BuildRequest)
    build_project: bool = False
    """Whether the lock of what the projects themselves are built with is written too."""
    access: Access | None = None
    """How the indexes may be asked; None: without a cache."""
    merge_into: str | None = None
    """The path of a lock that the targets are added to."""
    upgrade: bool = False
    """Whether no version of the existing lock is preferred."""
    upgraded: tuple[str, ...] = ()
    """Names of projects of which no version is preferred."""
    fit: ContainerSize | None = None
    """What an execution of the lock may take."""


@dataclass(frozen=True, kw_only=True)
class PlannedLock:
    """A lock that is written; the caller owns it."""

    text: str
    path: str
    environments: Sequence[MarkerEnvironment]
    is_changed: bool
    """Whether the file was written; False if it answered the request as it was."""
    parsed: Pylock | None = None

    @cached_property
    def lock(self) -> Pylock:
        """The content of the lock."""
        # Reading it takes a third of the time of a remembered answer, so it is done late.
        return self.parsed or parse_lock(self.text)

    @cached_property
    def costs(self) -> list[Cost]:
        """What an execution takes on each target, with all extras and dependency groups."""
        extras, groups = self.lock.extras or (), self.lock.dependency_groups or ()
        return [
            cost_of(self.lock, target, extras=extras, groups=groups)
            for environment in self.environments
            for target in environment.targets
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedLock:
    """The verdict on a lock; the caller owns it."""

    lock: Pylock
    environments: tuple[MarkerEnvironment, ...]
    problems: tuple[str, ...]
    """What is wrong, a sentence each; empty if the lock is current."""


def check_lock(path: str) -> CheckedLock:
    """Compare the lock at ``path`` with its inputs, without any index.

    Raises UsageError if the lock does not record its inputs, and what ``read_lock``,
    ``read_inputs`` and ``find_problems`` raise.
    """
    lock = read_lock(path)
    environments = group_targets(targets_of(lock))
    problems = find_problems(lock, recorded_inputs(lock, path), environments)
    return CheckedLock(lock=lock, environments=environments, problems=problems)


def plan_lock(request: PlanRequest, reporter: Reporter | None = None) -> PlannedLock:
    """Choose versions and wheels for all that ``request`` names, and write the lock.

    A lock that answers the request already is kept, and no index is asked.

    Raises LockstreamError: UsageError, InvalidInput, NoSolution, IndexUnreachable, IndexAnswer,
    BuildFailed, FileExchanged, DoesNotFit and others. The file is then as it was.
    """
    reporter = reporter or Reporter()
    check_name(request.output)
    task = _read_task(request)
    tell((("input_remark", (text,)) for text in task.question.inputs.remarks), reporter)
    previous = task.previous
    if previous and task.may_be_kept and task.is_answered_by(previous):
        text = Path(task.output).read_text(encoding="utf-8")
        planned = task.planned(text, previous, is_changed=False)
        _check_fit(planned, request)
        return planned
    planned = _answer(task, request, reporter)
    if previous:
        check_files(previous, planned.lock)
    _check_fit(planned, request)
    if task.output != "-":
        _write(planned.text, task.output)
    if request.access and request.access.cache:
        request.access.cache.tidy()
    return planned


def check_name(output: str) -> None:
    """Raise UsageError if a lock cannot be called ``output``."""
    if output != "-" and not is_valid_pylock_path(Path(output)):
        raise UsageError(
            f"a lock cannot be called {os.path.basename(output)!r}",
            hint="the standard allows pylock.toml and pylock.<name>.toml",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """A request of which the inputs, the targets and the existing lock are read."""

    question: Question
    output: str
    previous: Pylock | None
    may_be_kept: bool
    """Whether ``previous`` may stay as it is, if it is current."""
    projects: tuple[str, ...]
    """The folders of the projects that are planned."""
    builds: BuildPolicy

    def is_answered_by(self, lock: Pylock) -> bool:
        """Return whether ``lock`` would be planned as it is."""
        question = self.question
        return is_current(lock, question.inputs, question.environments, question.provenance)

    def planned(self, text: str, lock: Pylock | None, *, is_changed: bool) -> PlannedLock:
        """Return the outcome."""
        return PlannedLock(
            text=text,
            path=self.output,
            environments=self.question.environments,
            is_changed=is_changed,
            parsed=lock,
        )


def _read_task(request: PlanRequest) -> _Task:
    sources, output = request.sources, request.output
    merged = None
    if request.merge_into is not None:
        merged = read_merged(request.merge_into, output=output, upgrade=request.upgrade)
        output = request.merge_into
        if not sources.projects and not sources.requirements:
            sources = recorded_sources(merged, output)
    inputs = read_inputs(sources, environment=os.environ, fetch=file_fetcher(request.access))
    if not sources.requirements:
        sources = replace(sources, projects=sources.projects or (os.curdir,))
    environments = _environments(inputs, request, merged)
    folder = os.getcwd() if output == "-" else os.path.dirname(os.path.abspath(output))
    previous = None if request.upgrade else _read_previous(output)
    policy = request.policy.resolve(inputs, datetime.now(UTC))
    indexes = request.indexes.resolve(inputs, os.environ)
    builds = request.builds.resolve(inputs.settings.build)
    upgraded = {canonicalize_name(name) for name in request.upgraded}
    is_refreshed = request.access is not None and request.access.refresh
    chosen = preferences(previous, environments, upgrade=upgraded) if previous else ()
    question = Question(
        inputs=inputs,
        environments=environments,
        policy=replace(policy, preferences=chosen),
        indexes=indexes,
        folder=folder,
        provenance={
            "inputs": sources.to_table(folder),
            "policy": {
                **index_table(indexes, folder),
                **request.policy.to_table(policy, inputs),
                **({"build": table} if (table := builds.to_table()) else {}),
            },
        },
    )
    return _Task(
        question=question,
        output=output,
        previous=previous,
        may_be_kept=not (upgraded or is_refreshed or request.build_project),
        projects=sources.projects,
        builds=builds,
    )


def _environments(
    inputs: Inputs, request: PlanRequest, merged: Pylock | None
) -> tuple[MarkerEnvironment, ...]:
    targets = targets_for(inputs, request.python_versions, request.platforms)
    if merged is not None:
        are_named = bool(request.python_versions or request.platforms)
        targets = with_targets_of(merged, targets, are_named=are_named)
    environments = group_targets(targets)
    for environment in environments:
        version = environment.python_version
        required = inputs.requires_python
        if required and not required.contains(version, prereleases=True):
            raise UsageError(
                f"the project requires Python {required}, and the target has {version}",
                hint="name another target with --python-version",
            )
    return environments


def _read_previous(output: str) -> Pylock | None:
    return read_lock(output) if output != "-" and os.path.exists(output) else None


def _answer(task: _Task, request: PlanRequest, reporter: Reporter) -> PlannedLock:
    """Return the new lock, from the answer cache or from the indexes."""
    # A check needs none of these, and they take a third of its time.
    from planner.index.access import Access  # noqa: PLC0415
    from planner.planning.answer_cache import AnswerCache, follows_from_indexes  # noqa: PLC0415

    question, access = task.question, request.access or Access()
    is_building = bool(task.builds.allowed or request.build_project)
    is_settled = not is_building and follows_from_indexes(question.inputs, question.indexes)
    memo = None
    if access.cache and is_settled:
        memo = AnswerCache(access.cache, question.cache_key())
        if not access.refresh and (known := memo.recall()):
            tell(known.remarks, reporter)
            return task.planned(known.text, None, is_changed=True)
    # Loads a client for HTTP, which a remembered answer does not need.
    from planner.planning.answer import answer  # noqa: PLC0415

    projects = task.projects if request.build_project else ()
    opened = partial(_open_builder, task, projects, reporter) if is_building else None
    found = answer(question, access, reporter=reporter, memo=memo, open_builder=opened)
    return task.planned(found.text, found.lock, is_changed=True)


@contextmanager
def _open_builder(
    task: _Task, projects: Sequence[str], reporter: Reporter, client: IndexClient
) -> Iterator[tuple[PlanBuilder | None, Mapping[str, Built]]]:
    """Yield the builder of a plan, and what it has built; at the end, lock ``projects``."""
    # Loads the executor, which a plan without builds does not need.
    from planner.builds.build_locks import BuildRequirements  # noqa: PLC0415
    from planner.builds.builder import Builder  # noqa: PLC0415
    from planner.builds.projects import lock_projects  # noqa: PLC0415

    question, builds, folder = task.question, task.builds, task.question.folder
    requirements = BuildRequirements(
        client=client,
        indexes=question.indexes,
        policy=question.policy,
        folder=folder,
        keep=bool(question.policy.preferences),
    )
    wheelhouse = builds.wheelhouse or ""
    known = known_builds(task.previous, folder, wheelhouse) if task.previous else ()
    with Builder(
        policy=builds,
        client=client,
        requirements=requirements,
        folder=folder,
        known=known,
        reporter=reporter,
    ) as builder:
        yield (builder if builds.allowed else None), builder.built
        if projects:
            lock_projects(builder, projects, tuple(question.targets))


def _check_fit(planned: PlannedLock, request: PlanRequest) -> None:
    if request.fit:
        check_fit(planned.costs, request.fit)


def _write(text: str, output: str) -> None:
    from planner.lock.writer import write_atomically  # noqa: PLC0415  # as above

    try:
        write_atomically(output, text)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from None
