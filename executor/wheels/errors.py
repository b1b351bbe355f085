"""The errors of wheels that are refused."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused

__all__ = ["NamesUnited", "WheelRefused", "WheelTooNew"]


@with_fields
class WheelRefused(ArtifactRefused):
    """A wheel breaks a rule that keeps its installation safe, and the same on every system."""

    wheel: str
    """Its file name."""
    rule: str
    """What is wrong, as a sentence."""
    member: str | None = None
    """The member at fault, if it is one."""
    is_waivable: bool = False
    """Whether ``--lenient`` installs the wheel all the same."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late
        if self.is_waivable:
            return (
                "--lenient installs it all the same, with a warning; report it to its project, or "
                "lock another version"
            )
        return "the wheel is damaged or hostile; report it to its project, or lock another version"

    def __str__(self) -> str:
        member = f"{self.member!r}: " if self.member is not None else ""
        return f"{self.wheel}: {member}{self.rule}"


class WheelTooNew(WheelRefused):
    """A wheel has a later version of the format, which this program does not know."""

    hint = "a later lockstream may know it: update lockstream, or lock another version"


class NamesUnited(WheelRefused):
    """Two members of a wheel have names that are one for the file system of the environment."""

    hint = "install onto a file system that tells capital letters from small ones"
