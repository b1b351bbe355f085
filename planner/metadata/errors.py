"""Errors of wheels that an index offers."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused, SubjectProblem

__all__ = ["UnreadableWheel", "WheelDiffers"]


@with_fields
class UnreadableWheel(SubjectProblem, ArtifactRefused):
    """A file of an index is not a wheel that can be installed."""

    filename: str
    problem: str


@with_fields
class WheelDiffers(ArtifactRefused):
    """A file is not the one that its index describes."""

    filename: str
    quantity: str
    expected: str
    found: str
    hint = "the index or a proxy in front of it changes files; do not install from it"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its {self.quantity} is not the one that the index states\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )
