"""What the readers of archives raise that is not the fault of the archive."""

from __future__ import annotations

from executor.budget.budget import History
from executor.files.errors import mib_above
from schemas.data_class import with_fields
from schemas.errors import NotEnough, UsageError

__all__ = ["DecoderMissing", "WindowTooLarge"]


@with_fields
class DecoderMissing(UsageError):
    """The Python that runs this program cannot decompress a member."""

    wheel: str = "a wheel"
    member: str = "a member"
    hint: str = (
        "run lockstream with Python 3.14 or newer, or install zstandard for the Python that runs it"
    )

    def __str__(self) -> str:
        return (
            f"{self.wheel}: {self.member!r} is compressed with zstandard, which this Python cannot "
            "read"
        )


@with_fields
class WindowTooLarge(NotEnough):
    """A member refers to more of its past contents than a lane has memory for."""

    window: int
    """Bytes."""
    history: History
    wheel: str = "a wheel"
    member: str = "a member"

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        needed = mib_above(self.history.besides + self.window)
        return (
            "the environment is as it was before; run the command again with --lanes 1, where "
            f"others leave at least {needed} MiB of the memory limit"
        )

    def __str__(self) -> str:
        return (
            f"{self.wheel}: to decompress {self.member!r} takes a window of "
            f"{mib_above(self.window)} MiB, but the memory that is left for each lane allows "
            f"{self.history.most >> 20} MiB"
        )
