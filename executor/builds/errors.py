"""Errors of builds, from the source to the wheel."""

from __future__ import annotations

import re

from schemas.data_class import frozen, with_fields
from schemas.errors import (
    ArtifactRefused,
    BuildFailed,
    NetworkError,
    NoSolution,
    NotEnough,
    SubjectProblem,
    UsageError,
)
from schemas.sizes import format_size

__all__ = [
    "BackendFailed",
    "BackendUnusable",
    "BuildKilled",
    "BuildTooBig",
    "BuildUnlocked",
    "BuildsTooBig",
    "RepositoryUnusable",
    "RequirementsUnresolved",
    "SourceNeedsMemory",
    "SourceRefused",
    "WheelDiffersFromPlan",
    "WorkspaceFull",
]


@with_fields
class SourceRefused(SubjectProblem, ArtifactRefused):
    """A source archive breaks a rule that keeps unpacking it safe."""

    archive: str
    problem: str
    hint: str = "it is damaged or hostile; report it to its project, or lock another version"


@with_fields
class RepositoryUnusable(NetworkError):
    """The source tree of a commit cannot be checked out."""

    package: str
    place: str
    problem: str
    hint: str = (
        "try git clone with this address; git uses its own credentials (netrc, a helper, ssh)"
    )

    def __str__(self) -> str:
        return f"{self.package}: the repository {self.place} cannot be used: {self.problem}"


@with_fields
class BackendUnusable(SubjectProblem, BuildFailed):
    """The source tree or its backend cannot be used."""

    package: str
    problem: str
    hint: str = "report it to the project, or require a version that has a wheel"


_SETTING = re.compile(r"environment\s+variable[\s`'\"]{1,20}([A-Z][A-Z0-9_]{0,99}=\w{1,99})")
"""A backend's advice to set an environment variable, such as sklearn's."""


_MODULE = re.compile(
    r"^(?:ModuleNotFound|Import)Error: No module named '?([A-Za-z_]\w*)", re.MULTILINE
)
"""The end of a backend that imports what its build does not have."""


_MODULE_FROM = {"pkg_resources": "setuptools<82", "distutils": "setuptools"}
"""Modules that builds rely on without a word, and the requirement that has them: setuptools 82 has
no pkg_resources, and Python 3.12 no distutils."""


@with_fields
class BackendFailed(BuildFailed):
    """A hook of the build backend failed."""

    package: str
    hook: str
    status: int
    log: str
    """The last lines of its output."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        cause = _cause(self.package, self.log)
        return f"the lines above are the output of the backend; {cause}"

    def __str__(self) -> str:
        log = "".join(f"\n  | {line}" for line in self.log.splitlines())
        ended = f"ended by signal {-self.status}" if self.status < 0 else f"status {self.status}"
        return f"{self.package}: the build failed in {self.hook} ({ended}){log}"


def _cause(package: str, log: str) -> str:
    """Return what the log of a backend that failed hints at, and what to do about it."""
    # Builds do not see the variables of the shell, so setting one there would not help.
    if setting := _SETTING.search(log):
        return (
            f"a variable that they name is set with plan --build-env {package}:{setting[1]}, and a "
            f"package that is not needed left out with plan --exclude {package}"
        )
    if module := _MODULE.search(log):
        needed = _MODULE_FROM.get(module[1], module[1])
        return (
            f"the build needs the module {module[1]} and does not declare it; add what has it "
            f"with plan --build-requires '{package}:{needed}'"
        )
    if "use_2to3 is invalid" in log:
        return (
            "setuptools 58 and newer do not translate Python 2; if the package runs on Python 3, "
            f"build it with plan --build-requires '{package}:setuptools<58'"
        )
    return (
        "often a compiler or the headers of a library are missing, or the project does not declare "
        "a build requirement"
    )


@with_fields
class BuildKilled(BuildFailed):
    """A build was ended because it took more than its limits, or the kernel killed a part of it."""

    package: str
    hook: str
    reason: str
    """``memory``, ``time``, ``stall`` or ``oom``."""
    peak: int
    """The most bytes that it held."""
    limit: int | None
    """The bytes that it was allowed."""
    seconds: float
    tier: str
    """What measured and limited it."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the figures
        if self.reason == "time":
            return "nothing was installed; allow more time with --build-timeout"
        return (
            "nothing was installed; build it where memory is plentiful (lockstream plan --build), "
            "with fewer jobs, or give a larger limit (--memory, or the container's)"
        )

    def __str__(self) -> str:
        limit = f" of {format_size(self.limit)}" if self.limit is not None else ""
        held = f"{format_size(self.peak)}{limit} after {self.seconds:.0f} s ({self.tier})"
        return f"{self.package}: {_REASONS[self.reason]} in {self.hook}: it held {held}"


