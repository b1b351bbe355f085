"""Where pip looks for the files of a lock."""

from __future__ import annotations

from typing import Any

import pytest

from helpers.exports import PYPI, lock_with, sdist, wheel
from planner.exports.errors import Unwritable
from planner.exports.pip_places import PipPlaces

OURS, THEIRS = "https://ours.example/simple", "https://theirs.example/simple"


def lines(
    *packages: dict[str, Any], into: str = "", with_indexes: bool = True, **header: Any
) -> list[str]:
    lock = lock_with(*packages, **header)
    places = PipPlaces.find(lock.packages, lock, folder="", into=into)
    return places.lines(with_indexes=with_indexes)


def test_pypi_is_not_named_because_a_machine_may_have_a_mirror() -> None:
    assert lines(wheel("app", index=PYPI), wheel("base")) == []


def test_the_last_index_takes_the_place_of_pypi() -> None:
    assert lines(wheel("app", index=OURS)) == [f"--index-url {OURS}"]
    tables = [wheel("app", index=OURS), wheel("base", index=THEIRS)]
    assert lines(*tables) == [f"--index-url {THEIRS}", f"--extra-index-url {OURS}"]
    # In a plan, OURS was the index of the lowest rank.
    tool = {"lockstream": {"policy": {"indexes": [THEIRS, OURS]}}}
    assert lines(*tables, tool=tool) == [f"--index-url {OURS}", f"--extra-index-url {THEIRS}"]


@pytest.mark.parametrize("other", [{"index": PYPI}, {}], ids=["PyPI", "an index not named"])
def test_an_index_beside_another_is_an_extra_one(other: dict[str, str]) -> None:
    assert lines(wheel("app", index=OURS), wheel("base", **other)) == [f"--extra-index-url {OURS}"]


def test_a_login_of_an_index_is_not_written() -> None:
    index = "https://user:secret@ours.example/simple"
    assert lines(wheel("app", index=index)) == [f"--index-url {OURS}"]


def test_a_quote_in_an_address_does_not_begin_a_quotation() -> None:
    index = 'https://ours.example/it\'s "one"/simple'
    assert lines(wheel("app", index=index)) == [
        "--index-url https://ours.example/it%27s%20%22one%22/simple"
    ]


def test_indexes_can_be_left_to_the_configuration_of_pip() -> None:
    assert lines(wheel("app", index=OURS), with_indexes=False) == []


def test_a_folder_is_relative_to_the_requirements_file() -> None:
    local = wheel("app", at="wheelhouse")
    assert lines(local) == ["--find-links ./wheelhouse"]
    assert lines(local, into="ci") == ["--find-links ../wheelhouse"]
    assert lines(wheel("app", at="../our wheels")) == ["--find-links '../our wheels'"]
    assert lines(wheel("app", at="file:///opt/wheels")) == ["--find-links /opt/wheels"]


def test_the_folder_of_an_index_on_this_machine_is_enough() -> None:
    assert lines(wheel("app", at="files", index="file:///opt/simple")) == ["--find-links ./files"]


@pytest.mark.parametrize(
    "folder",
    ["a #b", "a\n--index-url evil", "${HOME}", "a --pre", "a#b", "a'b", "a\\", "##vso[a]b", "a;b"],
)
def test_a_folder_that_pip_would_read_otherwise_is_refused(folder: str) -> None:
    with pytest.raises(Unwritable, match="app: its path"):
        lines(wheel("app", at=folder))


def test_a_page_with_links_is_one_for_pip_too() -> None:
    page, other = "https://ours.example/wheels.html", "https://ours.example/wheels"
    options = {"index": {"find-links": [other]}}
    tool = {"lockstream": {"policy": {"indexes": [page, other, PYPI]}, "options": options}}
    assert lines(wheel("app"), sdist("base"), tool=tool) == [
        f"--find-links {page}",
        f"--find-links {other}",
    ]
    # All files are of an index that is named.
    assert lines(wheel("app", index=PYPI), tool=tool) == []


def test_several_indexes_are_known_to_be_several() -> None:
    for packages, are_several in (
        ([wheel("app")], False),
        ([wheel("app", index=OURS)], False),
        ([wheel("app", index=OURS), wheel("base")], True),
        ([wheel("app", index=OURS), wheel("base", index=PYPI)], True),
    ):
        lock = lock_with(*packages)
        assert PipPlaces.find(lock.packages, lock, folder="", into="").are_several is are_several
