"""The walk from requirements to the entries of a lock: read, resolve, merge, size."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Protocol

from packaging.utils import NormalizedName
from packaging.version import Version

from executor import Recorder
from planner.index.cache import PageSeen
from planner.index.client import IndexClient
from planner.index.indexes import Indexes
from planner.index.pages import ProjectPage
from planner.index.reader import IndexReader
from planner.inputs.inputs import Inputs
from planner.lock.merge import Entry, merge
from planner.metadata.collisions import find_collisions
from planner.metadata.consistency import find_inconsistency
from planner.metadata.core_metadata import WheelMetadata
from planner.metadata.distribution import Distribution
from planner.metadata.portability import find_unportable
from planner.metadata.remote_metadata import MetadataSource, SizedFile
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Policy
from planner.planning.reporter import Remark, Reporter, tell
from planner.resolver.builder import SourceBuilder
from planner.resolver.prefetch import Fetcher
from planner.resolver.releases import Project
from planner.resolver.solve import Solution, UnsolvableTargets, solve
from planner.resolver.unsolvable import Unsolvable
from schemas.data_class import frozen
from schemas.errors import NoSolution

__all__ = ["FinishedSearch", "Plan", "PlanBuilder", "index_remarks", "plan", "searched"]


class PlanBuilder(SourceBuilder, Protocol):
    """Builds wheels of the sources that a plan chooses, or leaves that to other machines; the
    caller opens and closes it.
    """

    def with_known(
        self, page: ProjectPage, environments: Sequence[MarkerEnvironment]
    ) -> ProjectPage:
        """Return the page with the wheels that were built of its sources for other machines."""

    def metadata(self, wheel: Distribution) -> bytes:
        """Return the METADATA of a wheel of this source."""

    def build(self, solutions: Sequence[Solution]) -> tuple[Solution, ...]:
        """Return the solutions with a wheel in place of each source that is not left to others."""


@frozen(kw_only=True)
class Plan:
    """The packages of each environment, merged and sized, before they become a lock."""

    environments: tuple[MarkerEnvironment, ...]
    entries: tuple[tuple[Entry, tuple[SizedFile, ...]], ...]
    """Sorted by name and version, with the size of each of their files."""
    remarks: tuple[Remark, ...] = ()
    """What was reported."""
    pages: tuple[PageSeen, ...] | None = None
    """The index pages that it follows from; None if anything else took part."""


def plan(
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
    *,
    client: IndexClient,
    indexes: Indexes,
    policy: Policy | None = None,
    reporter: Reporter | None = None,
    builder: PlanBuilder | None = None,
) -> Plan:
    """Choose and size wheels for everything that ``inputs`` require in ``environments``;
    ``builder`` builds those that no index has.

    Raises Unsolvable, UnsolvableTargets and SearchTooLong if there is no solution, HashesMissing,
    UnreadableWheel and WheelDiffers if a solution would not be safe, UsageError if ``indexes`` name
    something that is not an index, IndexUnreachable and IndexAnswer if an index fails, and with a
    ``builder`` BuildFailed.
    """
    reporter = reporter or Reporter()
    record = reporter.recorder
    policy = policy or Policy()
    with searched(
        inputs,
        environments,
        client=client,
        indexes=indexes,
        policy=policy,
        reporter=reporter,
        builder=builder,
    ) as search:
        solutions = search.solutions
        if builder:
            solutions = builder.build(solutions)
        entries = merge(solutions, indexes.divided)
        files = [file for entry in entries for file in entry.files]
        record.note("sizing", files=len(files))
        sizes = iter(search.fetcher.sizes(files, lambda: record.note("sized")))
        sized = tuple((entry, tuple(next(sizes) for _ in entry.files)) for entry in entries)
        record.event("sizes", files=sum(len(files) for _, files in sized))
        remarks = _all_remarks(solutions, search.source, search.reader)
        tell(remarks, reporter)
        return Plan(
            environments=tuple(environments),
            entries=sized,
            remarks=tuple(remarks),
            pages=search.reader.seen if search.source.is_pinned else None,
        )


@frozen(kw_only=True)
class FinishedSearch:
    """What a search has chosen, and what it has read and can go on to read."""

    solutions: tuple[Solution, ...]
    fetcher: Fetcher
    source: MetadataSource
    reader: IndexReader


@contextmanager
def searched(
    inputs: Inputs,
    environments: Sequence[MarkerEnvironment],
    *,
    client: IndexClient,
    indexes: Indexes,
    policy: Policy,
    reporter: Reporter,
    builder: PlanBuilder | None,
    foresees: bool = True,
) -> Iterator[FinishedSearch]:
    """Choose versions for everything that ``inputs`` require, and yield them; sizes are asked for
    meanwhile if the search ``foresees`` that they are needed.

    Raises what ``plan`` raises before it builds.
    """
    record = reporter.recorder
    reader = IndexReader(indexes, client, [one.name for one in inputs.requirements])

    def load_project(name: NormalizedName, pin: str | None) -> Project:
        page = reader.page(name, pin)
        record.event("page", package=name, files=len(page.files))
        return Project(builder.with_known(page, environments) if builder else page)

    stated = inputs.settings.dependency_metadata
    source = MetadataSource(client, builder.metadata if builder else None, record, stated)
    began = time.monotonic()
    with Fetcher(load_project, source, indexes.pin_of, foresees=foresees) as fetcher:
        try:
            solutions = solve(inputs, environments, policy, fetcher, builder)
        except NoSolution as error:
            tell(index_remarks(reader), reporter)
            if isinstance(error, Unsolvable | UnsolvableTargets):
                # Loaded only if a plan fails.
                from planner.planning.advice import advise  # noqa: PLC0415

                names = {name for kept in policy.preferences for name in kept}
                error.advice = advise(error, reader, indexes, names)
            raise
        _record(solutions, record, time.monotonic() - began)
        yield FinishedSearch(solutions=solutions, fetcher=fetcher, source=source, reader=reader)


def _record(solutions: Iterable[Solution], recorder: Recorder, seconds: float) -> None:
    """Write what a search of ``seconds`` has found."""
    for solution in solutions:
        recorder.event(
            "search",
            environment=str(solution.environment.targets[0]),
            packages=len(solution.packages),
            seconds=round(seconds, 4),
        )


def _all_remarks(
    solutions: Sequence[Solution], source: MetadataSource, reader: IndexReader
) -> dict[Remark, None]:
    """Return what the user should know, once even if several environments have it."""
    seen: set[str] = set()
    remarks = dict.fromkeys(
        remark
        for solution in solutions
        for remark in chain(_remarks(solution), _collisions(solution, source, seen))
    )
    return remarks | dict.fromkeys(chain(_inconsistencies(solutions), index_remarks(reader)))


def index_remarks(reader: IndexReader) -> Iterator[Remark]:
    """Yield what the user should know of the indexes: forbidden projects and broken links."""
    for index, names in sorted(reader.forbidden.items()):
        yield "forbidden", (index, tuple(sorted(names)))
    for page, links in sorted(reader.broken.items()):
        yield "broken_links", (page, links)


def _collisions(solution: Solution, source: MetadataSource, seen: set[str]) -> Iterator[Remark]:
    """Yield, for each target, pairs of wheels that have different files of one path, and wheels
    with names that some system does not take; those once, and ``seen`` is what was looked at.
    """
    for position in range(len(solution.environment.targets)):
        files = (package.wheels[position].file for package in solution.packages)
        wheels = (file for file in files if not file.is_source)
        listings = [(file.filename, source.listing(file)) for file in wheels]
        for one in find_collisions(listings):
            yield "collision", (one.first, one.second, one.places)
        for filename, listing in listings:
            if filename in seen:
                continue
            seen.add(filename)
            if names := find_unportable(filename, listing):
                yield "unportable", (filename, names)


def _inconsistencies(solutions: Iterable[Solution]) -> Iterator[Remark]:
    """Yield the releases of which the chosen wheels have different requirements."""
    wheels: dict[tuple[NormalizedName, Version], dict[str, WheelMetadata]] = {}
    for package in (package for solution in solutions for package in solution.packages):
        known = wheels.setdefault((package.name, package.version), {})
        for wheel, metadata in zip(package.wheels, package.metadata, strict=True):
            known[wheel.file.filename] = metadata
    for known in wheels.values():
        if found := find_inconsistency([*known.items()]):
            yield "inconsistent", (found.first, found.second, found.of_first, found.of_second)


def _remarks(solution: Solution) -> Iterator[Remark]:
    for package, page in zip(solution.packages, solution.pages, strict=True):
        if page.status != "active":
            yield "project_status", (package.name, page.status, page.status_reason)
        if page.has_newer_version:
            yield "newer_api", (package.wheels[0].file.index, page.api_version)
        if package.passed_over:
            version, reason = package.passed_over
            yield "passed_over", (package.name, str(version), reason)
        for extra in package.unknown_extras:
            yield "unknown_extra", (package.name, str(package.version), extra)
        for file in (wheel.file for wheel in package.wheels):
            if file.yanked is not None:
                yield "yanked", (file.filename, file.yanked)
