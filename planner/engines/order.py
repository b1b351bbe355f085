"""One build as it is sent to another machine, and what comes back."""

from __future__ import annotations

from schemas.data_class import frozen

__all__ = ["BuildOrder", "BuildResult"]


@frozen(kw_only=True)
class BuildOrder:
    """One build, with all that a machine needs that has only lockstream."""

    key: str
    package: str
    """As the command line names it: ``msgpack==1.1.0``."""
    target: str
    """The short name of the target."""
    lock: bytes
    memory: int
    """The bytes that it may take."""


@frozen(kw_only=True)
class BuildResult:
    """How a build ended on another machine."""

    status: int
    """The exit status of ``lockstream build``; negative for a signal."""
    text: str
    """The last lines of its output."""
    fragment: bytes = b""
    wheel: bytes = b""
    name: str = ""
    """The file name of the wheel."""
