"""Background fetching of the pages and metadata that the resolver will need next.

The resolver needs one answer at a time, and each is a round trip away. So a pool of threads fetches
pages and metadata as soon as they may be needed, each once: a dependency leads to a page, the page
to the wheel that would be selected if nothing else were required, its metadata to more
dependencies. A wrong guess costs a request and never changes the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from itertools import islice
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectFile
from planner.index.request_pool import RequestPool, result_of
from planner.index.requester import CONNECTIONS
from planner.metadata.core_metadata import InvalidMetadata, WheelMetadata
from planner.metadata.distribution import Distribution
from planner.metadata.remote_metadata import MetadataSource, SizedFile
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver.candidates import CandidateFinder
from planner.resolver.direct import DirectProjects
from planner.resolver.overrides import Overrides
from planner.resolver.releases import Project
from planner.resolver.requirement_selector import RequirementSelector

__all__ = ["Fetcher", "Prefetcher"]


SIZERS = 4
"""Threads that get the sizes of wheels that may be selected, which are needed last."""


K = TypeVar("K")


V = TypeVar("V")


_ANY = SpecifierSet()


class Fetcher:
    """A cache of projects, metadata and sizes, filled by a pool of threads; a plan owns one."""

    def __init__(
        self,
        load_project: Callable[[NormalizedName, str | None], Project],
        source: MetadataSource,
        pin_of: Callable[[NormalizedName, MarkerEnvironment], str | None],
        *,
        foresees: bool = True,
    ) -> None:
        """``pin_of`` gives the only index of a project in an environment; ``load_project`` returns
        what that has, or what all have. Only if it ``foresees`` are sizes asked for early.
        """
        self.foresees = foresees
        self._load_project = load_project
        self._pin_of = pin_of
        self._source = source
        self._pool = RequestPool(CONNECTIONS, thread_name_prefix="plan")
        self._sizers = RequestPool(SIZERS, thread_name_prefix="size")
        self._lock = Lock()
        self._closed = False
        self._projects: dict[tuple[NormalizedName, str | None], Future[Project]] = {}
        self._metadata: dict[tuple[str, str], Future[WheelMetadata]] = {}
        self._foreseen: dict[tuple[str, str], Future[None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed = True
        self._sizers.__exit__(kind, error, trace)
        self._pool.__exit__(kind, error, trace)

    def project(self, name: NormalizedName, environment: MarkerEnvironment) -> Project:
        """Return what the indexes have of a project for ``environment``. Raise UsageError,
        IndexUnreachable and IndexAnswer.
        """
        key = name, self._pin_of(name, environment)
        return self._take(self._projects, key, self._load_project, *key)

    def metadata(self, wheel: Distribution) -> WheelMetadata:
        """Return the metadata of ``wheel``. Raise what ``MetadataSource.metadata`` raises."""
        if wheel.file.is_source:
            return self._source.metadata(wheel)
        return self._take(self._metadata, _key(wheel.file), self._source.metadata, wheel)

    def sizes(
        self, files: Iterable[ProjectFile], sized: Callable[[], None] = lambda: None
    ) -> list[SizedFile]:
        """Return the sizes of wheels, and call ``sized`` after each, from many threads. Raise what
        ``MetadataSource.size`` raises.
        """

        def size(file: ProjectFile) -> SizedFile:
            begun = self._foreseen.get(_key(file))
            if begun is not None and not begun.cancel():
                wait((begun,))  # what failed is tried again
            found = self._source.size(file)
            sized()
            return found

        return list(self._pool.ask_all(size, files))

    def digests(self, file: ProjectFile, algorithms: Iterable[str]) -> dict[str, str]:
        """Return digests of the file itself. Raise what ``MetadataSource.digests`` raises."""
        return self._source.digests(file, algorithms)

    def request_project(
        self, name: NormalizedName, environment: MarkerEnvironment
    ) -> Future[Project]:
        """Begin to fetch a project unless a request for it has begun. Raise UsageError."""
        key = name, self._pin_of(name, environment)
        return self._request(self._projects, key, self._load_project, *key)

    def request_metadata(self, wheel: Distribution) -> Future[WheelMetadata]:
        """Begin to fetch metadata unless a request for it has begun."""
        return self._request(self._metadata, _key(wheel.file), self._source.metadata, wheel)

    def request_size(self, file: ProjectFile) -> None:
        """Begin to get the sizes of a wheel, unless that has begun or it has to be downloaded."""
        if not (self.foresees and self._source.can_foresee(file)):
            return
        key = _key(file)
        with self._lock:
            if not self._closed and key not in self._foreseen:
                self._foreseen[key] = self._sizers.submit(self._source.foresee, file)

    def _take(
        self, known: dict[K, Future[V]], key: K, load: Callable[..., V], *arguments: object
    ) -> V:
        """Return the result of a request. One still queued after guesses is made in this thread."""
        future = self._request(known, key, load, *arguments)
        if future.cancel():
            future = known[key] = Future()
            try:
                future.set_result(load(*arguments))
            except Exception as error:
                future.set_exception(error)
                raise
        return result_of(future)

    def _request(
        self, known: dict[K, Future[V]], key: K, load: Callable[..., V], *arguments: object
    ) -> Future[V]:
        with self._lock:
            if key not in known:
                if self._closed:
                    return _cancelled()
                try:
                    known[key] = self._pool.submit(load, *arguments)
                except RuntimeError:  # no further thread can be started
                    known[key] = Future()
            return known[key]


def _key(file: ProjectFile) -> tuple[str, str]:
    """Return what tells files apart, faster than by joining their URLs."""
    return file.base, str(file.entry["url"])


def _cancelled() -> Future[V]:
    future: Future[V] = Future()
    future.cancel()
    return future


def _done(result: V) -> Future[V]:
    future: Future[V] = Future()
    future.set_result(result)
    return future


class Prefetcher:
    """A prefetcher for one environment, which guesses that each dependency resolves to its best
    wheel.

    ``known`` holds, by project, the user's own requirements and constraints, which always apply.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        environment: MarkerEnvironment,
        finder: CandidateFinder,
        selector: RequirementSelector,
        known: Mapping[NormalizedName, Sequence[Dependency]],
        overrides: Overrides,
        direct: DirectProjects,
    ) -> None:
        self._fetcher = fetcher
        self._environment = environment
        self._finder = finder
        self._selector = selector
        # The inputs may require thousands of extras of one project.
        self._known = {
            name: SpecifierSet({part for one in found for part in one.specifier})
            for name, found in known.items()
        }
        self._overrides = overrides
        self._direct = direct
        self._opened = {name: _done(project) for name, project in direct.opened.items()}
        self._met: set[tuple[Dependency, bool]] = set()
        self._expected: set[tuple[Identifier, tuple[str, str], bool]] = set()

    def expect(self, dependencies: Iterable[Dependency], *, deep: bool = True) -> None:
        """Begin to fetch what resolving ``dependencies`` will need, and return at once.

        Their own dependencies are followed only if ``deep``.
        """
        for dependency in dependencies:
            # Releases of a project share most of them.
            if (dependency, deep) in self._met:
                continue
            self._met.add((dependency, deep))
            name = dependency.identifier.name
            # A source is opened by the thread that plans, if it is needed.
            is_closed = name in self._direct and name not in self._opened
            if not dependency.identifier.refused and not is_closed:
                project = self._opened.get(name) or self._fetcher.request_project(
                    name, self._environment
                )
                project.add_done_callback(_guess(partial(self._expect_wheel, dependency, deep)))

    def expect_next(self, name: NormalizedName, version: Version, count: int) -> None:
        """Begin to fetch the metadata of the ``count`` releases that follow ``version``."""
        found = self._finder.find_after(name, version, [self._known.get(name, _ANY)])
        for wheels in islice(found, count):
            for wheel in wheels:
                if not wheel.file.is_source:
                    self._fetcher.request_metadata(wheel)

    def _expect_wheel(self, dependency: Dependency, deep: bool, project: Future[Project]) -> None:
        if _failed(project):
            return
        identifier = dependency.identifier
        specifiers = [dependency.specifier, self._known.get(identifier.name, _ANY)]
        wheels = next(self._finder.find(identifier.name, specifiers), ())
        for wheel in wheels:
            # Reading the requirements of a source may mean running it: too much for a guess.
            key = identifier, _key(wheel.file), deep
            if key not in self._expected and not wheel.file.is_source:
                self._expected.add(key)
                metadata = self._fetcher.request_metadata(wheel)
                if deep:
                    metadata.add_done_callback(
                        _guess(partial(self._expect_dependencies, identifier, wheel))
                    )

    def _expect_dependencies(
        self, identifier: Identifier, wheel: Distribution, metadata: Future[WheelMetadata]
    ) -> None:
        if not _failed(metadata):
            with suppress(InvalidMetadata):
                found = [
                    dependency
                    for requirement in metadata.result().requires_of.of(identifier.extra)
                    for dependency in self._selector.select(requirement, identifier.extra)
                ]
                self.expect(self._overrides.apply(found))
            self._fetcher.request_size(wheel.file)


def _guess(callback: Callable[[Future[V]], None]) -> Callable[[Future[V]], None]:
    """Return ``callback`` without the errors of a lack of memory or threads: it only fetches early,
    and the resolver meets the error if it needs the result.
    """

    def call(future: Future[V]) -> None:
        with suppress(MemoryError, RuntimeError):
            callback(future)

    return call


def _failed(future: Future[V]) -> bool:
    """Return True if there is no result. The resolver meets the error if it needs the result."""
    return future.cancelled() or future.exception() is not None
