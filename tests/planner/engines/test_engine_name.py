"""An engine is a cluster of Dask, here or elsewhere."""

from __future__ import annotations

import pytest

import lockstream
from planner.engines.engine_name import check_engine
from schemas.errors import UsageError


@pytest.mark.parametrize("name", ["dask", "dask://host:8786", "tcp://host:8786", "tls://host:1"])
def test_clusters_are_engines(name: str) -> None:
    check_engine(name)


@pytest.mark.parametrize("name", ["", "slurm", "http://host"])
def test_nothing_else_is(name: str) -> None:
    with pytest.raises(UsageError, match="is not an engine"):
        check_engine(name)


def test_a_store_is_for_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["plan", "--into", "built"]) == 2
    assert "--into is for builds on an engine" in capsys.readouterr().err
