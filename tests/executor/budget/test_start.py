"""A limit that is too small to start in ends with a sentence, before much is imported."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from executor.budget import start
from executor.budget.memory import Limit
from executor.budget.start import (
    START_MEMORY,
    TRACED_START,
    UNCOMPILED_START,
    has_byte_code,
    shortage_at_start,
)

PROJECT = Path(__file__).parents[3]


@pytest.mark.parametrize(("is_compiled", "needed"), [(True, 0), (False, UNCOMPILED_START)])
def test_a_start_needs_more_if_python_has_to_compile(
    monkeypatch: pytest.MonkeyPatch, is_compiled: bool, needed: int
) -> None:
    needed += START_MEMORY
    monkeypatch.setattr(start, "has_byte_code", lambda: is_compiled)
    monkeypatch.setattr(start, "smallest_limit", lambda: Limit(needed, "a file"))
    assert shortage_at_start() == ""
    monkeypatch.setattr(start, "smallest_limit", lambda: Limit(needed - 1, "a file"))
    assert shortage_at_start().startswith(
        f"error: lockstream needs {needed >> 20} MiB of memory to start, but a file leaves "
    )
    monkeypatch.setattr(start, "smallest_limit", lambda: None)
    assert shortage_at_start() == ""


def test_a_python_that_traces_its_allocations_starts_only_in_much_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit = Limit(TRACED_START - 1, "a file")
    monkeypatch.setattr(start, "smallest_limit", lambda: limit)
    assert shortage_at_start() == ""
    tracemalloc.start()
    try:
        assert shortage_at_start() == (
            "error: PYTHONTRACEMALLOC (or -X tracemalloc) needs 256 MiB of memory, but a file "
            "leaves 255 MiB\nhint: unset PYTHONTRACEMALLOC, or raise the memory limit\n"
        )
        limit = Limit(TRACED_START, "a file")
        assert shortage_at_start() == ""
        monkeypatch.setattr(start, "smallest_limit", lambda: None)
        assert shortage_at_start() == ""
    finally:
        tracemalloc.stop()


def test_byte_code_is_looked_for_where_python_would_find_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    assert not has_byte_code()


def test_the_check_imports_nothing_that_takes_much_memory() -> None:
    code = "import sys, executor.budget.start; print(*sys.modules)"
    # Without -S, site imports more for an editable installation.
    loaded = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "click",
        "collections",
        "contextlib",
        "dataclasses",
        "packaging",
        "re",
        "ssl",
        "typing",
    }
    assert not heavy & set(loaded)
