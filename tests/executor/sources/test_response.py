"""What servers say is decoded, bounded, and fit to be shown."""

from __future__ import annotations

import errno
import http.client

import pytest

from executor.sources.response import reason_of


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError("timed out"), "no answer in time"),
        (OSError(errno.ECONNREFUSED, "Connection refused"), "Connection refused"),
        (OSError("plain"), "plain"),
        (http.client.BadStatusLine("\x00"), "\N{REPLACEMENT CHARACTER}"),
        (http.client.CannotSendRequest(), "CannotSendRequest"),
    ],
)
def test_an_error_of_a_connection_has_a_reason(error: Exception, reason: str) -> None:
    assert reason_of(error) == reason
