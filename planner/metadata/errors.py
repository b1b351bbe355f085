"""Errors."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ArtifactRefused

__all__ = ["UnreadableWheel", "WheelDiffers"]


@dataclass(eq=False)
class UnreadableWheel(ArtifactRefused):
    """A file of an index is no wheel that could be installed."""

    filename: str
    problem: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.problem}"


@dataclass(eq=False)
class WheelDiffers(ArtifactRefused):
    """A file is not the one that the index announces."""

    filename: str
    quantity: str
    expected: str
    found: str
    hint = "the index or something between it and here changes files; do not install from it"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its {self.quantity} is not the announced one\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )
