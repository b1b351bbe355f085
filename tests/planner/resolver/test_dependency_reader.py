"""The dependencies of a candidate are those that its metadata has for the environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from helpers.releases import World
from planner.index.errors import ManyDamaged
from planner.inputs.inputs import Inputs
from planner.metadata.core_metadata import InvalidMetadata, WheelMetadata, parse_metadata
from planner.metadata.distribution import Distribution
from planner.model.dependencies import Dependency, Identifier
from planner.model.environments import MarkerEnvironment
from planner.resolver import dependency_reader
from planner.resolver.candidates import Candidate
from planner.resolver.dependency_reader import DependencyReader
from planner.resolver.direct import DirectProjects
from planner.resolver.overrides import Overrides
from planner.resolver.prefetch import Fetcher, Prefetcher
from planner.resolver.requirement_selector import RequirementSelector
from schemas.errors import ExitCode
from schemas.target import Target

LINUX = MarkerEnvironment((Target.named("3.11", "manylinux_2_28_x86_64"),))


class Metadata:
    """A fetcher that has the metadata of ``app 1.0``, and counts how often it is read."""

    def __init__(self, *lines: str) -> None:
        self.count = 0
        self._content = "\n".join(["Name: app", "Version: 1.0", *lines]).encode()

    def metadata(self, wheel: Distribution) -> WheelMetadata:
        self.count += 1
        return parse_metadata(self._content)


class Expectations:
    """A prefetcher that records what is expected, and whether it looks ahead."""

    def __init__(self) -> None:
        self.expected: list[str] = []
        self.next: list[tuple[str, int]] = []

    def expect(self, dependencies: Iterable[Dependency], *, deep: bool = True) -> None:
        self.expected += [f"{one.identifier}{'' if deep else ' only'}" for one in dependencies]

    def expect_next(self, name: str, version: Version, count: int) -> None:
        self.next.append((str(version), count))


def reader_of(metadata: Metadata, expectations: Expectations | None = None) -> DependencyReader:
    return DependencyReader(
        cast("Fetcher", metadata),
        cast("Prefetcher", expectations or Expectations()),
        LINUX,
        RequirementSelector(LINUX),
        Overrides(Inputs(), LINUX),
        DirectProjects(Inputs(), LINUX, None),
    )


def candidate(extra: str | None = None, version: str = "1.0") -> Candidate:
    world = World({f"app {version}": []})
    name = canonicalize_name("app")
    wheels = world.finder.wheels(name, world.finder.project(name).all)
    assert wheels
    return Candidate(Identifier(name, canonicalize_name(extra) if extra else None), wheels)


def texts(dependencies: Iterable[Dependency]) -> list[str]:
    return [f"{one.identifier} {one.specifier}".strip() for one in dependencies]


LINES = (
    "Requires-Dist: base<2",
    "Requires-Dist: win; sys_platform == 'win32'",
    "Requires-Dist: more>=1; extra == 'x'",
    "Provides-Extra: x",
)


def test_requirements_for_other_environments_are_left_out() -> None:
    assert texts(reader_of(Metadata(*LINES)).dependencies(candidate())) == ["base <2"]


def test_an_extra_requires_its_project_at_its_own_version() -> None:
    found = reader_of(Metadata(*LINES)).dependencies(candidate("x"))
    assert texts(found) == ["app ===1.0", "more >=1"]


def test_an_extra_that_the_metadata_does_not_have_is_remembered() -> None:
    reader = reader_of(Metadata(*LINES))
    reader.dependencies(candidate("x"))
    assert reader.unknown_extras == set()
    reader.dependencies(candidate("y"))
    assert [f"{one} {version}" for one, version in reader.unknown_extras] == ["app[y] 1.0"]


def test_an_extra_of_the_same_project_is_required_at_the_same_version() -> None:
    lines = ("Requires-Dist: app[x]>=0.5; extra == 'all'", "Provides-Extra: all")
    found = reader_of(Metadata(*lines)).dependencies(candidate("all"))
    assert [(str(one.identifier), Version("1.0") in one.specifier, Version("2.0") in one.specifier)
            for one in found] == [("app", True, False), ("app[x]", True, False),
                                  ("app", True, False)]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), [
    pytest.param("Requires-Python: >=3.14", "it needs Python >=3.14", id="another Python"),
    pytest.param("Requires-Dist: base @ https://example.com/base-1.0-py3-none-any.whl",
                 "it requires a file that is not on an index: "
                 "base @ https://example.com/base-1.0-py3-none-any.whl", id="an address"),
])  # fmt: skip
def test_a_candidate_that_cannot_be_used_has_one_dependency_that_says_why(
    line: str, reason: str
) -> None:
    (found,) = reader_of(Metadata("Requires-Dist: other", line)).dependencies(candidate())[-1:]
    assert (found.identifier.refused, found.text) == (Version("1.0"), reason)


def test_metadata_that_cannot_be_read_makes_a_candidate_unusable() -> None:
    class Broken(Metadata):
        def metadata(self, wheel: Distribution) -> WheelMetadata:
            raise InvalidMetadata("its metadata has no name or no version")

    (found,) = reader_of(Broken()).dependencies(candidate())
    assert found.text == "its metadata has no name or no version"


def test_an_index_without_what_it_lists_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing(Metadata):
        def metadata(self, wheel: Distribution) -> WheelMetadata:
            raise InvalidMetadata("its page lists it, but the server answers 404 Not Found")

    monkeypatch.setattr(dependency_reader, "MAX_DAMAGED", 3)
    reader = reader_of(Missing())
    for minor in range(3):
        for extra in ("x", None):
            reader.dependencies(candidate(extra, version=f"1.{minor}"))
    with pytest.raises(ManyDamaged) as caught:
        reader.dependencies(candidate(version="1.3"))
    assert str(caught.value) == (
        "app: 3 versions that its page lists cannot be used, nor can 1.3: its page lists it, but "
        "the server answers 404 Not Found"
    )
    assert caught.value.exit_code is ExitCode.NETWORK


def test_dependencies_are_read_once() -> None:
    metadata = Metadata(*LINES)
    reader = reader_of(metadata)
    reader.dependencies(candidate())
    count = metadata.count
    reader.dependencies(candidate())
    assert metadata.count == count


def test_the_next_versions_are_fetched_ahead_once_many_are_tried() -> None:
    expectations = Expectations()
    reader = reader_of(Metadata(), expectations)
    for minor in range(40):
        reader.dependencies(candidate(version=f"1.{minor}"))
    counts = [count for _, count in expectations.next]
    assert [version for version, _ in expectations.next][:2] == ["1.2", "1.3"]
    assert max(counts) == 32
    # Long searches look ahead seldom, and as far as needed.
    assert len(counts) < 20
