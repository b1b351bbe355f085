"""A subset is a lock by the standard, and no more than what its selection needs."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.pylock import Pylock

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, foreign_lock, plan_into
from helpers.projects import named, project
from helpers.wheels import build_wheel
from planner import SubsetChoice, subset_lock
from planner.review.graph import RequirementsUnknown

PACKAGES: list[dict[str, Any]] = [
    {"name": "a", "dependencies": [{"name": "b", "version": "1.0"}, {"name": "tool"}]},
    {"name": "b", "marker": "sys_platform != 'win32'"},
    {"name": "b", "version": "2.0", "marker": "sys_platform == 'win32'"},
    {"name": "tool", "marker": "'dev' in dependency_groups"},
]
HEADER: dict[str, Any] = {
    "environments": ["python_version >= '3.10'"],
    "requires-python": ">=3.10",
    "dependency-groups": ["dev"],
    "default-groups": ["dev"],
    "tool": {"other": {"digest": "of all packages"}},
}


def subset(folder: Path, choice: SubsetChoice, **header: Any) -> dict[str, Any]:
    lock = foreign_lock(folder / "pylock.toml", PACKAGES, **{**HEADER, **header})
    document = tomllib.loads(subset_lock(lock, str(folder / "pylock.part.toml"), choice).text)
    Pylock.from_dict(document)
    return document


def test_the_header_has_nothing_left_to_select(tmp_path: Path) -> None:
    document = subset(tmp_path, SubsetChoice())
    assert document.pop("packages")
    assert document == {
        "lock-version": "1.0",
        "created-by": "lockstream",
        "environments": ['python_version >= "3.10"'],
        "requires-python": ">=3.10",
        "tool": {"lockstream": {"subset": {"of": "pylock.toml"}}},
    }, "what another tool recorded of all packages does not hold for some"


def test_default_groups_stay_as_packages(tmp_path: Path) -> None:
    for choice, is_there in ((SubsetChoice(), True), (SubsetChoice(no_default_groups=True), False)):
        packages = subset(tmp_path, choice)["packages"]
        assert any(one["name"] == "tool" for one in packages) is is_there
        assert all("dependency_groups" not in one.get("marker", "") for one in packages)


def test_dependencies_name_packages_of_the_subset_as_short_as_they_can(tmp_path: Path) -> None:
    everywhere = subset(tmp_path, SubsetChoice(no_default_groups=True))
    assert everywhere["packages"][0]["dependencies"] == [{"name": "b", "version": "1.0"}]
    choice = SubsetChoice(python_versions=("3.12",), platforms=("linux",))
    here = subset(tmp_path, choice)
    assert here["packages"][0]["dependencies"] == [{"name": "b"}, {"name": "tool"}]
    assert [one["version"] for one in here["packages"]] == ["1.0", "1.0", "1.0"]
    assert not any("marker" in one for one in here["packages"])


def test_a_lock_of_a_newer_minor_version_gives_what_is_known_of_it(tmp_path: Path) -> None:
    assert subset(tmp_path, SubsetChoice(), **{"lock-version": "1.9"})["lock-version"] == "1.0"


def test_named_indexes_stay_for_their_logins(tmp_path: Path) -> None:
    ours = {"policy": {"indexes": ["https://one.example/simple/", "work=https://two.example/"]}}
    document = subset(tmp_path, SubsetChoice(), tool={"lockstream": ours})
    assert document["tool"]["lockstream"]["policy"] == {"indexes": ["work=https://two.example/"]}


@pytest.mark.parametrize("choice", [SubsetChoice(), SubsetChoice(packages=("a",))])
def test_what_is_recorded_of_the_plan_does_not_go_with_it(
    index: Index, tmp_path: Path, choice: SubsetChoice
) -> None:
    index.add(build_wheel("a", requires=["b"], extras={"x": ["c"]}))
    b = build_wheel("b")
    for wheel in (b, build_wheel("c"), build_wheel("d")):
        index.add(wheel)
    lock = plan_into(index, tmp_path, ["a", "d", f"b --hash=sha256:{b.sha256}"])
    document = tomllib.loads(
        subset_lock(str(lock), str(tmp_path / "pylock.part.toml"), choice).text
    )
    assert document["tool"]["lockstream"].keys() == {"targets", "subset"}
    [first, second, *_] = document["packages"]
    assert first["tool"]["lockstream"].keys() == {"requires", "wheels"}
    assert first["tool"]["lockstream"]["requires"] == ["b"]
    assert second["tool"]["lockstream"].keys() == {"wheels"}


def test_what_the_rest_of_the_lock_requires_of_a_package_does_not_show(
    index: Index, tmp_path: Path
) -> None:
    """The extra of another group, and packages that are left out."""
    index.add(build_wheel("a", requires=["b"], extras={"x": ["c"]}))
    index.add(build_wheel("b"), build_wheel("c"))
    folder = Path(project(tmp_path / "app", named("app", "a", "c", more=DEV)))
    lock = str(folder / "pylock.toml")
    assert lockstream.main(["plan", "-q", str(folder), "-o", lock, "-i", index.url, *LINUX]) == 0
    for choice, required in (
        (SubsetChoice(packages=("a[x]",)), ["b", 'c; extra == "x"']),
        (SubsetChoice(), ["b"]),
        (SubsetChoice(without=("b",)), []),
    ):
        part = subset_lock(lock, str(folder / "pylock.part.toml"), choice).text
        first = tomllib.loads(part)["packages"][0]
        assert first["tool"]["lockstream"].get("requires", []) == required
        names = [one["name"] for one in first.get("dependencies", ())]
        assert names == [line[0] for line in required]


@pytest.mark.parametrize("tool", [{}, {"pdm": {"dependencies": []}}])
def test_a_subset_of_another_lock_records_no_more_than_that(
    tmp_path: Path, tool: dict[str, Any]
) -> None:
    lock = foreign_lock(tmp_path / "pylock.toml", [{"name": "a", "tool": tool}, {"name": "b"}])
    part = str(tmp_path / "pylock.part.toml")
    again = str(tmp_path / "pylock.again.toml")
    linux = SubsetChoice(python_versions=("3.12",), platforms=("linux",))
    subset_lock(lock, part, linux)
    with pytest.raises(RequirementsUnknown):
        subset_lock(part, again, SubsetChoice(packages=("b",)))
    packages: list[dict[str, Any]] = [{"name": "a", "dependencies": [{"name": "b"}]}, {"name": "b"}]
    foreign_lock(tmp_path / "pylock.toml", packages)
    subset_lock(lock, part, linux)
    assert len(subset_lock(part, again, SubsetChoice(packages=("a",))).lock.packages) == 2


DEV = '[dependency-groups]\ndev = ["a[x]"]'
