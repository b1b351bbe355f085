"""Who requires a package of a lock."""

from __future__ import annotations

from packaging.pylock import Package, Pylock
from packaging.version import Version

from planner.runs.required_by import required_by


def package(name: str, *requires: str) -> Package:
    return Package(
        name=name,  # type: ignore[arg-type]
        version=Version("1"),
        wheels=[],
        tool={"lockstream": {"requires": [*requires]}},
    )


def test_names_are_sorted_and_foreign_ones_left_out() -> None:
    lock = Pylock(
        lock_version=Version("1.0"),
        created_by="test",
        packages=[
            package("b", "a>1; python_version > '3'", "Z", "not a requirement!"),
            package("a"),
            package("c", "A[x]"),
        ],
    )
    assert required_by(lock) == {"a": ["b", "c"]}
