"""An engine is a cluster of Dask, here or elsewhere."""

from __future__ import annotations

import pytest

import lockstream
from planner.engines.engine_name import check_engine, host_and_port
from schemas.errors import UsageError


@pytest.mark.parametrize(
    "name", ["dask", "dask://host:8786", "tcp://host:8786", "tls://host:1", "tcp://[::1]:1"]
)
def test_clusters_are_engines(name: str) -> None:
    check_engine(name)


@pytest.mark.parametrize("name", ["", "slurm", "http://host"])
def test_nothing_else_is(name: str) -> None:
    with pytest.raises(UsageError, match="is not an engine"):
        check_engine(name)


def test_a_store_is_for_an_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["plan", "--into", "built"]) == 2
    assert "--into is for builds on an engine" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name",
    [
        "dask://host", "dask://host:", "dask://host:0", "dask://host:99999", "dask://host:x",
        "dask://:8786", "dask://", "tcp://[::1:8786", "dask://user:secret@host:1", "dask://h:1/x",
        "dask://h:1?x=y",
    ],
)  # fmt: skip
def test_an_address_has_a_host_and_a_port(name: str) -> None:
    with pytest.raises(UsageError, match="does not name host and port"):
        check_engine(name)


def test_host_and_port_are_those_of_the_address() -> None:
    assert host_and_port("dask://example.com:8786") == ("example.com", 8786)
    assert host_and_port("tcp://[::1]:1/") == ("::1", 1)
