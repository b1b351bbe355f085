"""What servers say is decoded, bounded, and fit to be shown."""

from __future__ import annotations

import errno
import http.client

import pytest

from executor.sources.response import printable, reason_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Not Found", "Not Found"),
        ("a\x1b[31mred\r\n", "a\N{REPLACEMENT CHARACTER}[31mred" + "\N{REPLACEMENT CHARACTER}" * 2),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 80 + "..."),
        ("", ""),
    ],
)
def test_the_text_of_a_server_cannot_control_a_terminal_or_fill_it(text: str, shown: str) -> None:
    assert printable(text) == shown


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
