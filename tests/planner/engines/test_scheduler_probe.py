"""What is no scheduler is told from one before Dask waits for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from planner.engines.errors import EngineUnusable
from planner.engines.scheduler_probe import check_scheduler


@contextmanager
def server(greeting: bytes | None) -> Iterator[str]:
    """Yield the port of a server that sends ``greeting``, or closes at once if it is empty, or is
    silent if it is None.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                if greeting is None:
                    connection.recv(1)  # until the other side gives up
                else:
                    connection.sendall(greeting)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def test_a_server_that_begins_may_be_one() -> None:
    with server(b"\x10") as place:
        check_scheduler(f"dask://{place}", 5.0)


@pytest.mark.parametrize("greeting", [b"", None])
def test_a_server_that_does_not_is_none(greeting: bytes | None) -> None:
    began = time.monotonic()
    with server(greeting) as place, pytest.raises(EngineUnusable, match="no scheduler of Dask"):
        check_scheduler(f"dask://{place}", 0.5)
    assert time.monotonic() - began < 5


def test_with_tls_the_client_begins() -> None:
    with server(None) as place:
        check_scheduler(f"tls://{place}", 0.5)


@pytest.mark.parametrize("address", ["dask://127.0.0.1:9", "dask://nowhere.invalid:8786"])
def test_an_address_at_which_nothing_answers_is_said(address: str) -> None:
    with pytest.raises(EngineUnusable, match="cannot be reached"):
        check_scheduler(address, 5.0)


def test_a_name_that_no_host_can_have_is_said() -> None:
    with pytest.raises(EngineUnusable, match="cannot be reached"):
        check_scheduler(f"dask://{'a' * 70}.example:1", 5.0)
