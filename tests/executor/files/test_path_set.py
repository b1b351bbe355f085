"""PathSet: what was added is in it, in little memory; what was added twice is known."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.files.path_set import PathSet

COUNT = 200_000


PATHS = st.lists(st.text(max_size=3), max_size=60)


@pytest.fixture(autouse=True, scope="module")
def _short_runs() -> Iterator[None]:
    """So that a few paths make several."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("executor.files.path_set._RUN", 8)
        yield


@given(PATHS)
def test_it_holds_what_was_added_and_nothing_else(paths: list[str]) -> None:
    held = PathSet(paths)
    assert all(path in held for path in paths)
    assert "another" not in PathSet(path for path in paths if path != "another")


@given(PATHS)
def test_it_knows_what_was_added_twice(paths: list[str]) -> None:
    repeated = PathSet(paths).repeated()
    assert {path for path in paths if path in repeated} == {
        path for path in paths if paths.count(path) > 1
    }


@given(PATHS, PATHS)
def test_more_can_be_added_after_it_was_asked(before: list[str], after: list[str]) -> None:
    held = PathSet(before)
    assert "another path" not in held
    for path in after:
        held.add(path)
    paths = before + after
    assert all(path in held for path in paths)
    assert {path for path in paths if path in held.repeated()} == {
        path for path in paths if paths.count(path) > 1
    }


def test_a_path_takes_eight_bytes_however_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("executor.files.path_set._RUN", 2048)
    tracemalloc.start()
    try:
        held = PathSet(f"{'x' * 300}/{number}" for number in range(COUNT))
        assert "missing" not in held
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * COUNT
