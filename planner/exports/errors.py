"""Errors of what a format of an export cannot say."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.data_class import with_fields
from schemas.errors import InvalidInput, Refused, SubjectProblem
from schemas.text import enumerate_some

__all__ = ["InvalidEntry", "Unverifiable", "Unwritable"]


@with_fields
class InvalidEntry(SubjectProblem, InvalidInput):
    """A value in the entry of a package has no meaning, so that no tool could use it."""

    package: str
    problem: str
    hint: str = "correct it in the lock, or write the lock again with its locker"


@with_fields
class Unverifiable(Refused):
    """pip has no way to compare some packages with a hash."""

    packages: Sequence[str]
    """Each with the reason."""
    hint: str = (
        "--skip-unhashed leaves them out, to be installed by a command of their own; --no-hashes "
        "writes all packages without hashes; lockstream plan --build missing lists wheels of them"
    )

    def __str__(self) -> str:
        listed = enumerate_some(self.packages, limit=10)
        return f"with hashes, pip refuses all packages if it cannot verify one of them: {listed}"


@with_fields
class Unwritable(InvalidInput):
    """A part of a lock means something else in a requirements file."""

    package: str
    kind: str
    """A marker, a path or an address."""
    hint: str = (
        "rename it, without quotes, line feeds, `\\`, `;`, `[`, `]`, `#`, ` -` and ${NAME}, and "
        "lock again"
    )

    def __str__(self) -> str:
        return f"{self.package}: its {self.kind} cannot be written into a requirements file"
