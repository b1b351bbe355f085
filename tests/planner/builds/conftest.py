"""Builds of these tests are made once each."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def runs(single_runs: None) -> None:
    return single_runs
