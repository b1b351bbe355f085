"""Errors of builds on other machines."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.data_class import frozen, with_fields
from schemas.errors import BuildFailed, ExitCode, NetworkError, NotEnough, SubjectProblem

__all__ = ["BuildsUnfinished", "EngineUnusable", "FailedBuild", "MemoryMissing"]


@with_fields
class EngineUnusable(SubjectProblem, NetworkError):
    """The engine cannot be reached, or has no machine for a build."""

    engine: str
    problem: str
    hint: str = "check its address, and that its workers have the same version of lockstream"


@frozen
class FailedBuild:
    """One build that did not end in a wheel."""

    requirement: str
    target: str
    reason: str
    """What happened, in one line."""
    text: str = ""
    """The last lines of its output."""
    status: int = ExitCode.BUILD_FAILED

    def __str__(self) -> str:
        lines = "".join(f"\n  | {line}" for line in self.text.splitlines())
        return f"{self.requirement} for {self.target}: {self.reason}{lines}"


@with_fields
class BuildsUnfinished(BuildFailed):
    """Some builds did not end in a wheel."""

    failed: Sequence[FailedBuild]
    finished: int
    """The number of wheels that are there."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the number
        kept = "what was built is kept, and " * bool(self.finished)
        return f"the lock is as it was; {kept}the same command goes on with the others"

    def __str__(self) -> str:
        return "\n".join(map(str, self.failed))


class MemoryMissing(BuildsUnfinished, NotEnough):
    """All builds that did not end in a wheel need more memory than a machine has."""

    exit_code = ExitCode.NOT_ENOUGH
