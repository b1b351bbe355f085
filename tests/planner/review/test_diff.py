"""Two locks differ in projects, versions, indexes and files; markers do not count."""

from __future__ import annotations

from typing import Any

import pytest
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.review.diff import compare

ONE, TWO = "a" * 64, "b" * 64


def package(name: str, version: str, *, digest: str = ONE, index: str | None = None) -> Package:
    wheel = PackageWheel(
        url=f"https://files.example.com/{name}-{version}-py3-none-any.whl",
        hashes={"sha256": digest},
    )
    return Package(
        name=canonicalize_name(name), version=Version(version), index=index, wheels=[wheel]
    )


def direct(version: str | None = "1", **source: Any) -> Package:
    return Package(
        name=canonicalize_name("a"), version=Version(version) if version else None, **source
    )


def commit(letter: str, **where: Any) -> PackageVcs:
    return PackageVcs(type="git", url="https://git.example/a", commit_id=letter * 40, **where)


def archive(digest: str, host: str = "one.example") -> PackageArchive:
    return PackageArchive(url=f"https://{host}/a-1.zip", hashes={"sha256": digest})


OLD_COMMIT, NEW_COMMIT = (f"https://git.example/a@{letter * 40}" for letter in "ab")


def lock(*packages: Package) -> Pylock:
    return Pylock(lock_version=Version("1.0"), created_by="test", packages=list(packages))


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        pytest.param([], [package("a", "1")], ["+ a 1"], id="added"),
        pytest.param([package("a", "1")], [], ["- a 1"], id="removed"),
        pytest.param([package("a", "1")], [package("a", "2")], ["~ a 1 -> 2"], id="upgraded"),
        pytest.param([package("a", "1")], [package("a", "1")], [], id="the same"),
        pytest.param([package("a", "1")], [package("a", "1"), package("a", "2")],
                     ["~ a 1 -> 1 and 2"], id="two versions"),
        pytest.param([package("a", "1")], [package("a", "1", digest=TWO)],
                     ["~ a 1 (a-1-py3-none-any.whl is another file)"], id="another file"),
        pytest.param([package("a", "1", index="https://one.example")],
                     [package("a", "1", index="https://two.example")],
                     ["~ a 1 (from https://two.example)"], id="another index"),
        pytest.param([package("a", "1")], [package("a", "1", index="https://two.example")],
                     [], id="an index that the old lock does not record"),
        pytest.param([direct(vcs=commit("a"))], [direct(vcs=commit("a"))], [], id="one commit"),
        pytest.param([direct(vcs=commit("a"))], [direct(vcs=commit("b"))],
                     [f"~ a 1 (from {NEW_COMMIT})"], id="another commit"),
        pytest.param([direct(vcs=commit("a"))], [direct(vcs=commit("a", subdirectory="b"))],
                     [f"~ a 1 (from {OLD_COMMIT}#subdirectory=b)"], id="another part of it"),
        pytest.param([package("a", "1")], [direct(vcs=commit("a"))],
                     [f"~ a 1 (from {OLD_COMMIT})"], id="a commit in place of wheels"),
        pytest.param([direct(vcs=commit("a"))], [package("a", "1")],
                     ["~ a 1 (from an index)"], id="wheels in place of a commit"),
        pytest.param([direct(archive=archive(ONE))], [direct(archive=archive(TWO, "two.example"))],
                     ["~ a 1 (from https://two.example/a-1.zip)"], id="another address"),
        pytest.param([], [direct(None, directory=PackageDirectory(path="a"))],
                     ["+ a (no version)"], id="a folder without a version"),
    ],
)  # fmt: skip
def test_a_change_is_a_line(old: list[Package], new: list[Package], lines: list[str]) -> None:
    assert [str(change) for change in compare(lock(*old), lock(*new))] == lines


def test_changes_are_sorted_by_project() -> None:
    changes = compare(lock(package("b", "1")), lock(package("c", "1"), package("a", "1")))
    assert [change.name for change in changes] == ["a", "b", "c"]
