"""Where the time of an execution went, so that the user sees what limited it."""

from __future__ import annotations

from schemas.data_class import frozen

__all__ = ["Timing"]


@frozen
class Timing:
    """Seconds by activity, summed over all lanes."""

    network: float = 0.0
    """Waiting for bytes, and receiving them."""
    writing: float = 0.0
    """Making and writing files, and waiting for the disk meanwhile."""
    unpacking: float = 0.0
    """Everything else that lanes do: hashing, inflating, checking."""
    committing: float = 0.0
    """After the last verified byte, when no lane runs: waiting for the disk, moving into place."""

    def __add__(self, other: Timing) -> Timing:
        return Timing(
            self.network + other.network,
            self.writing + other.writing,
            self.unpacking + other.unpacking,
            self.committing + other.committing,
        )

    def of_lanes(self) -> dict[str, float]:
        """Return the seconds of lanes, by the names that events have for them."""
        return {
            "waiting": round(self.network, 4),
            "unpacking": round(self.unpacking, 4),
            "writing": round(self.writing, 4),
        }
