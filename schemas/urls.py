"""URLs as they may be shown and stored, without the secrets that they carry."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit, urlunsplit

__all__ = ["redacted", "secret_parameters", "storable", "without_credentials"]

_SECRET_PARAMETER = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|expires|key-pair-id|policy|se|sig|signature|"
    r".*(?:token|secret|passwo?r?d|api[-_]?key|credential).*|(?:.*[-_.])?auth(?:[-_.].*)?",
    re.IGNORECASE | re.DOTALL,
)
"""Names of query parameters that sign a URL for the storage services of Amazon, Google and
Microsoft, and of passwords and tokens."""


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
    return tuple(sorted(name for name in names if _SECRET_PARAMETER.fullmatch(name)))
