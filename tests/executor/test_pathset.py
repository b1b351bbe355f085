"""PathSet: what was added is in it, in little memory; what was added twice is known."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from executor.pathset import PathSet

COUNT = 200_000


@given(st.lists(st.text()))
def test_it_holds_what_was_added_and_nothing_else(paths: list[str]) -> None:
    held = PathSet(paths)
    assert all(path in held for path in paths)
    assert "another" not in PathSet(path for path in paths if path != "another")


@given(st.lists(st.text()))
def test_it_knows_what_was_added_twice(paths: list[str]) -> None:
    twice = {hash(path) for path in paths if paths.count(path) > 1}
    assert PathSet(paths).repeated() == twice


def test_more_can_be_added_after_it_was_asked() -> None:
    held = PathSet(["a"])
    assert "b" not in held
    held.add("b")
    assert "a" in held
    assert "b" in held


def test_a_path_takes_eight_bytes_however_long() -> None:
    tracemalloc.start()
    try:
        held = PathSet(f"{'x' * 300}/{number}" for number in range(COUNT))
        assert "missing" not in held
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * COUNT
