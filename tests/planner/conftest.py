"""What the tests of the planner begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.builds import source_build


@pytest.fixture(autouse=True)
def own_cache(cache_folder: Path) -> Path:
    return cache_folder


@pytest.fixture
def single_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds are made once each: what a second run adds has a test of its own."""
    monkeypatch.setattr(source_build, "RUNS", 1)
    monkeypatch.setattr(source_build, "SHORT_RUNS", 1)
