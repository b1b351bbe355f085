"""Errors that are a lack of memory, whatever they look like."""

from __future__ import annotations

import errno

import pytest

from executor.budget import shortage
from executor.budget.shortage import is_shortage


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libssl.so.3: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_lack_of_memory_is_known_by_itself_and_as_a_cause(error: Exception) -> None:
    assert is_shortage(error)
    caused = ValueError()
    caused.__cause__ = error
    assert is_shortage(caused)


def test_other_errors_are_none() -> None:
    assert not is_shortage(OSError(errno.ENOSPC, "No space left on device"))
    assert not is_shortage(ImportError("No module named 'demo'"))


def test_near_a_limit_any_plain_error_counts_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "_is_near_limit", lambda: True)
    assert is_shortage(ValueError())
    assert not is_shortage(KeyboardInterrupt())
