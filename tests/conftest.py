"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from helpers.index import Index

# Nothing is asserted of time: machines differ, and the first draw of a fresh clone builds tables.
settings.register_profile("timeless", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("timeless")


@pytest.fixture
def index() -> Iterator[Index]:
    """A package index, empty and running."""
    with Index() as running:
        yield running
