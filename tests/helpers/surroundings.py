"""Surroundings: what a developer's machine or CI sets, and tests must not depend on."""

from __future__ import annotations

import pytest

from executor.sources.tls import tls_context
from schemas.credentials import INDEX_VARIABLES

__all__ = ["leave_plain"]

_AUTHORITIES = (
    "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "SSL_CLIENT_CERT", "PIP_CLIENT_CERT",
)  # fmt: skip
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def leave_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxies, credentials or authorities of the user's."""
    for name in (*INDEX_VARIABLES, *_AUTHORITIES, *_PROXIES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    # Read once in a process, for all lanes.
    tls_context.cache_clear()
