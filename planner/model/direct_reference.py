"""The address of a source: a repository, an archive, or a folder of this machine.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references.
"""

from __future__ import annotations

import os
from dataclasses import field, replace
from typing import Literal
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit, urlunsplit

from planner.model.paths import relative_path
from schemas.data_class import frozen
from schemas.digests import SECURE_ALGORITHMS
from schemas.urls import without_credentials

__all__ = ["DirectReference", "without_login"]


_GIT = "git+"


@frozen
class DirectReference:
    """The address of a source, with the revision, subdirectory and hashes that belong to it."""

    kind: Literal["archive", "vcs", "directory"]
    reference: str
    """The address as the user wrote it, without credentials."""
    address: str = field(repr=False)
    """A URL, perhaps with credentials, or an absolute path."""
    subdirectory: str = ""
    revision: str = ""
    """Of a repository: a branch, a tag or a commit; empty for its default branch."""
    commit: str = ""
    """Of a repository, once the revision is resolved; empty before."""
    hashes: tuple[tuple[str, str], ...] = ()
    """Of an archive: pairs of algorithm and digest, as the inputs give them."""

    @classmethod
    def parse(cls, url: str, hashes: tuple[tuple[str, str], ...] = ()) -> DirectReference:
        """Return the reference of ``url``: ``git+https://host/repository@revision#subdirectory=part``,
        the URL of an archive, or a ``file:`` URL of an archive or a folder.
        """
        address, fragment = urldefrag(url)
        parameters = parse_qs(fragment)
        part = parameters.get("subdirectory", [""])[0].strip("/")
        if address.startswith(_GIT):
            place, revision = _split_revision(address.removeprefix(_GIT))
            return cls("vcs", without_login(url), _path_or_url(place), part, revision=revision)
        place = _path_or_url(address)
        if os.path.isdir(place):
            return cls("directory", without_login(url), place, part)
        named = [
            (kind, parameters[kind][0].lower()) for kind in SECURE_ALGORITHMS if kind in parameters
        ]
        return cls("archive", without_login(url), place, part, hashes=(*hashes, *named))

    @property
    def path(self) -> str | None:
        """Return its path, or None if it is not on this machine."""
        return self.address if os.path.isabs(self.address) else None

    @property
    def url(self) -> str:
        """Return its address without credentials, as a lock may record it."""
        return without_login(self.address)

    def relative_to(self, folder: str) -> str:
        """Return it as a lock in ``folder`` records it: a source on this machine by its path."""
        if self.path is None:
            return self.reference
        prefix = _GIT if self.kind == "vcs" else ""
        revision = f"@{self.revision}" if self.revision else ""
        part = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"{prefix}{relative_path(self.path, folder)}{revision}{part}"

    def at(self, commit: str) -> DirectReference:
        """Return a copy that is pinned to one commit."""
        return replace(self, commit=commit)


def _path_or_url(address: str) -> str:
    parts = urlsplit(address)
    return os.path.normpath(unquote(parts.path)) if parts.scheme == "file" else address


def _split_revision(address: str) -> tuple[str, str]:
    """Split ``https://git@host/repository@revision`` into address and revision."""
    parts = urlsplit(address)
    path, _, revision = parts.path.partition("@")
    return urlunsplit(parts._replace(path=path)), revision


def without_login(url: str) -> str:
    """Return ``url`` without credentials; the user of an ssh address stays, as it is part of it."""
    parts = urlsplit(url)
    if parts.scheme.endswith("ssh") and parts.username:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}"))
    return without_credentials(url)
