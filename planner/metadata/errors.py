"""Errors of wheels that an index offers."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused, SubjectProblem

__all__ = ["RequiredDiffers", "UnreadableWheel", "WheelDiffers"]


@with_fields
class UnreadableWheel(SubjectProblem, ArtifactRefused):
    """A file of an index is not a wheel that can be installed."""

    filename: str
    """Its path, if it is a file of this machine."""
    problem: str
    hint: str = "replace the file in its place, or choose another version"


@with_fields
class WheelDiffers(ArtifactRefused):
    """A file is not the one that its index describes."""

    filename: str
    quantity: str
    expected: str
    found: str
    hint = "the index or a proxy in front of it changes files; do not install from it"
    _source = "the index"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its {self.quantity} is not the one that {self._source} states\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )


class RequiredDiffers(WheelDiffers):
    """A file that the inputs require by its address is not the one that they describe."""

    hint = "correct the hash or the address of the requirement, if the file is the right one"
    _source = "the requirement"
