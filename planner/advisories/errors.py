"""Errors of services and databases of advisories."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import InvalidInput, NetworkError, SubjectProblem

__all__ = ["InvalidDatabase", "ServiceAnswer", "ServiceUnreachable"]


ANOTHER = "or give a copy of the database with --database"


@with_fields
class ServiceUnreachable(SubjectProblem, NetworkError):
    """The service had no response, or one that says that it failed."""

    url: str
    problem: str
    hint: str = f"check the network, the proxy and the address of the service, {ANOTHER}"


@with_fields
class ServiceAnswer(SubjectProblem, NetworkError):
    """The service sent a response that OSV's API does not allow."""

    url: str
    problem: str
    hint: str = (
        "check that --service is the address of a service with OSV's API, without the /v1/ at its "
        f"end, {ANOTHER}"
    )


@with_fields
class InvalidDatabase(SubjectProblem, InvalidInput):
    """A database of advisories, or one of its records, is not in OSV's format."""

    path: str
    """With the member, if it is of a zip archive."""
    problem: str
    hint: str = (
        "name OSV's export of the ecosystem PyPI, the zip archive all.zip, or the folder that it "
        "was unpacked into"
    )
