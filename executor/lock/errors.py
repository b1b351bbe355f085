"""What can go wrong between a lock and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schemas.digests import Mismatch
from schemas.errors import (
    ArtifactRefused,
    InvalidInput,
    NetworkError,
    NoSolution,
    Refused,
    UsageError,
)

__all__ = [
    "Ambiguous",
    "EnvironmentBusy",
    "ExternallyManaged",
    "FileConflict",
    "HashMismatch",
    "InsecureHashes",
    "InterpreterUnusable",
    "LockUnreadable",
    "Missing",
    "NeedsBuild",
    "NoCompatibleWheel",
    "NotForThisTarget",
    "NotInstallable",
    "NotRemovable",
    "Offline",
    "RecordEscapes",
    "RecordUnreadable",
    "Replaced",
    "SizeMismatch",
    "UnknownName",
    "Unreachable",
    "WheelRefused",
]


_PLAN_AGAIN = "plan again for this environment, or execute where the lock was planned for"


@dataclass(eq=False)
class LockUnreadable(InvalidInput):
    """There is no lock to read."""

    path: str
    reason: str
    hint: str = "name the lock: lockstream execute path/to/pylock.toml"

    def __str__(self) -> str:
        return f"{self.path}: cannot be read: {self.reason}"


@dataclass(eq=False)
class NotForThisTarget(NoSolution):
    """The lock, or one of its packages, excludes the target."""

    target: str
    what: str
    demand: str
    hint: str = _PLAN_AGAIN

    def __str__(self) -> str:
        return f"{self.what} is for {self.demand}, but the target is {self.target}"


@dataclass(eq=False)
class NoCompatibleWheel(NoSolution):
    """A package has wheels, and none for the target."""

    package: str
    version: str
    target: str
    wheels: tuple[str, ...]
    shown: ClassVar[int] = 5
    hint: str = _PLAN_AGAIN

    def __str__(self) -> str:
        listed = ", ".join(self.wheels[: self.shown])
        if len(self.wheels) > self.shown:
            listed += f" and {len(self.wheels) - self.shown} more"
        return (
            f"{self.package} {self.version}: none of its wheels suits {self.target}; "
            f"the lock lists {listed}"
        )


@dataclass(eq=False)
class UnknownName(UsageError):
    """An extra or a dependency group that the lock does not have."""

    kind: str
    name: str
    known: tuple[str, ...]
    hint: str = "the lock was made without it; plan again with it"

    def __str__(self) -> str:
        known = f"it has {', '.join(self.known)}" if self.known else "it has none"
        return f"the lock has no {self.kind} {self.name!r}; {known}"


@dataclass(eq=False)
class NeedsBuild(NoSolution):
    """Packages can only be had by building them."""

    packages: tuple[str, ...]
    """Each with the kind of source that the lock has of it."""
    shown: ClassVar[int] = 10
    hint: str = (
        "lock again with lockstream plan --build, which builds them where memory is plentiful, "
        "build them here with --build, or leave them out with --skip-unbuildable"
    )

    def __str__(self) -> str:
        listed = ", ".join(self.packages[: self.shown])
        if len(self.packages) > self.shown:
            listed += f" and {len(self.packages) - self.shown} more"
        return f"the lock has no wheel of what would have to be built: {listed}"


@dataclass(eq=False)
class Ambiguous(InvalidInput):
    """Two entries of one name apply to the target."""

    package: str
    first_line: int
    second_line: int
    hint: str = "their markers must exclude each other (PEP 751); lock again"

    def __str__(self) -> str:
        return (
            f"package {self.package!r} is selected twice, "
            f"at lines {self.first_line} and {self.second_line}"
        )


@dataclass(eq=False)
class InsecureHashes(InvalidInput):
    """A file in the lock has no hash that means anything."""

    filename: str
    algorithms: tuple[str, ...]
    hint: str = "PEP 751 demands at least one secure hash; lock again with sha256"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its hashes are {', '.join(self.algorithms)}, none of them is secure"
        )


@dataclass(eq=False)
class NotInstallable(InvalidInput):
    """An entry of the lock asks for something this program does not do."""

    package: str
    problem: str
    hint: str = "lock again, from another index or another version"

    def __str__(self) -> str:
        return f"{self.package}: {self.problem}"


@dataclass(eq=False)
class HashMismatch(ArtifactRefused):
    """The bytes that arrived are not those that were locked."""

    filename: str
    origin: str
    mismatch: Mismatch
    hint: str = (
        "the file was replaced at its origin or changed on the way; nothing of it was installed"
    )

    def __str__(self) -> str:
        return (
            f"{self.filename} from {self.origin}: {self.mismatch.algorithm} differs\n"
            f"  expected {self.mismatch.expected}\n"
            f"  found    {self.mismatch.found}"
        )


@dataclass(eq=False)
class SizeMismatch(ArtifactRefused):
    """The file that arrived has another length than the locked one."""

    filename: str
    origin: str
    expected: int
    found: int
    hint: str = "the file was replaced at its origin or cut short; nothing of it was installed"

    def __str__(self) -> str:
        found = f"more than {self.expected}" if self.found > self.expected else str(self.found)
        return f"{self.filename} from {self.origin}: expected {self.expected} bytes, found {found}"


@dataclass(eq=False)
class WheelRefused(ArtifactRefused):
    """A wheel breaks a rule that keeps its installation safe and the same everywhere."""

    wheel: str
    rule: str
    member: str | None = None
    hint: str = "the wheel is damaged or hostile; report it to its project, or lock another version"

    def __str__(self) -> str:
        member = f"{self.member!r}: " if self.member is not None else ""
        return f"{self.wheel}: {member}{self.rule}"


@dataclass(eq=False)
class FileConflict(ArtifactRefused):
    """Two distributions own one path with different contents."""

    path: str
    owner: str
    other: str
    hint: str = "lock only one of the two"

    def __str__(self) -> str:
        return f"{self.path}: belongs to {self.other} and, with other contents, to {self.owner}"


@dataclass(eq=False)
class Unreachable(NetworkError):
    """A file could not be fetched."""

    url: str
    reason: str
    attempts: int = 1
    hint: str = "check the address, the proxy variables and the credentials, then run it again"

    def __str__(self) -> str:
        tried = f" (tried {self.attempts} times)" if self.attempts > 1 else ""
        return f"{self.url}: {self.reason}{tried}"


@dataclass(eq=False)
class Replaced(Unreachable):
    """Another file took the place of one that was being read."""

    hint: str = "run it again, when nobody changes the files of the index"


@dataclass(eq=False)
class Missing(NetworkError):
    """A file that the lock names by path only is not there."""

    package: str
    path: str
    hint: str = "commit the folder that holds it together with the lock, or name it: --find-links"

    def __str__(self) -> str:
        return f"{self.package}: its file {self.path} does not exist"


@dataclass(eq=False)
class Offline(NetworkError):
    """Files would have to be fetched, and must not."""

    filenames: tuple[str, ...]
    shown: ClassVar[int] = 5
    hint: str = "put them into a folder and name it with --find-links, or leave out --offline"

    def __str__(self) -> str:
        listed = ", ".join(self.filenames[: self.shown])
        if len(self.filenames) > self.shown:
            listed += f" and {len(self.filenames) - self.shown} more"
        return f"offline, and {len(self.filenames)} files are not on this machine: {listed}"


class InterpreterUnusable(UsageError):
    """The Python to install for cannot be run, or is too old."""


@dataclass(eq=False)
class ExternallyManaged(Refused):
    """The target Python belongs to another package manager (PEP 668)."""

    message: str
    hint: str = "install into a virtual environment: lockstream execute --venv .venv"

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class NotRemovable(Refused):
    """Something has to go, and nothing says which files it owns."""

    package: str
    version: str
    path: str
    hint: str = "remove it with the tool that installed it, or name a fresh environment with --venv"

    def __str__(self) -> str:
        return f"{self.path}: {self.package} {self.version} has no RECORD, so it cannot be removed"


@dataclass(eq=False)
class RecordEscapes(Refused):
    """The RECORD of something that has to go lists files that are not its own."""

    package: str
    version: str
    path: str
    hint: str = "its RECORD is damaged or hostile; name a fresh environment with --venv"

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version} cannot be removed: its RECORD lists {self.path}, "
            "which is outside of the environment"
        )


@dataclass(eq=False)
class RecordUnreadable(Refused):
    """The RECORD of something installed is not what its format demands."""

    path: str
    problem: str
    hint: str = (
        "reinstall it with the tool that installed it, or name a fresh environment with --venv"
    )

    def __str__(self) -> str:
        return f"{self.path}: is damaged: {self.problem}"


@dataclass(eq=False)
class EnvironmentBusy(Refused):
    """Another lockstream works on the environment."""

    path: str
    hint: str = "wait until it has ended, then run this again"

    def __str__(self) -> str:
        return f"{self.path}: another lockstream is changing this environment"
