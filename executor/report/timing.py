"""Spent: where the time of an execution went, so that a user sees what was the limit."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Timing"]


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds; those of all lanes are added up."""

    network: float = 0.0
    """Waiting for bytes, and receiving them."""
    writing: float = 0.0
    """Making and writing files, and waiting for the disk meanwhile."""
    unpacking: float = 0.0
    """All else that lanes do: hashing, inflating, checking."""
    committing: float = 0.0
    """From the last verified byte on, without any lane: waiting for the disk, moving into place."""

    def __add__(self, other: Timing) -> Timing:
        return Timing(
            self.network + other.network,
            self.writing + other.writing,
            self.unpacking + other.unpacking,
            self.committing + other.committing,
        )
