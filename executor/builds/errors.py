"""What can go wrong between a source and its wheel."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ArtifactRefused, BuildFailed, NetworkError, NotEnough, UsageError
from schemas.sizes import format_size

__all__ = [
    "BackendFailed",
    "BackendUnusable",
    "BuildKilled",
    "BuildTooBig",
    "BuildsTooBig",
    "RepositoryUnusable",
    "SourceRefused",
    "WheelDiffersFromPlan",
]


@dataclass(eq=False)
class SourceRefused(ArtifactRefused):
    """A source archive breaks a rule that keeps unpacking it safe."""

    archive: str
    problem: str
    hint: str = "it is damaged or hostile; report it to its project, or lock another version"

    def __str__(self) -> str:
        return f"{self.archive}: {self.problem}"


@dataclass(eq=False)
class RepositoryUnusable(NetworkError):
    """The source tree of a commit cannot be had."""

    package: str
    place: str
    problem: str
    hint: str = "try it with git clone; credentials are git's own (a netrc file, a helper, ssh)"

    def __str__(self) -> str:
        return f"{self.package}: the repository {self.place} cannot be used: {self.problem}"


@dataclass(eq=False)
class BackendUnusable(BuildFailed):
    """The source tree does not say how it is built, or says it wrongly."""

    package: str
    problem: str
    hint: str = "report it to the project, or ask for a version that has a wheel"

    def __str__(self) -> str:
        return f"{self.package}: {self.problem}"


@dataclass(eq=False)
class BackendFailed(BuildFailed):
    """A hook of the build backend did not end well by itself."""

    package: str
    hook: str
    status: int
    log: str
    """The last lines of what it said."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        return (
            "the lines above are the backend's; often a compiler or a library's headers are "
            "missing, or a build requirement that the project does not declare"
        )

    def __str__(self) -> str:
        told = "".join(f"\n  | {line}" for line in self.log.splitlines())
        ended = f"ended by signal {-self.status}" if self.status < 0 else f"status {self.status}"
        return f"{self.package}: the build failed in {self.hook} ({ended}){told}"


@dataclass(eq=False)
class BuildKilled(BuildFailed):
    """A build was ended because it took more than it was given, or one of its processes was."""

    package: str
    hook: str
    reason: str
    """``memory``, ``time``, ``stall`` or ``oom``."""
    peak: int
    """Bytes that it held at the most."""
    limit: int | None
    """Bytes that it was given."""
    seconds: float
    tier: str

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        if self.reason == "time":
            return "nothing was installed; give it longer with --build-timeout"
        return (
            "nothing was installed; build it where memory is plentiful (lockstream plan --build), "
            "with fewer jobs, or give a larger limit (--memory, or the container's)"
        )

    def __str__(self) -> str:
        limit = f" of {format_size(self.limit)}" if self.limit is not None else ""
        held = f"{format_size(self.peak)}{limit} after {self.seconds:.0f} s ({self.tier})"
        return f"{self.package}: {_REASONS[self.reason]} in {self.hook}: it held {held}"


_REASONS = {
    "memory": "the build was ended before it took more memory than there is",
    "oom": "the kernel killed a process of the build for want of memory, so it counts as failed "
    "whatever it ended with,",
    "time": "the build did not end in time",
    "stall": "the build made no progress against its memory limit",
}


@dataclass(eq=False)
class WheelDiffersFromPlan(BuildFailed):
    """What was built is another wheel than the one that was planned."""

    package: str
    problem: str
    hint: str = (
        "compare the compiler and the libraries with those that the lock records, or plan again "
        "on such a machine"
    )

    def __str__(self) -> str:
        return f"{self.package}: {self.problem}"


@dataclass(frozen=True, slots=True)
class BuildTooBig:
    """One build that does not fit. All sizes in bytes."""

    package: str
    needed: int
    demand: int | None
    """What was measured; None where nothing was."""


@dataclass(eq=False)
class BuildsTooBig(NotEnough):
    """Builds would take more memory than there is, told before anything is written."""

    builds: tuple[BuildTooBig, ...]
    available: int
    source: str
    """Where ``available`` comes from."""
    hint: str = (
        "nothing was written; build the wheel where memory is plentiful (lockstream plan --build), "
        "with fewer jobs, or give a bigger container"
    )

    def __str__(self) -> str:
        left = f"{self.source} leaves {format_size(self.available)}"
        lines = [
            f"{one.package}: its build needs {format_size(one.needed)} of memory "
            f"(measured: {format_size(one.demand or 0)}), {left}"
            for one in self.builds
        ]
        return "\n".join(lines)


@dataclass(eq=False)
class BuildsUnmeasured(UsageError):
    """Nothing tells what builds would take."""

    packages: tuple[str, ...]
    hint: str = (
        "plan with --build, which measures them, or let them run unforeseen with --build-unmeasured"
    )

    def __str__(self) -> str:
        return f"the lock does not tell what these builds take: {', '.join(self.packages)}"
