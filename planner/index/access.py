"""Access: how indexes may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from planner.index.cache import Cache

__all__ = ["Access"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the command line says about asking."""

    keyring: bool = False
    """Whether the keyring program may be asked for credentials."""
    offline: bool = False
    """Whether nobody may be asked."""
    refresh: bool = False
    """Whether the cache is asked about anew."""
    cache: Cache | None = None
