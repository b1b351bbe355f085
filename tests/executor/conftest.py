"""What several tests of the executor begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from executor.budget.budget import SMALLEST_WINDOW
from executor.files.writer import PageCache


@pytest.fixture
def tight() -> Iterator[PageCache]:
    """One with the smallest window, where small files wait for others."""
    with closing(PageCache(SMALLEST_WINDOW)) as cache:
        yield cache
