"""Direct reference."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import parse_qs, unquote, urldefrag, urlsplit, urlunsplit

from planner.model.paths import relative_path
from schemas.digests import SECURE_ALGORITHMS
from schemas.urls import without_credentials

__all__ = ["DirectReference"]


_GIT = "git+"


@dataclass(frozen=True, slots=True)
class DirectReference:
    """Where a source is."""

    kind: Literal["archive", "vcs", "directory"]
    reference: str
    """As the inputs have it, without credentials."""
    address: str = field(repr=False)
    """A URL, perhaps with credentials, or an absolute path."""
    subdirectory: str = ""
    revision: str = ""
    """Of a repository: a branch, a tag or a commit; empty for what it shows first."""
    commit: str = ""
    """Of a repository, once it is known."""
    hashes: tuple[tuple[str, str], ...] = ()
    """Of an archive, as the inputs give them."""

    @classmethod
    def parse(cls, url: str, hashes: tuple[tuple[str, str], ...] = ()) -> DirectReference:
        """What ``url`` leads to: ``git+https://host/repository@revision#subdirectory=part``, the
        URL of an archive, or a ``file:`` URL of an archive or a folder.
        """
        address, fragment = urldefrag(url)
        told = parse_qs(fragment)
        part = told.get("subdirectory", [""])[0].strip("/")
        if address.startswith(_GIT):
            place, revision = _split_revision(address.removeprefix(_GIT))
            return cls("vcs", _shown(url), _path_or_url(place), part, revision=revision)
        place = _path_or_url(address)
        if os.path.isdir(place):
            return cls("directory", _shown(url), place, part)
        named = [(kind, told[kind][0].lower()) for kind in SECURE_ALGORITHMS if kind in told]
        return cls("archive", _shown(url), place, part, hashes=(*hashes, *named))

    @property
    def path(self) -> str | None:
        """Where it is on this machine, if it is."""
        return self.address if os.path.isabs(self.address) else None

    @property
    def url(self) -> str:
        """Where it is, as it may be written down."""
        return _shown(self.address)

    def told_from(self, folder: str) -> str:
        """What to tell of it in a lock in ``folder``: for what is on this machine, its path."""
        if self.path is None:
            return self.reference
        prefix = _GIT if self.kind == "vcs" else ""
        revision = f"@{self.revision}" if self.revision else ""
        part = f"#subdirectory={self.subdirectory}" if self.subdirectory else ""
        return f"{prefix}{relative_path(self.path, folder)}{revision}{part}"

    def at(self, commit: str) -> DirectReference:
        """The same, at one commit."""
        return replace(self, commit=commit)


def _path_or_url(address: str) -> str:
    parts = urlsplit(address)
    return os.path.normpath(unquote(parts.path)) if parts.scheme == "file" else address


def _split_revision(address: str) -> tuple[str, str]:
    """``https://git@host/repository@revision``: the last part of the path may name a revision."""
    parts = urlsplit(address)
    path, _, revision = parts.path.partition("@")
    return urlunsplit(parts._replace(path=path)), revision


def _shown(url: str) -> str:
    """Without a password. A user of ssh is a part of the address."""
    parts = urlsplit(url)
    if parts.scheme.endswith("ssh") and parts.username:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username}@{host}"))
    return without_credentials(url)
