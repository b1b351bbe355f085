"""Addresses of a lock as an export names them: without secrets, and safe in a line of text."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urldefrag, urlsplit

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel

from planner.index.indexes import parse_index
from planner.inputs.pip_config import PUBLIC_INDEX
from planner.model.direct_reference import without_login
from schemas.urls import secret_parameters, storable

__all__ = [
    "PUBLIC",
    "carries_secret",
    "files_of",
    "index_of",
    "local_path",
    "plain_url",
    "repository_url",
]

File = PackageArchive | PackageSdist | PackageWheel

PUBLIC = parse_index(PUBLIC_INDEX).url
"""PyPI, as a lock names it."""

_SAFE = "%!&()*+,/:;=?@[]~"
"""Characters with a meaning in a URL. The others are quoted: a requirements file ends an address at
a space, takes ``${NAME}`` for a variable, and reads its options as a shell does (``'``)."""

_BARE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


def plain_url(url: str) -> str:
    """Return ``url`` without a login, a query that grants access and a fragment; the user of an ssh
    address stays.
    """
    url = urldefrag(without_login(url)).url
    if secret_parameters(urlsplit(url).query):
        url = storable(url)
    return _BARE_PERCENT.sub("%25", quote(url, safe=_SAFE))


def carries_secret(url: str | None) -> bool:
    """Return whether ``plain_url`` leaves something out that the server may require."""
    if not url:
        return False
    return without_login(url) != url or bool(secret_parameters(urlsplit(url).query))


def files_of(package: Package) -> Iterator[File]:
    """Yield the files that the lock lists of ``package``."""
    yield from package.wheels or ()
    for file in (package.sdist, package.archive):
        if file is not None:
            yield file


def local_path(file: File, folder: str) -> str | None:
    """Return the path of ``file`` if it is on this machine; that of a lock starts in ``folder``."""
    if file.path:
        return os.path.normpath(os.path.join(folder, file.path))
    parts = urlsplit(file.url or "")
    return os.path.normpath(unquote(parts.path)) if parts.scheme == "file" else None


def index_of(package: Package) -> str | None:
    """Return the address of the index of ``package``; None if the lock does not name one."""
    return plain_url(package.index).rstrip("/") if package.index else None


def repository_url(package: Package) -> str | None:
    """Return the address from which git clones the repository of ``package``, at its commit; None
    if it is not a repository at an address.
    """
    vcs = package.vcs
    if vcs is None or vcs.url is None:
        return None
    return f"{vcs.type}+{plain_url(vcs.url)}@{quote(vcs.commit_id)}"
