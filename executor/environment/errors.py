"""Errors about an environment: its interpreter, its owner, what is installed in it."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused, Refused, SubjectProblem, UsageError

__all__ = [
    "EnvironmentBusy",
    "ExternallyManaged",
    "FolderLeaves",
    "InterpreterUnusable",
    "NotRemovable",
    "RecordEscapes",
    "RecordUnreadable",
]


class InterpreterUnusable(UsageError):
    """The interpreter of the environment cannot be run, or is too old."""


@with_fields
class ExternallyManaged(Refused):
    """The target Python belongs to another package manager (PEP 668)."""

    message: str
    hint: str = "install into a virtual environment: lockstream execute --venv .venv"

    def __str__(self) -> str:
        return self.message


@with_fields
class FolderLeaves(SubjectProblem, ArtifactRefused):
    """A folder of an environment is a link, or below one, that leads out of the environment."""

    path: str
    problem: str
    hint: str = "replace the link by a folder, or name the folder that it leads to with --target"


@with_fields
class NotRemovable(Refused):
    """A distribution has to be removed, but has no RECORD of its files, or an empty one."""

    package: str
    version: str
    path: str
    hint: str = "name a fresh environment with --venv, or remove it with the tool that installed it"

    def __str__(self) -> str:
        problem = "has no RECORD of its files, so it cannot be removed"
        return f"{self.path}: {f'{self.package} {self.version}'.strip()} {problem}"


@with_fields
class RecordEscapes(Refused):
    """The RECORD of a distribution to be removed lists files outside of the environment."""

    package: str
    version: str
    path: str
    hint: str = (
        "its RECORD is damaged or hostile, or of pip --target, which lists commands as they were "
        "before it moved them; name a fresh environment or folder"
    )

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version} cannot be removed: its RECORD lists {self.path}, "
            "which is outside of the environment"
        )


@with_fields
class RecordUnreadable(Refused):
    """The RECORD of an installed distribution is not in its format."""

    path: str
    problem: str
    hint: str = (
        "reinstall it with the tool that installed it, or name a fresh environment with --venv"
    )

    def __str__(self) -> str:
        return f"{self.path}: is damaged: {self.problem}"


@with_fields
class EnvironmentBusy(Refused):
    """Another lockstream process is changing the environment."""

    path: str
    hint: str = "wait until it has ended, then run the command again"

    def __str__(self) -> str:
        return f"{self.path}: another lockstream is changing this environment"
