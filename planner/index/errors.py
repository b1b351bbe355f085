"""What can go wrong between requirements and a lock.

Errors that belong to one format stand beside its parser; those that several modules raise or
render stand here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import ArtifactRefused, InvalidInput, NetworkError

__all__ = [
    "IndexAnswer",
    "IndexDenied",
    "IndexUnreachable",
    "InvalidRequirementLine",
    "Offline",
    "SecretInLock",
    "SecretInURL",
    "UnreadableWheel",
    "UnsupportedRequirementLine",
    "WheelDiffers",
    "enumerate_some",
]


@dataclass(eq=False)
class InvalidRequirementLine(InvalidInput):
    """A line of an input is not what its format allows."""

    origin: str
    """Where it stands, such as ``requirements.in:3``."""
    problem: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.origin}: {self.problem}"


class UnsupportedRequirementLine(InvalidRequirementLine):
    """A line of an input is right, and asks for what lockstream does not do."""


@dataclass(eq=False)
class IndexUnreachable(NetworkError):
    """A request got no answer, or one that says that the server failed."""

    url: str
    problem: str
    hint = "check the network, the proxy and the address of the index, then plan again"

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


@dataclass(eq=False)
class Offline(NetworkError):
    """Something is needed that is not in the cache, and nobody may be asked."""

    url: str
    hint = "plan once without --offline, or give the wheels in a folder with --find-links"

    def __str__(self) -> str:
        return f"{self.url} is not in the cache, and --offline forbids to ask for it"


@dataclass(eq=False)
class IndexAnswer(NetworkError):
    """A server answered with something that its protocol does not allow."""

    url: str
    problem: str
    hint = "is the address that of a package index (it usually ends with /simple/)?"

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


class IndexDenied(IndexAnswer):
    """A server wants to know who asks, or did not like the answer."""

    hint = (
        "give user name and password in a netrc file, in LOCKSTREAM_INDEX_<NAME>_USERNAME and "
        "_PASSWORD for --index NAME=URL, or with --keyring"
    )


@dataclass(eq=False)
class UnreadableWheel(ArtifactRefused):
    """A file of an index is no wheel that could be installed."""

    filename: str
    problem: str

    def __str__(self) -> str:
        return f"{self.filename}: {self.problem}"


@dataclass(eq=False)
class WheelDiffers(ArtifactRefused):
    """A file is not the one that the index announces."""

    filename: str
    quantity: str
    expected: str
    found: str
    hint = "the index or something between it and here changes files; do not install from it"

    def __str__(self) -> str:
        return (
            f"{self.filename}: its {self.quantity} is not the announced one\n"
            f"  expected {self.expected}\n"
            f"  found    {self.found}"
        )


@dataclass(eq=False)
class SecretInURL(InvalidInput):
    """An address that would have to be written into the lock carries a credential."""

    filename: str
    parameters: tuple[str, ...]
    hint = "locks are committed and read by everybody; use an index whose file addresses are stable"

    def __str__(self) -> str:
        return (
            f"{self.filename}: the index gives it an address signed for this moment "
            f"({', '.join(self.parameters)}), which cannot be written into a lock"
        )


class SecretInLock(InvalidInput):
    """A password or token that was used would have to be written into the lock."""

    hint = "do not use a password that is a part of names or addresses; nothing was written"

    def __str__(self) -> str:
        return "a credential of an index appears in what would be written into the lock"


def enumerate_some(items: Iterable[object], limit: int = 5) -> str:
    """The first ``limit`` items and how many more there are, as a reader wants a long list."""
    texts = [str(item) for item in items]
    more = len(texts) - limit
    shown = ", ".join(texts[:limit])
    return f"{shown} and {more} more" if more > 0 else shown
