"""The names of engines on the command line."""

from __future__ import annotations

from schemas.errors import UsageError

__all__ = ["LOCAL", "check_engine"]


LOCAL = "dask"
"""A cluster on this machine."""

_SCHEMES = ("dask://", "tcp://", "tls://")


def check_engine(name: str) -> None:
    """Raise UsageError if ``name`` is not an engine."""
    if name != LOCAL and not name.startswith(_SCHEMES):
        raise UsageError(
            f"--on {name!r} is not an engine",
            hint="name dask for a cluster on this machine, or dask://HOST:PORT",
        )
