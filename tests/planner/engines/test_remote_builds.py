"""The wheels that an engine builds are kept in a folder of the user."""

from __future__ import annotations

import pytest

from planner.engines.remote_builds import do_builds, store_place
from planner.lock.reader import parse_lock
from planner.planning.reporter import Reporter
from schemas.errors import UsageError


def test_the_store_is_in_the_cache() -> None:
    assert store_place({"LOCKSTREAM_CACHE_DIR": "/cache"}) == "/cache/built-elsewhere"


def test_a_lock_that_defers_nothing_needs_no_engine() -> None:
    text = (
        'lock-version = "1.0"\ncreated-by = "lockstream"\npackages = []\n[tool.lockstream]\n'
        'targets = [{ python = "3.12", platform = "manylinux_2_28_x86_64" }]\n'
    )
    lock = parse_lock(text)
    assert not do_builds(lock, text, "dask://x:1", "built", None, Reporter())


def test_without_a_cache_the_store_has_to_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("planner.engines.remote_builds.cache_folder", lambda _: None)
    with pytest.raises(UsageError, match="no cache folder"):
        store_place({})
