"""How locked versions stand to those that there are now."""

from __future__ import annotations

import pytest
from packaging.pylock import Package
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.review.standing import Standing, locked_versions


def standing(locked: str, upgrade: str | None, newest: str | None) -> Standing:
    return Standing(
        name=canonicalize_name("demo"),
        locked=tuple(map(Version, locked.split())),
        upgrade=None if upgrade is None else tuple(map(Version, upgrade.split())),
        newest=Version(newest) if newest else None,
    )


@pytest.mark.parametrize(
    ("locked", "upgrade", "newest", "is_outdated", "changes"),
    [
        pytest.param("1", "1", "1", False, False, id="newest"),
        pytest.param("1", "2", "2", True, True, id="upgraded"),
        pytest.param("1", "1", "2", True, False, id="held"),
        pytest.param("1", "", "1", False, True, id="dropped"),
        pytest.param("2", "1", "1", False, True, id="withdrawn"),
        pytest.param("1 2", "1 2", "2", True, False, id="newest of one target"),
        pytest.param("1", None, "2", True, False, id="of another tool"),
        pytest.param("1", None, None, False, False, id="nowhere"),
    ],
)
def test_a_project_is_outdated_or_changes(
    locked: str, upgrade: str | None, newest: str | None, is_outdated: bool, changes: bool
) -> None:
    found = standing(locked, upgrade, newest)
    assert (found.is_outdated, found.changes) == (is_outdated, changes)


def package(name: str, version: str | None = None, **fields: object) -> Package:
    table = {"name": name, **({"version": version} if version else {}), **fields}
    return Package._from_dict(table)


def test_versions_are_those_of_packages_from_an_index() -> None:
    def wheel(stem: str) -> dict[str, object]:
        url = f"https://files.example/{stem}-py3-none-any.whl"
        return {"url": url, "hashes": {"sha256": "0"}}

    found, others = locked_versions(
        [
            package("b", "2.10", wheels=[wheel("b-2.10")]),
            package("b", "2.9", wheels=[wheel("b-2.9")]),
            package("a", "1", wheels=[wheel("a-1")]),
            package("c", wheels=[wheel("c-1")]),
            package("d", vcs={"type": "git", "url": "https://x.example", "commit-id": "0" * 40}),
            package("e", directory={"path": "."}),
            package("f", "1", archive={"path": "f.whl", "hashes": {"sha256": "0"}}),
        ]
    )
    assert {name: list(map(str, versions)) for name, versions in found.items()} == {
        "a": ["1"],
        "b": ["2.9", "2.10"],
    }
    assert others == (
        "d is locked at a commit of a repository (000000000000)",
        "e is locked as a folder",
        "f is locked by the address of its file",
        "the lock does not record the version of c",
    )
