"""A client of indexes whose pauses are collected, not slept."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from planner.index.client import IndexClient


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def client(pauses: list[float]) -> Iterator[IndexClient]:
    with IndexClient(pause=pauses.append) as running:
        yield running