_REASONS = {
    "memory": "the build was ended before it exceeded the memory limit",
    "oom": "the kernel killed a process of the build because memory ran out, so the build failed",
    "time": "the build did not end in time",
    "stall": "the build made no progress against its memory limit",
}


@with_fields
class WheelDiffersFromPlan(SubjectProblem, BuildFailed):
    """The built wheel is not like the planned one."""

    package: str
    problem: str
    hint: str = (
        "compare the compiler and the libraries with those that the lock records, or plan again "
        "on such a machine"
    )


@frozen
class BuildTooBig:
    """One build that does not fit. All sizes in bytes."""

    package: str
    needed: int
    demand: int | None
    """The measured demand; None if it was not measured."""


@with_fields
class BuildsTooBig(NotEnough):
    """Builds need more memory than is available. Raised before anything is written."""

    builds: tuple[BuildTooBig, ...]
    available: int
    source: str
    """The source of ``available``."""
    hint: str = (
        "nothing was written; build the wheel where memory is plentiful (lockstream plan --build), "
        "with fewer jobs, or in a larger container"
    )

    def __str__(self) -> str:
        left = f"{self.source} leaves {format_size(self.available)}"
        lines = [
            f"{one.package}: its build needs {format_size(one.needed)} of memory "
            f"(measured: {format_size(one.demand or 0)}), {left}"
            for one in self.builds
        ]
        return "\n".join(lines)


@with_fields
class BuildUnlocked(NoSolution):
    """The lock records no build requirements, and this installation cannot resolve any."""

    package: str

    @property
    def hint(self) -> str:  # type: ignore[override]  # it names the package
        return (
            f"plan its build, which locks them: lockstream plan --build {self.package}; or install "
            "lockstream with its planner"
        )

    def __str__(self) -> str:
        return f"{self.package}: the lock does not record what its build requires"


@with_fields
class RequirementsUnresolved(BuildFailed):
    """The build requirements of a package, which no lock records, cannot be resolved."""

    package: str
    requirements: tuple[str, ...]
    log: str
    """The last output of the planner."""
    hint: str = "the lines above are those of lockstream plan; --build-constraint limits versions"

    def __str__(self) -> str:
        log = "".join(f"\n  | {line}" for line in self.log.splitlines())
        listed = ", ".join(self.requirements)
        return f"{self.package}: its build requires {listed}, which cannot be resolved{log}"


@with_fields
class SourceNeedsMemory(NotEnough):
    """A source archive refers to more of its past contents than there is memory for."""

    archive: str
    available: int
    """Bytes."""
    hint: str = (
        "build its wheel where memory is plentiful (lockstream plan --build), or raise the memory "
        "limit: what the highest preset of xz has packed takes 65 MiB"
    )

    def __str__(self) -> str:
        return (
            f"{self.archive}: unpacking it takes more than the {self.available >> 20} MiB of "
            "memory that are left, because xz has packed it with a larger dictionary"
        )


@with_fields
class WorkspaceFull(NotEnough):
    """The folder for temporary files has no space left."""

    package: str
    folder: str
    log: str = ""
    """The last lines of the output of the backend, if it was the one to meet it."""
    hint: str = "free space there, or name another folder for temporary files with TMPDIR"

    def __str__(self) -> str:
        log = "".join(f"\n  | {line}" for line in self.log.splitlines())
        return f"{self.package}: no space is left for its build in {self.folder}{log}"


@with_fields
class BuildsUnmeasured(UsageError):
    """The lock does not record the memory demand of builds."""

    packages: tuple[str, ...]
    hint: str = (
        "plan with --build, which measures them, or build them all the same: "
        "--build --build-unmeasured"
    )

    def __str__(self) -> str:
        return f"the lock does not record what these builds take: {', '.join(self.packages)}"
