"""What can go wrong between a lock and its files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from schemas.errors import InvalidInput, NoSolution, UsageError

__all__ = [
    "Ambiguous",
    "InsecureHashes",
    "LockUnreadable",
    "NeedsBuild",
    "NoCompatibleWheel",
    "NotForThisTarget",
    "NotInstallable",
    "UnknownName",
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
