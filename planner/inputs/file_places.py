"""The paths and URLs of requirements files, and of what a line in one of them names."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote, urljoin, urlsplit

__all__ = ["is_remote", "is_url", "local_path", "resolve_links", "resolve_path"]


_URL = re.compile(r"(?:https?|file):", re.IGNORECASE)


def is_url(place: str) -> bool:
    """Return whether ``place`` is a URL of a file, and not a path."""
    return _URL.match(place) is not None


def is_remote(place: str) -> bool:
    """Return whether the file at ``place`` has to be fetched."""
    return is_url(place) and place[:5].lower() != "file:"


def local_path(place: str) -> str:
    """Return the path of the file at ``place``, a path or a ``file:`` URL."""
    return unquote(urlsplit(place).path) if is_url(place) else place


def resolve_path(place: str, other: str) -> str:
    """Return the path or URL of ``other``, which the file at ``place`` includes.

    Raises ValueError if it is a malformed URL.
    """
    if is_remote(place):
        return urljoin(place, other)
    if is_url(other):
        return other
    return os.path.normpath(os.path.join(os.path.dirname(local_path(place)), other))


def resolve_links(place: str, other: str) -> str:
    """Return the place of ``--find-links``: relative to the file at ``place`` or, if there is
    nothing, to the working folder, as pip takes it.
    """
    if "://" in other or is_url(other):
        return other
    beside = os.path.normpath(os.path.join(os.path.dirname(place), other))
    if not os.path.exists(beside) and os.path.exists(other):
        return other
    return beside
