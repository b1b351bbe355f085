"""URLs as they may be shown and stored, without the secrets that they carry."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit, urlunsplit

__all__ = ["redacted", "secret_parameters", "storable", "without_credentials"]

_SECRET_PARAMETER = re.compile(
    r"x-(?:amz|goog|ms|oss|cos|obs|jfrog)-[^=]*|q-sign(?:-[a-z-]*|ature)|(?:aws|oss)accesskeyid|"
    r"googleaccessid|expires|key-pair-id|policy|se|sig|signature|hdnt[sl]|hdnea|"
    r"code|jwt|key|hmac|bearer|session|sid|authorization",
    re.IGNORECASE,
)
"""Names of query parameters that sign a URL for the storage services of Amazon, Google, Microsoft,
Alibaba, Tencent, Huawei and Akamai, or that hold an access key."""

_SECRET_WORDS = ("token", "secret", "passwd", "password", "pwd", "apikey", "api_key", "api-key",
                 "credential")  # fmt: skip
"""Parts of names of parameters that hold passwords and tokens."""

_AUTH = re.compile(r"[-_.]auth[-_.]")


def redacted(url: str) -> str:
    """Return the URL without user information, query and fragment, which may hold passwords, tokens
    and signatures; a fixed text if the URL is malformed, since its parts cannot be separated.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def without_credentials(url: str) -> str:
    """Return the URL without user information
    (https://packaging.python.org/specifications/direct-url-data-structure/).
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def storable(url: str) -> str:
    """Return the URL as it may be written to disk: without user information, and without a query
    that holds a secret. A URL that is signed for a short time is of no use to a later reader.
    """
    parts = urlsplit(without_credentials(url))
    if secret_parameters(parts.query):
        parts = parts._replace(query="", fragment="")
    return urlunsplit(parts)


def secret_parameters(query: str) -> tuple[str, ...]:
    """Return the names of the parameters in ``query`` that grant access, lower-case and sorted."""
    names = {unquote_plus(part.partition("=")[0]).lower() for part in re.split("[&;]", query)}
    return tuple(sorted(name for name in names if _grants_access(name)))


def _grants_access(name: str) -> bool:
    return (
        _SECRET_PARAMETER.fullmatch(name) is not None
        or any(word in name for word in _SECRET_WORDS)
        or _AUTH.search(f".{name}.") is not None
    )
