"""What the entry of a package must hold to be exported; the reader of locks checks only its
types.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from packaging.pylock import Package

from planner.exports.addresses import files_of
from planner.exports.errors import InvalidEntry
from schemas.urls import redacted

__all__ = ["check_entry", "is_address"]

_OF_INDEXES = ("http", "https", "file")


def check_entry(package: Package) -> None:
    """Raise InvalidEntry if an address, a hash or a kind of repository in ``package`` is
    malformed.
    """
    for problem in _problems(package):
        raise InvalidEntry(package.name, problem)


def _problems(package: Package) -> Iterator[str]:
    if package.index and not is_address(package.index, _OF_INDEXES):
        yield f"its index {redacted(package.index)!r} is not an address"
    for file in files_of(package):
        if file.url and not is_address(file.url):
            yield f"{redacted(file.url)!r} is not an address of a file"
        for algorithm, digest in file.hashes.items():
            if not re.fullmatch("[0-9A-Fa-f]+", digest):
                yield f"a hash ({algorithm}) has other characters than hexadecimal digits"
    vcs = package.vcs
    if vcs is not None and not re.fullmatch("[a-z]+", vcs.type):
        yield f"{vcs.type!r} is not a kind of repository"
    if vcs is not None and vcs.url and not is_address(vcs.url):
        yield f"{redacted(vcs.url)!r} is not an address of a repository"


def is_address(url: str, schemes: Collection[str] = ()) -> bool:
    """Return whether ``url`` has a scheme, one of ``schemes`` if there are any, and the parts of a
    URL can be told apart.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a port
    except ValueError:
        return False
    is_known = parts.scheme in schemes if schemes else len(parts.scheme) > 1
    return is_known and bool(parts.netloc or parts.path)
