"""What a lock records of requirements is followed, whichever tool wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from helpers.locks import foreign_lock
from planner.lock.reader import read_lock
from planner.model.dependencies import Identifier
from planner.review.closure import Closure, ExtraUnknown, Records
from planner.review.graph import RequirementsUnknown
from schemas.target import Target

LINUX = Target.named("3.12", "linux").environment
OURS: dict[str, Any] = {"tool": {"lockstream": {"policy": {}}}}


def ours(name: str, *requires: str, dependencies: tuple[str, ...] = ()) -> dict[str, Any]:
    table = {"requires": list(requires)} if requires else {}
    named = {"dependencies": [{"name": one} for one in dependencies]} if dependencies else {}
    return {"name": name, **named, "tool": {"lockstream": table}}


def reached(
    folder: Path, packages: list[dict[str, Any]], *roots: str, **header: Any
) -> dict[str, set[str]]:
    """Return what each package that the roots lead to requires."""
    variables = header.pop("variables", LINUX)
    lock = read_lock(foreign_lock(folder / "pylock.toml", packages, **header))
    identifiers = []
    for root in roots:
        name, _, extra = root.partition(":")
        identifiers.append(Identifier(canonicalize_name(name)))
        if extra:
            identifiers.append(Identifier(canonicalize_name(name), canonicalize_name(extra)))
    found = Closure(lock.packages, Records(lock), variables).reach(identifiers)
    return {str(name): set(map(str, found.edges.get(name, ()))) for name in found.names}


PLANNED = [
    ours("a", "b", "win; sys_platform == 'win32'", "c; extra == 'x'",
         dependencies=("b", "win", "c")),
    ours("b"), ours("c", "d[y]", dependencies=("d",)),
    ours("d", "b; extra == 'y'", "gone; extra == 'y'", dependencies=("b",)),
    ours("win"), ours("gone"),
]  # fmt: skip


def test_requirements_count_for_the_environment_and_for_each_extra(tmp_path: Path) -> None:
    assert reached(tmp_path, PLANNED, "a", **OURS) == {"a": {"b"}, "b": set()}
    assert reached(tmp_path, PLANNED, "a:x", **OURS) == {
        "a": {"b", "c"}, "b": set(), "c": {"d"}, "d": {"b"},
    }  # fmt: skip


def test_what_an_exclude_dropped_is_not_required(tmp_path: Path) -> None:
    assert "gone" not in reached(tmp_path, PLANNED, "d:y", **OURS)


def test_another_lock_is_followed_by_the_names_of_dependencies(tmp_path: Path) -> None:
    packages: list[dict[str, Any]] = [
        {"name": "a", "dependencies": [{"name": "b"}, {"name": "not-here"}]},
        {"name": "b", "dependencies": [{"name": "c", "version": "1.0"}]},
        {"name": "c"}, {"name": "d"},
    ]  # fmt: skip
    assert reached(tmp_path, packages, "a") == {"a": {"b"}, "b": {"c"}, "c": set()}


def test_another_lock_with_sizes_of_ours_is_still_another(tmp_path: Path) -> None:
    packages: list[dict[str, Any]] = [
        {"name": "a", "dependencies": [{"name": "b"}], "tool": {"lockstream": {"wheels": {}}}},
        {"name": "b"},
    ]
    assert reached(tmp_path, packages, "a") == {"a": {"b"}, "b": set()}


def test_requirements_that_pdm_records_are_followed(tmp_path: Path) -> None:
    lines = ["b>=1", "win; sys_platform == 'win32'"]
    packages: list[dict[str, Any]] = [
        {"name": "a", "tool": {"pdm": {"dependencies": lines}}},
        {"name": "b", "tool": {"pdm": {"dependencies": []}}},
        {"name": "win", "tool": {"pdm": {"dependencies": []}}},
    ]
    assert reached(tmp_path, packages, "a") == {"a": {"b"}, "b": set()}
    for_all = reached(tmp_path, packages, "a", variables=None)
    assert for_all == {"a": {"b", "win"}, "b": set(), "win": set()}


def test_what_pdm_does_not_record_of_an_extra_is_not_guessed(tmp_path: Path) -> None:
    packages: list[dict[str, Any]] = [
        {"name": "a", "tool": {"pdm": {"dependencies": ["b[fast]"]}}},
        {"name": "b", "tool": {"pdm": {"dependencies": ["c"]}}},
        {"name": "c", "tool": {"pdm": {"dependencies": []}}},
    ]
    assert reached(tmp_path, packages, "b") == {"b": {"c"}, "c": set()}
    with pytest.raises(ExtraUnknown, match="what the extra fast of b requires"):
        reached(tmp_path, packages, "a")


@pytest.mark.parametrize("tool", [{}, {"tool": {"lockstream": {"wheels": {}}}}])
def test_a_lock_that_records_no_requirement_cannot_be_followed(
    tmp_path: Path, tool: dict[str, Any]
) -> None:
    with pytest.raises(RequirementsUnknown):
        reached(tmp_path, [{"name": "a", **tool}, {"name": "b"}], "a")


def test_what_is_left_of_a_walk_lies_between_the_packages_that_stay(tmp_path: Path) -> None:
    lock = read_lock(foreign_lock(tmp_path / "pylock.toml", PLANNED, **OURS))
    name = canonicalize_name
    roots = [Identifier(name("a")), Identifier(name("a"), name("x"))]
    found = Closure(lock.packages, Records(lock), LINUX).reach(roots).within({name("a"), name("c")})
    assert found.names == {"a", "c"}
    assert found.edges[name("a")] == {"c"}
    assert found.lines[name("a")] == {('c; extra == "x"', "c")}
