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
from schemas.text import one_line
from schemas.urls import redacted

__all__ = ["check_entry", "is_address"]

_SCHEMES = ("http", "https", "file")
"""Schemes of indexes and of files. Who draws a bill of materials makes links of their addresses
(``javascript:``)."""

_OF_REPOSITORIES = (*_SCHEMES, "ssh", "git", "svn")
"""git has others, which run a program (``ext::sh -c ...``)."""


_DIGITS = {
    "sha256": 64, "sha384": 96, "sha512": 128, "sha3_256": 64, "sha3_384": 96, "sha3_512": 128,
    "blake2b": 128,
}  # fmt: skip
"""Hexadecimal digits of the hashes that an export writes."""


def check_entry(package: Package) -> None:
    """Raise InvalidEntry if an address, a hash, a kind of repository or a commit in ``package`` is
    malformed.
    """
    for problem in _problems(package):
        raise InvalidEntry(package.name, problem)


def _problems(package: Package) -> Iterator[str]:
    if package.index and not is_address(package.index, _SCHEMES):
        yield f"its index {redacted(package.index)!r} is not an address"
    for file in files_of(package):
        if file.url and not is_address(file.url, _SCHEMES):
            yield f"{redacted(file.url)!r} is not an address of a file"
        for algorithm, digest in file.hashes.items():
            if not re.fullmatch("[0-9A-Fa-f]+", digest):
                yield f"a hash ({algorithm}) has other characters than hexadecimal digits"
            elif len(digest) != (count := _DIGITS.get(algorithm.lower(), len(digest))):
                yield f"a hash ({algorithm}) has {len(digest)} digits instead of {count}"
    vcs = package.vcs
    if vcs is not None and not re.fullmatch("[a-z]+", vcs.type):
        yield f"{vcs.type!r} is not a kind of repository"
    if vcs is not None and vcs.url and not is_address(vcs.url, _OF_REPOSITORIES):
        yield f"{redacted(vcs.url)!r} is not an address of a repository"
    if vcs is not None and not re.fullmatch(r"\w[\w./+-]*", vcs.commit_id):
        yield f"{one_line(vcs.commit_id, 80)!r} is not the name of a commit"


def is_address(url: str, schemes: Collection[str]) -> bool:
    """Return whether ``url`` has one of these ``schemes``, and the parts of a URL can be told
    apart.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a port
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.path)
