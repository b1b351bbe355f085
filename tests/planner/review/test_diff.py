"""Two locks differ in projects, versions, indexes and files; markers do not count."""

from __future__ import annotations

import pytest
from packaging.pylock import Package, PackageWheel, Pylock
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
    ],
)  # fmt: skip
def test_a_change_is_a_line(old: list[Package], new: list[Package], lines: list[str]) -> None:
    assert [str(change) for change in compare(lock(*old), lock(*new))] == lines


def test_changes_are_sorted_by_project() -> None:
    changes = compare(lock(package("b", "1")), lock(package("c", "1"), package("a", "1")))
    assert [change.name for change in changes] == ["a", "b", "c"]
