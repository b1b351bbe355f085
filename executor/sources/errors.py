"""Errors of files that cannot be fetched, or that are not the locked ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from schemas.data_class import with_fields
from schemas.errors import ArtifactRefused, InvalidInput, NetworkError, Refused
from schemas.text import counted

if TYPE_CHECKING:
    from schemas.digests import Mismatch

__all__ = [
    "FolderBusy",
    "HashMismatch",
    "InTheWay",
    "InvalidBundle",
    "Missing",
    "Offline",
    "Replaced",
    "SameName",
    "SizeMismatch",
    "Unreachable",
]


@with_fields
class HashMismatch(ArtifactRefused):
    """The bytes that arrived are not the locked ones."""

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


@with_fields
class SizeMismatch(ArtifactRefused):
    """The file that arrived is longer or shorter than the locked one."""

    filename: str
    origin: str
    expected: int
    found: int
    hint: str = "the file was replaced at its origin or cut short; nothing of it was installed"

    def __str__(self) -> str:
        found = f"more than {self.expected}" if self.found > self.expected else str(self.found)
        return f"{self.filename} from {self.origin}: expected {self.expected} bytes, found {found}"


@with_fields
class FolderBusy(Refused):
    """Another process fetches files into the folder."""

    path: str
    hint: str = "wait until it has ended, or name another folder"

    def __str__(self) -> str:
        return f"{self.path}: another process is fetching files into it"


@with_fields
class InTheWay(Refused):
    """A file that no lock has brought has the name of one that is fetched."""

    path: str
    hint: str = "remove it, or name a folder for the files alone, such as --into wheels"

    def __str__(self) -> str:
        return (
            f"{self.path} is there with other contents, and is by its name no wheel and no archive "
            "that could be replaced"
        )


@with_fields
class InvalidBundle(InvalidInput):
    """A file that is named as a bundle is none."""

    path: str
    problem: str
    hint: str = "make it with lockstream bundle -o FILE, or with tar, uncompressed"

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@with_fields
class SameName(Refused):
    """Two files of the lock would have one name in a folder."""

    filename: str
    hint: str = (
        "fetch the files of each target into a folder of its own (--python-version, --platform); "
        "execute takes several with --find-links"
    )

    def __str__(self) -> str:
        return f"the lock has two different files with the name {self.filename}"


@with_fields
class Unreachable(NetworkError):
    """A file could not be fetched."""

    url: str
    reason: str
    attempts: int = 1
    hint: str = "check the address, the proxy variables and the credentials, then run it again"

    def __str__(self) -> str:
        tried = f" (tried {self.attempts} times)" if self.attempts > 1 else ""
        return f"{self.url}: {self.reason}{tried}"


@with_fields
class Replaced(Unreachable):
    """The file was replaced on its server while it was being read."""

    hint: str = "run it again once the files of the index no longer change"


@with_fields
class Missing(NetworkError):
    """A file that the lock names by path only does not exist."""

    package: str
    path: str
    hint: str = "commit the folder that holds it together with the lock, or name it: --find-links"

    def __str__(self) -> str:
        return f"{self.package}: its file {self.path} does not exist"


@with_fields
class Offline(NetworkError):
    """Files must be fetched, but the user chose to work offline."""

    filenames: tuple[str, ...]
    command: str = "lockstream fetch"
    """It gets them, if the user names a place."""
    other: str = ""
    """The path of a wheel of the same release as one of them that is there, if any is."""
    shown: ClassVar[int] = 5

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, with the command
        return (
            f"where there is a network, {self.command} --into DIR gets them; name that folder with "
            "--find-links, or leave out --offline"
        )

    def __str__(self) -> str:
        listed = ", ".join(self.filenames[: self.shown])
        if len(self.filenames) > self.shown:
            listed += f" and {len(self.filenames) - self.shown} more"
        files = counted(len(self.filenames), "file")
        verb = "is" if len(self.filenames) == 1 else "are"
        instead = f"; {self.other} is for another target" if self.other else ""
        return f"offline, and {files} {verb} not on this machine: {listed}{instead}"
