"""URLs as they may be shown: without anything that opens a door."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

__all__ = ["redacted", "storable", "without_credentials"]

_SECRET_PARAMETER = re.compile(
    r"(?:^|[&;])(?:x-amz-[^=]*|x-goog-[^=]*|awsaccesskeyid|sig|signature|policy|key-pair-id|se|"
    r"[^=&;]*(?:token|secret|password|passwd|api_?key|auth|credential)[^=&;]*)=",
    re.IGNORECASE,
)
"""Names of what signs a URL for the stores of Amazon, Google and Microsoft, and of passwords."""


def redacted(url: str) -> str:
    """The URL without user information, query and fragment: passwords, tokens and signatures
    stand there. Of a malformed one, where they cannot be told apart, nothing is shown.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a malformed URL"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def without_credentials(url: str) -> str:
    """The URL without user information, as it may be stored
    (https://packaging.python.org/specifications/direct-url-data-structure/).
    """
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def storable(url: str) -> str:
    """The URL as it may be written down: without user information, and without a query that holds
    a secret. What is signed for a while is of no use to a later reader.
    """
    parts = urlsplit(without_credentials(url))
    if _SECRET_PARAMETER.search(parts.query):
        parts = parts._replace(query="", fragment="")
    return urlunsplit(parts)
