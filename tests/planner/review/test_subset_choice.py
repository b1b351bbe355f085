"""What a subset records of itself is enough to make it again."""

from __future__ import annotations

from packaging.pylock import Pylock
from packaging.version import Version

from planner.review.subset_choice import SubsetChoice, SubsetOrigin

EVERYTHING = SubsetChoice(
    extras=("a",),
    all_extras=True,
    groups=("test",),
    all_groups=True,
    no_default_groups=True,
    packages=("torch", "uvicorn[standard]"),
    without=("numpy",),
    projects=("services/api",),
    python_versions=("3.12",),
    platforms=("linux",),
)


def lock_with(table: object) -> Pylock:
    tool = {"lockstream": {"subset": table}}
    return Pylock(lock_version=Version("1.0"), created_by="x", packages=[], tool=tool)


def test_a_choice_is_read_as_it_was_recorded() -> None:
    origin = SubsetOrigin(path="pylock.toml", choice=EVERYTHING)
    table = origin.to_table("images")
    assert table["of"] == "../pylock.toml"
    assert table["projects"] == ["../services/api"]
    assert SubsetOrigin.of(lock_with(table), "images/pylock.api.toml") == origin


def test_nothing_is_recorded_of_what_was_not_given() -> None:
    assert SubsetChoice(extras=("b", "a", "b")).to_table("") == {"extras": ["a", "b"]}


def test_the_command_names_each_option() -> None:
    origin = SubsetOrigin(path="pylock.toml", choice=EVERYTHING)
    assert origin.command("pylock.api.toml") == (
        "lockstream subset pylock.toml --extra a --all-extras --group test --all-groups "
        "--no-default-groups --package torch --package 'uvicorn[standard]' --without numpy "
        "--project services/api --python-version 3.12 --platform linux -o pylock.api.toml"
    )


def test_a_malformed_record_counts_as_not_given() -> None:
    for table in ("pylock.toml", {"extras": ["a"]}, {"of": 1}):
        assert SubsetOrigin.of(lock_with(table), "pylock.api.toml") is None
    strange = {"of": "pylock.toml", "extras": True, "groups": "dev", "all-extras": ["a"]}
    found = SubsetOrigin.of(lock_with(strange), "pylock.api.toml")
    assert found == SubsetOrigin(path="pylock.toml", choice=SubsetChoice())


def test_an_execution_gets_the_same_extras_and_groups() -> None:
    select = SubsetChoice(extras=("a",), groups=("test",), no_default_groups=True).select
    assert select.extras == {"a"}
    assert select.groups == {"test"}
    assert not select.default_groups
