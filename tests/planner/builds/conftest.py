"""Builds of these tests are made once each: what a second run adds has a test of its own."""

from __future__ import annotations

import pytest

from planner.builds import source_build as site


@pytest.fixture(autouse=True)
def runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "RUNS", 1)
    monkeypatch.setattr(site, "SHORT_RUNS", 1)
