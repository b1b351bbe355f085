"""An entry names another one by no more than tells it from the rest."""

from __future__ import annotations

import pytest
from packaging.pylock import Package
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.lock.references import References, Subject, refers_to

A, B = map(canonicalize_name, "ab")
ONE, TWO = Version("1.0"), Version("2.0")
X, Y = "https://x.example", "https://y.example"


def test_the_name_is_enough_if_one_entry_has_it() -> None:
    references = References([Subject(A, ONE, X), Subject(B, ONE, X)])
    assert references.to(Subject(A, ONE, X)).to_table() == {"name": "a"}


def test_of_several_versions_the_version_is_told() -> None:
    references = References([Subject(A, ONE, X), Subject(A, TWO, Y)])
    assert references.to(Subject(A, TWO, Y)).to_table() == {"name": "a", "version": "2.0"}


def test_of_one_version_from_several_indexes_the_index_is_told() -> None:
    references = References([Subject(A, ONE, X), Subject(A, ONE, Y), Subject(A, TWO, Y)])
    assert references.to(Subject(A, ONE, Y)).to_table() == {
        "name": "a", "version": "1.0", "index": Y,
    }  # fmt: skip
    assert references.to(Subject(A, TWO, Y)).to_table() == {"name": "a", "version": "2.0"}


def test_a_folder_without_a_version_is_named_alone() -> None:
    assert References([Subject(A), Subject(A)]).to(Subject(A)).to_table() == {"name": "a"}


@pytest.mark.parametrize(
    ("entry", "is_meant"),
    [
        ({"name": "a"}, True),
        ({"name": "a", "version": "1.0"}, True),
        ({"name": "a", "version": "2.0"}, False),
        ({"name": "a", "version": "1.0", "index": X}, True),
        ({"name": "a", "index": Y}, False),
    ],
)
def test_an_entry_is_for_the_package_with_all_that_it_names(
    entry: dict[str, str], is_meant: bool
) -> None:
    assert refers_to(entry, Package(name=A, version=ONE, index=X)) is is_meant


def test_an_entry_with_a_version_is_for_no_package_without_one() -> None:
    assert not refers_to({"name": "a", "version": "1.0"}, Package(name=A))


def test_a_package_is_named_by_its_name_version_and_index() -> None:
    assert Subject.of(Package(name=A, version=ONE, index=X)) == Subject(A, ONE, X)
    assert Subject.of(Package(name=A)) == Subject(A)
