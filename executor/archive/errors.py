"""What the readers of archives raise that is not the fault of the archive."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import UsageError

__all__ = ["DecoderMissing"]


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
