"""What can go wrong between requirements and a lock.

Errors that belong to one format stand beside its parser; those that several modules raise or
render stand here.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import NetworkError

__all__ = ["IndexAnswer", "IndexDenied", "IndexUnreachable", "NotCached"]


@dataclass(eq=False)
class IndexUnreachable(NetworkError):
    """A request got no answer, or one that says that the server failed."""

    url: str
    problem: str
    hint = "check the network, the proxy and the address of the index, then plan again"

    def __str__(self) -> str:
        return f"{self.url}: {self.problem}"


@dataclass(eq=False)
class NotCached(NetworkError):
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
