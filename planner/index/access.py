"""The user's options for requests to indexes."""

from __future__ import annotations

from planner.index.cache import Cache
from schemas.data_class import frozen

__all__ = ["Access"]


@frozen(kw_only=True)
class Access:
    """How one plan may use the network and the cache."""

    keyring: bool = False
    """Whether to run the keyring program for credentials."""
    offline: bool = False
    """Whether to use only the cache."""
    refresh: bool = False
    """Whether to validate every cached document with its server."""
    cache: Cache | None = None
