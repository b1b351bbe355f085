"""A server, a client of it, and pauses that are not made."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from executor.sources.client import HttpClient
from executor.sources.tls import tls_context
from helpers.servers import CERTIFICATE, Server
from helpers.surroundings import leave_plain


@pytest.fixture(name="plain_surroundings")
def _plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)


@pytest.fixture(name="trust")
def trusted_test_servers(
    monkeypatch: pytest.MonkeyPatch, plain_surroundings: None
) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    yield
    tls_context.cache_clear()


@pytest.fixture(name="pauses")
def recorded_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses between attempts, which are not made."""
    pauses: list[float] = []
    monkeypatch.setattr("executor.sources.client.time.sleep", pauses.append)
    return pauses


@pytest.fixture(name="server")
def running_server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(name="client")
def one_client(server: Server) -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()
