"""Errors of a lock that cannot be read, or that does not suit the target."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import (
    InvalidInput,
    NoSolution,
    SubjectProblem,
    UsageError,
)
from schemas.text import enumerate_some

__all__ = [
    "OTHER_PLACE",
    "OTHER_PYTHON",
    "Ambiguous",
    "Excluding",
    "InsecureHashes",
    "LockUnreadable",
    "NeedsBuild",
    "NoCompatibleWheel",
    "NotForThisTarget",
    "NotInstallable",
    "UnknownName",
]


OTHER_PLACE = "or execute where the lock was planned for"
OTHER_PYTHON = (
    "or name a Python that the lock is for, with --python, or with --python-version if the "
    "environment is a --target"
)


@with_fields
class LockUnreadable(InvalidInput):
    """The file of the lock cannot be read."""

    path: str
    reason: str
    hint: str

    def __str__(self) -> str:
        return f"{self.path}: cannot be read: {self.reason}"


@with_fields
class NotForThisTarget(NoSolution):
    """The lock, or one of its packages, excludes the target."""

    target: str
    subject: str
    """The lock, or the name of a package."""
    required: str
    hint: str

    def __str__(self) -> str:
        return f"{self.subject} is for {self.required}, but the target is {self.target}"


@with_fields
class NoCompatibleWheel(NoSolution):
    """A package has wheels, but none for the target."""

    package: str
    version: str
    target: str
    wheels: tuple[str, ...]
    """File names."""
    hint: str

    def __str__(self) -> str:
        return (
            f"{self.package} {self.version}: none of its wheels suits {self.target}; "
            f"the lock lists {enumerate_some(self.wheels, limit=5)}"
        )


@with_fields
class UnknownName(UsageError):
    """The user named an extra or a dependency group that the lock does not have."""

    kind: str
    name: str
    known: tuple[str, ...]
    is_subset: bool = False
    """Whether the lock is a subset of another one, for which all extras and groups were decided."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the names
        if self.is_subset:
            return "it is a subset of another lock: leave the option out, or make one with it"
        if self.known:
            return "name one of these, each with an option of its own, or plan again with it"
        return "the lock was made without it; plan again with it"

    def __str__(self) -> str:
        known = f"it has {', '.join(self.known)}" if self.known else "it has none"
        return f"the lock has no {self.kind} {self.name!r}; {known}"


@with_fields
class Excluding(UsageError):
    """The user named extras or groups of which an installation can have only one."""

    names: tuple[str, ...]
    """Each with its kind."""
    hint: str = "select one of them with --extra or --group"

    def __str__(self) -> str:
        return f"{' and '.join(self.names)} exclude each other in this lock"


@with_fields
class NeedsBuild(NoSolution):
    """The lock has no wheels of some packages, and the user has not allowed builds."""

    packages: tuple[str, ...]
    """Names, each with the kind of source that the lock lists."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # it depends on the kind of source
        if all(one.endswith(" (directory)") for one in self.packages):
            return (
                "of a folder that the lock lists, such as the project itself: build it here with "
                "--build --build-unmeasured, leave it out with --skip-unbuildable, or leave it out "
                "of the lock (uv export --no-emit-project); lockstream plan --build builds it "
                "where memory is plentiful"
            )
        return (
            "plan again with lockstream plan --build, which builds them where memory is plentiful; "
            "or build them here with --build, or leave them out with --skip-unbuildable"
        )

    def __str__(self) -> str:
        listed = enumerate_some(self.packages, limit=10)
        return f"the lock has no wheels of these packages, which must be built: {listed}"


@with_fields
class Ambiguous(InvalidInput):
    """Two entries of one name apply to the target."""

    package: str
    first_line: int
    second_line: int
    names_scopes: bool = False
    """Whether the marker of the second names extras or dependency groups."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the facts
        if self.names_scopes:
            return (
                "their markers name extras or groups, of which some exclude each other: select "
                "fewer with --extra and --group"
            )
        return "their markers must exclude each other (PEP 751); plan again"

    def __str__(self) -> str:
        return (
            f"package {self.package!r} is selected twice, "
            f"at lines {self.first_line} and {self.second_line}"
        )


@with_fields
class InsecureHashes(InvalidInput):
    """The lock has no secure hash of a file."""

    filename: str
    algorithms: tuple[str, ...]
    hint: str = "PEP 751 requires at least one secure hash; lock again with sha256"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its hashes are {', '.join(self.algorithms)}, none of them is secure"
        )


@with_fields
class NotInstallable(SubjectProblem, InvalidInput):
    """An entry of the lock describes something that cannot be installed."""

    package: str
    problem: str
    hint: str = "lock again, from another index or another version"
