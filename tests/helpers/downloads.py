"""What tests of the HTTP client fetch, and how."""

from __future__ import annotations

import pytest

from executor.sources.client import HttpClient
from executor.sources.errors import Unreachable
from schemas.errors import ExitCode

CONTENT = bytes(range(256)) * 1200
SIZE = len(CONTENT)
HALF = SIZE // 2
PATH = "/files/demo-1.0-py3-none-any.whl"
ATTEMPTS = 5
"""How often a file is asked for."""


def fetch(client: HttpClient, url: str, size: int | None = SIZE) -> bytes:
    return b"".join(client.fetch(url, size))


def failure(client: HttpClient, url: str, size: int | None = SIZE) -> Unreachable:
    with pytest.raises(Unreachable) as caught:
        fetch(client, url, size)
    assert caught.value.exit_code is ExitCode.NETWORK
    assert caught.value.hint
    return caught.value
