"""Errors of package indexes, and of the way to them."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import NetworkError, SubjectProblem

__all__ = [
    "ASK_LATER",
    "CHECK_INDEX",
    "PROXY_FORBIDS",
    "PROXY_LOGIN_MISSING",
    "PROXY_LOGIN_WRONG",
    "AddressMissing",
    "FileMissing",
    "IndexAnswer",
    "IndexDenied",
    "IndexUnreachable",
    "ManyDamaged",
    "NotCached",
    "ProxyRefused",
    "SignInPage",
]


_NO_PROXY = "or list the host in NO_PROXY"


PROXY_LOGIN_MISSING = (
    f"write its login, user:password@, before its host in HTTP_PROXY or HTTPS_PROXY, {_NO_PROXY}"
)
PROXY_LOGIN_WRONG = (
    "the login before its host in HTTP_PROXY or HTTPS_PROXY is not accepted: set another one "
    f"there, {_NO_PROXY}"
)
PROXY_FORBIDS = f"ask the owner of the proxy to allow it, {_NO_PROXY}"
"""Hints of a proxy that refuses."""


CHECK_INDEX = "check the network, the proxy and the address of the index, then plan again"
ASK_LATER = "plan again after that time, or with another index"
"""Hints of an index that cannot be reached, or asks to come back later."""


@with_fields
class IndexUnreachable(SubjectProblem, NetworkError):
    """A request had no response, or one that says that the server failed."""

    url: str
    problem: str
    hint: str = CHECK_INDEX


@with_fields
class ProxyRefused(NetworkError):
    """A proxy refuses to forward requests."""

    url: str
    proxy: str
    """Its address, without a password."""
    status: str
    hint: str = PROXY_LOGIN_MISSING

    def __str__(self) -> str:
        return f"{self.url}: the proxy {self.proxy} answers {self.status}"


@with_fields
class NotCached(NetworkError):
    """A document is needed that is not in the cache, and the user chose to work offline."""

    url: str
    hint = "plan once without --offline, or give the wheels in a folder with --find-links"

    def __str__(self) -> str:
        return f"{self.url} is not in the cache, and --offline forbids to fetch it"


@with_fields
class IndexAnswer(SubjectProblem, NetworkError):
    """A server sent a response that its protocol does not allow."""

    url: str
    problem: str
    hint = "check that the address is that of a package index (it usually ends with /simple/)"


@with_fields
class ManyDamaged(NetworkError):
    """An index lists very many versions of a project that cannot be used."""

    project: str
    count: int
    """How many were tried."""
    version: object
    """The one after them."""
    problem: str
    hint = "name a version that can be used (NAME==VERSION), or another index"

    def __str__(self) -> str:
        return (
            f"{self.project}: {self.count:,} versions that its page lists cannot be used, "
            f"nor can {self.version}: {self.problem}"
        )


@with_fields
class IndexDenied(IndexAnswer):
    """The server requires credentials, or rejected those it was given (HTTP 401, 403)."""

    is_forbidden: bool = False
    """Whether it answered 403, which some servers do for a project that they do not have."""
    has_login: bool = False
    """Whether a login was sent."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the kind of refusal
        login = (
            "the login that was sent is not accepted, or has expired: renew it in its place, or "
            "set another one that comes first (docs/network.md, logins)"
            if self.has_login
            else "give user name and password in a netrc file, in LOCKSTREAM_INDEX_<NAME>_USERNAME "
            "and _PASSWORD for --index NAME=URL, or with --keyring"
        )
        explicit = (
            "; if the index answers 403 for all that it does not have, make it explicit and pin "
            "its projects to it (docs/plan.md, settings)"
        )
        return login + (explicit if self.is_forbidden else "")


class FileMissing(IndexAnswer):
    """A page lists a file that its server does not have (HTTP 404, 410)."""

    hint = "the page is out of date; report it to the owner of the index, or exclude the version"


class AddressMissing(IndexAnswer):
    """A server does not have the file that the inputs require by its address."""

    hint = "correct the address of the requirement"


class SignInPage(IndexAnswer):
    """A web page for people stands in the place of a page of an index."""

    hint = "check whether the network or the index requires a sign-in"
