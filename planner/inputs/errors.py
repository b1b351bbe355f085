"""Errors about what the user wrote: files that cannot be read, lines that cannot be used."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import InvalidInput, SubjectProblem, system_error

__all__ = ["InvalidRequirementLine", "UnreadableInput", "UnsupportedRequirementLine"]


@with_fields
class InvalidRequirementLine(SubjectProblem, InvalidInput):
    """A line of an input is not what its format allows."""

    origin: str
    """Where it stands, such as ``requirements.in:3``."""
    problem: str
    hint: str = "correct it where it stands, then run the command again"


@with_fields
class UnsupportedRequirementLine(InvalidRequirementLine):
    """A line of an input is valid, but lockstream does not support what it requires."""

    hint: str = "leave it out; what can be said with an option is in lockstream plan --help"


@with_fields
class UnreadableInput(SubjectProblem, InvalidInput):
    """A file that the command line or another file names cannot be read."""

    path: str
    problem: str
    hint: str = ""
    """Who reads the file for the user adds it, if it is empty."""

    @classmethod
    def because(cls, path: str, error: OSError, hint: str = "") -> UnreadableInput:
        """Return the error of what the system says of ``path``."""
        advice = system_error(error.errno or 0)[1]
        return cls(path, error.strerror or str(error), hint or advice)
