"""One wheel to install, and the order of such steps."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.lock.step import Source, Step, fixed_order, folder_of, is_full_commit


def step(name: str, size: int | None = None, source: Source | None = None) -> Step:
    return Step(
        name=name, version="1", filename=f"{name}-1-py3-none-any.whl", url=None, path="", size=size,
        hashes=(), hints=None, is_direct=False, source=source,
    )  # fmt: skip


def test_the_largest_comes_first_then_names_then_what_must_be_built() -> None:
    built = step("built", 10**9, Source(None))
    steps = [built, step("b", 5), step("unknown"), step("a", 5), step("large", 7)]
    ordered = [one.name for one in fixed_order(steps)]
    assert ordered == ["large", "a", "b", "unknown", "built"]
    assert [one.name for one in fixed_order(reversed(steps))] == ordered


def test_relative_paths_start_at_the_folder_of_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_of("pylock.toml") == os.getcwd()
    assert folder_of("sub/pylock.toml") == os.path.join(os.getcwd(), "sub")


@pytest.mark.parametrize(
    ("revision", "is_full"),
    [
        ("a" * 40, True),
        ("0" * 64, True),
        ("a" * 39, False),
        ("a" * 41, False),
        ("A" * 40, False),
        ("g" * 40, False),
        ("a" * 40 + "\n", False),
        ("main", False),
        ("", False),
    ],
)
def test_only_the_full_name_of_a_commit_names_one_for_ever(revision: str, is_full: bool) -> None:
    assert is_full_commit(revision) is is_full
