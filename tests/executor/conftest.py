"""What several tests of the executor begin with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from executor.budget.budget import SMALLEST_WINDOW
from executor.files.writer import FileWriter


@pytest.fixture
def tight() -> Iterator[FileWriter]:
    """One with the smallest window, where small files wait for others."""
    with closing(FileWriter(SMALLEST_WINDOW)) as cache:
        yield cache
