"""What the tests of the planner begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.builds import source_build
from planner.index.client import IndexClient


@pytest.fixture(autouse=True)
def own_cache(cache_folder: Path) -> Path:
    return cache_folder


@pytest.fixture
def single_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds are made once each: what a second run adds has a test of its own."""
    monkeypatch.setattr(source_build, "RUNS", 1)
    monkeypatch.setattr(source_build, "SHORT_RUNS", 1)


@pytest.fixture
def pauses() -> list[float]:
    """The pauses, in seconds, that ``client`` would have slept."""
    return []


@pytest.fixture
def client(pauses: list[float]) -> Iterator[IndexClient]:
    with IndexClient(pause=pauses.append) as running:
        yield running
