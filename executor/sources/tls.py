"""TLS: whom to trust and how to name ourselves, as pip's and uv's users have it set up."""

from __future__ import annotations

import os
import ssl
from functools import cache

from schemas.errors import UsageError

__all__ = ["tls_context"]


@cache
def tls_context() -> ssl.SSLContext:
    """Authorities as ssl finds them (SSL_CERT_FILE, SSL_CERT_DIR, the system's), or those of
    REQUESTS_CA_BUNDLE, which pip's users set. SSL_CLIENT_CERT, which uv's users set, and
    PIP_CLIENT_CERT name our own certificate with its key.

    It is made once: the certificates of all authorities take 2 MiB.
    """
    bundle = os.environ.get("REQUESTS_CA_BUNDLE") or None
    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise _unreadable("REQUESTS_CA_BUNDLE", bundle, error) from None
    for variable in ("SSL_CLIENT_CERT", "PIP_CLIENT_CERT"):
        if own := os.environ.get(variable):
            try:
                context.load_cert_chain(own)
            except OSError as error:
                raise _unreadable(variable, own, error) from None
            break
    return context


def _unreadable(variable: str, path: str | None, error: OSError) -> UsageError:
    return UsageError(
        f"{variable} names {path}, which cannot be read: {error.strerror}",
        hint="it has to be a file in PEM format",
    )
