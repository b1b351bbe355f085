"""Errors."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import NotEnough

__all__ = ["ForkKilled", "LaneKilled"]


@dataclass(eq=False)
class LaneKilled(NotEnough):
    """A lane was ended from outside."""

    signal: str
    hint: str = (
        "the environment is as it was before; if the kernel did it (SIGKILL), memory ran out: "
        "give a budget with --memory, or --lanes 1"
    )

    def __str__(self) -> str:
        return f"a lane was ended by {self.signal}"


@dataclass(eq=False)
class ForkKilled(NotEnough):
    """What reads the lock was ended from outside."""

    signal: str
    hint: str = "nothing was written; if the kernel did it (SIGKILL), memory ran out: give it more"

    def __str__(self) -> str:
        return f"what reads the lock was ended by {self.signal}"
