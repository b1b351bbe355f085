"""What may be needed next is fetched in the background, each thing once, and never in the way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import cast

import pytest
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from helpers.releases import project_of
from planner.index.pages import ProjectFile
from planner.index.requester import CONNECTIONS
from planner.inputs.inputs import Inputs
from planner.metadata.core_metadata import WheelMetadata, parse_metadata, parse_requirement
from planner.metadata.distribution import Distribution
from planner.metadata.remote_metadata import MetadataSource
from planner.model.dependencies import Dependency, expand
from planner.model.environments import MarkerEnvironment
from planner.model.policy import Prereleases
from planner.resolver.candidates import CandidateFinder, ReleaseJudge
from planner.resolver.direct import DirectProjects
from planner.resolver.evaluator import FileEvaluator
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from planner.resolver.releases import Project
from planner.resolver.requirement_selector import RequirementSelector
from schemas.target import Target

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")
ENVIRONMENT = MarkerEnvironment((TARGET,))


class Source:
    """An index of ``app`` (1.0 to 1.3), which requires ``base``; it records what is fetched."""

    def __init__(self) -> None:
        self.fetched: list[str] = []
        self.foreseen: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def project(self, name: NormalizedName, _: str | None = None) -> Project:
        self.gate.wait(10)
        self.fetched.append(name)
        return project_of(name, *(f"1.{minor}" for minor in range(4)))

    def can_foresee(self, file: ProjectFile) -> bool:
        return file.filename.startswith("app")

    def foresee(self, file: ProjectFile) -> None:
        self.foreseen.append(file.filename)

    def metadata(self, wheel: Distribution) -> WheelMetadata:
        self.fetched.append(f"{wheel.name} {wheel.version}")
        requires = b"Requires-Dist: base\n" if wheel.name == "app" else b""
        return parse_metadata(f"Name: {wheel.name}\nVersion: {wheel.version}\n".encode() + requires)


def _no_pin(name: NormalizedName, environment: MarkerEnvironment) -> None:
    assert name
    assert environment == ENVIRONMENT


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def fetcher(source: Source) -> Iterator[Fetcher]:
    with Fetcher(source.project, cast("MetadataSource", source), _no_pin) as fetcher:
        yield fetcher
        source.gate.set()


@pytest.fixture
def prefetcher(fetcher: Fetcher) -> Prefetcher:
    finder = CandidateFinder(
        lambda name: fetcher.project(name, ENVIRONMENT),
        ReleaseJudge([FileEvaluator(TARGET)]),
        prereleases=Prereleases.IF_NECESSARY,
        named_prereleases=frozenset(),
    )
    return Prefetcher(
        fetcher,
        ENVIRONMENT,
        finder,
        RequirementSelector(ENVIRONMENT),
        {},
        Overrides(Inputs(), ENVIRONMENT),
        DirectProjects(Inputs(), ENVIRONMENT, None),
    )


def dependencies(text: str) -> list[Dependency]:
    return list(expand(parse_requirement(text)))


APP = canonicalize_name("app")


def test_a_dependency_leads_to_the_metadata_of_its_best_wheel_and_on(
    source: Source, prefetcher: Prefetcher
) -> None:
    prefetcher.expect(dependencies("app<1.3"))
    deadline = time.monotonic() + 10
    while len(source.fetched) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert source.fetched == ["app", "app 1.2", "base", "base 1.3"]


def test_the_sizes_of_wheels_that_may_be_selected_are_foreseen(
    source: Source, prefetcher: Prefetcher
) -> None:
    prefetcher.expect(dependencies("app<1.3"))
    deadline = time.monotonic() + 10
    while (len(source.fetched) < 4 or not source.foreseen) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert source.foreseen == ["app-1.2-py3-none-any.whl"]


def test_sizes_are_not_foreseen_for_a_search_that_needs_none(
    source: Source, prefetcher: Prefetcher, fetcher: Fetcher
) -> None:
    fetcher.foresees = False
    prefetcher.expect(dependencies("app<1.3"))
    deadline = time.monotonic() + 10
    while len(source.fetched) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(source.fetched) == 4
    assert source.foreseen == []


def test_what_is_not_deep_ends_with_the_metadata(
    source: Source, fetcher: Fetcher, prefetcher: Prefetcher
) -> None:
    prefetcher.expect(dependencies("app"), deep=False)
    wheel = fetcher.project(APP, ENVIRONMENT).releases[0]
    finder_wheel = FileEvaluator(TARGET).evaluate(APP, next(wheel.files))
    assert isinstance(finder_wheel, Distribution)
    fetcher.metadata(finder_wheel)
    fetcher.__exit__(None, None, None)
    assert "base" not in source.fetched


def test_the_releases_that_follow_a_version_are_fetched(
    source: Source, fetcher: Fetcher, prefetcher: Prefetcher
) -> None:
    prefetcher.expect_next(APP, Version("1.2"), 5)
    for release in fetcher.project(APP, ENVIRONMENT).releases[2:]:
        wheel = FileEvaluator(TARGET).evaluate(APP, next(release.files))
        assert isinstance(wheel, Distribution)
        fetcher.metadata(wheel)
    assert sorted(source.fetched) == ["app", "app 1.0", "app 1.1"]


def test_nothing_is_fetched_twice(source: Source, fetcher: Fetcher) -> None:
    first = fetcher.request_project(APP, ENVIRONMENT)
    assert fetcher.project(APP, ENVIRONMENT) is fetcher.project(APP, ENVIRONMENT) is first.result()
    assert source.fetched == ["app"]


def test_what_waits_for_the_pool_is_fetched_at_once_if_it_is_needed(
    source: Source, fetcher: Fetcher
) -> None:
    source.gate.clear()
    for number in range(CONNECTIONS):
        fetcher.request_project(canonicalize_name(f"slow{number}"), ENVIRONMENT)
    fetcher.request_project(APP, ENVIRONMENT)
    threading.Timer(0.2, source.gate.set).start()
    # All threads of the pool are busy; this one does it itself.
    assert fetcher.project(APP, ENVIRONMENT).name == "app"


def test_a_failure_is_raised_when_the_result_is_needed(source: Source) -> None:
    def fail(name: NormalizedName, _: str | None) -> Project:
        raise ValueError(name)

    with Fetcher(fail, cast("MetadataSource", source), _no_pin) as fetcher:
        fetcher.request_project(APP, ENVIRONMENT)
        with pytest.raises(ValueError, match="app"):
            fetcher.project(APP, ENVIRONMENT)


def test_without_a_thread_the_resolver_fetches_what_it_needs(
    source: Source, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    name = canonicalize_name("app")
    fetcher.request_project(name, ENVIRONMENT)
    assert source.fetched == []
    assert fetcher.project(name, ENVIRONMENT).name == name
    assert source.fetched == ["app"]
