"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from helpers.index import Index

# Nothing is asserted of time: machines differ, and the first draw of a fresh clone builds tables.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own for the plans of a test: servers on loopback share addresses."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def index() -> Iterator[Index]:
    """A package index, empty and running."""
    with Index() as running:
        yield running
