"""The solutions of all environments become one entry for each version that any of them needs."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.index.pages import ProjectFile
from planner.lock.merge import Entry, merge
from planner.lock.references import Subject
from planner.metadata.core_metadata import WheelMetadata
from planner.metadata.distribution import Distribution
from planner.model.dependencies import Scope
from planner.model.environments import group_targets
from planner.resolver.resolution import ResolvedPackage
from planner.resolver.solve import Solution
from schemas.target import Target

LINUX, WINDOWS = group_targets([Target.named("3.11", "linux"), Target.named("3.11", "windows")])
TEST = Scope("group", canonicalize_name("test"))


def package(
    name: str,
    version: str = "1.0",
    requires: Sequence[str] = (),
    *,
    scopes: Sequence[Scope | None] = (None,),
    is_direct: bool = False,
    tag: str = "py3-none-any",
) -> ResolvedPackage:
    filename = f"{name}-{version}-{tag}.whl"
    file = ProjectFile(filename, "", {"url": f"https://f.example/{filename}"}, is_direct=is_direct)
    project = canonicalize_name(name)
    parsed = tuple(map(Requirement, requires))
    metadata = WheelMetadata(
        name=project,
        version=Version(version),
        requires=parsed,
        requires_python=None,
        extras=frozenset(),
    )
    return ResolvedPackage(
        wheels=(Distribution(file, project, Version(version), (0, (0, ""), "")),),
        metadata=(metadata,),
        dependencies=tuple(canonicalize_name(one.name) for one in parsed),
        requires=tuple(requires),
        scopes=frozenset(scopes),
    )


def merged(linux: Sequence[ResolvedPackage], windows: Sequence[ResolvedPackage]) -> list[Entry]:
    solutions = [
        Solution(environment, tuple(packages), ())
        for environment, packages in ((LINUX, linux), (WINDOWS, windows))
    ]
    return list(merge(solutions))


def test_a_version_that_all_need_is_one_entry_without_a_marker() -> None:
    (entry,) = merged([package("a")], [package("a")])
    assert (entry.name, str(entry.version), entry.marker) == ("a", "1.0", None)


def test_each_version_is_an_entry_on_the_condition_of_its_environments() -> None:
    one, two = merged([package("a", "1.0")], [package("a", "2.0")])
    assert str(one.marker) == 'sys_platform == "linux"'
    assert str(two.marker) == 'sys_platform == "win32"'


def test_a_dependency_names_its_version_only_if_there_are_several() -> None:
    alone, _ = merged([package("a", requires=["b"]), package("b")], [])
    assert alone.dependencies == (Subject(canonicalize_name("b")),)
    entries = merged(
        [package("a", requires=["b"]), package("b", "1.0")],
        [package("a", requires=["b"]), package("b", "2.0")],
    )
    assert [one.to_table() for one in entries[0].dependencies] == [
        {"name": "b", "version": "1.0"}, {"name": "b", "version": "2.0"},
    ]  # fmt: skip


def test_a_package_of_a_group_is_needed_if_the_group_is_selected() -> None:
    (entry,) = merged([package("a", scopes=[TEST])], [package("a", scopes=[TEST])])
    assert str(entry.marker) == '"test" in dependency_groups'


def test_the_files_of_all_environments_are_listed_once_and_sorted() -> None:
    (entry,) = merged([package("a", tag="py3-none-win32")], [package("a")])
    assert [file.filename for file in entry.files] == [
        "a-1.0-py3-none-any.whl",
        "a-1.0-py3-none-win32.whl",
    ]


def test_a_requirement_of_some_wheels_carries_the_condition_of_their_environments() -> None:
    entries = merged([package("a", requires=["b>1"]), package("b")], [package("a")])
    assert entries[0].requires == ('b>1; sys_platform == "linux"',)


def test_files_that_are_required_by_address_do_not_share_an_entry() -> None:
    entries = merged(
        [package("a", is_direct=True, tag="py3-none-win32")], [package("a", is_direct=True)]
    )
    assert [len(one.files) for one in entries] == [1, 1]
