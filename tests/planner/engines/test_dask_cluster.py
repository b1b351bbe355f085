"""A cluster is connected, or the error says why not; what it logs is kept off the terminal."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

import pytest

from planner.engines import dask_cluster
from planner.engines.dask_cluster import RESOURCE, connected
from planner.engines.errors import EngineUnusable
from schemas.errors import UsageError

pytestmark = pytest.mark.filterwarnings("default")


def test_a_cluster_on_this_machine_has_a_worker_with_memory_and_no_log() -> None:
    importlib.import_module("distributed")  # 1.5 s
    handlers = logging.getLogger("distributed").handlers
    handlers.append(logging.NullHandler())
    before = [handler.level for handler in handlers]
    with connected("dask") as client:
        (worker,) = client.scheduler_info(n_workers=-1)["workers"].values()
        assert worker["resources"][RESOURCE] > 0
        assert min(handler.level for handler in handlers) > logging.CRITICAL
    assert [handler.level for handler in handlers] == before
    handlers.pop()


def test_an_interrupted_cluster_says_nothing_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = logging.NullHandler()
    monkeypatch.setattr(logging.getLogger("distributed"), "handlers", [handler])
    with pytest.raises(KeyboardInterrupt), dask_cluster._quiet():
        raise KeyboardInterrupt
    assert handler.level > logging.CRITICAL


def test_a_cluster_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "CONNECT_SECONDS", 1)
    with (
        pytest.raises(EngineUnusable, match=r"dask://127\.0\.0\.1:9: it cannot be reached"),
        connected("dask://127.0.0.1:9"),
    ):
        pass


def test_a_connection_that_ends_within_the_body_is_an_error_too() -> None:
    with (
        pytest.raises(EngineUnusable, match="dask: it cannot be reached: it is gone"),
        connected("dask"),
    ):
        raise OSError("it is gone")


def test_without_dask_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: Any = sys.modules
    monkeypatch.setitem(modules, "distributed", None)
    with pytest.raises(UsageError) as caught, connected("dask"):
        pass
    assert caught.value.hint == "pip install 'lockstream[dask]'"
