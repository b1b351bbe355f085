"""TLS settings: trusted authorities and the client certificate, as pip and uv are configured."""

from __future__ import annotations

import os
import ssl
from functools import cache

from schemas.errors import UsageError

__all__ = ["tls_context"]


@cache
def tls_context() -> ssl.SSLContext:
    """Return the context of all connections, made once: the authorities take 2 MiB.

    Authorities are those of REQUESTS_CA_BUNDLE (pip), or those that ssl finds: SSL_CERT_FILE,
    SSL_CERT_DIR, the system's. SSL_CLIENT_CERT (uv) and PIP_CLIENT_CERT name the client certificate
    with its key. Raises UsageError.
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
        hint="name a file in PEM format",
    )
