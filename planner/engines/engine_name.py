"""The names of engines on the command line."""

from __future__ import annotations

from urllib.parse import urlsplit

from schemas.errors import UsageError

__all__ = ["LOCAL", "check_engine", "host_and_port"]


LOCAL = "dask"
"""A cluster on this machine."""

_SCHEMES = ("dask", "tcp", "tls")


def check_engine(name: str) -> None:
    """Raise UsageError if ``name`` is not an engine."""
    if name == LOCAL:
        return
    hint = "name dask for a cluster on this machine, or dask://HOST:PORT"
    if name.partition("://")[0] not in _SCHEMES or "://" not in name:
        raise UsageError(f"--on {name!r} is not an engine", hint=hint)
    host_and_port(name)


def host_and_port(address: str) -> tuple[str, int]:
    """Return host and port of a scheduler. Raises UsageError."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, half an IPv6 address
        host, port = None, None
    if not host or not port or "@" in address or parts.path.strip("/") or parts.query:
        raise UsageError(
            f"--on {address!r} does not name host and port of a scheduler",
            hint="name them as dask://HOST:PORT; 8786 is the port that schedulers have by default",
        )
    return host, port
