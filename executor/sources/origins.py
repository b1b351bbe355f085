"""Sources: where the bytes of a locked file come from, in one order of preference.

Every source is an iterator of chunks, read forwards and once. What arrives is held to the lock by
``executor.fetch``, whatever the source was.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from executor.lock.errors import NotInstallable
from executor.lock.step import Step
from executor.sources.client import HttpClient, tls_context
from executor.sources.errors import Missing, Offline
from executor.sources.keychain import Keychain
from executor.sources.local_file import holds_file, read_file
from schemas.credentials import Login
from schemas.errors import UsageError
from schemas.urls import redacted, storable

__all__ = ["Origin", "Origins"]


_FETCHED = {"http", "https"}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where one file is taken from."""

    name: str
    """For messages: a path, or a URL without secrets."""
    url: str
    """The same as a URL, for direct_url.json; as it may be written down."""
    open: Callable[[HttpClient], Iterator[bytes]]
    """Begin to read. ``close()`` of the iterator frees what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Where files may be taken from."""

    find_links: tuple[str, ...] = ()
    """Folders that are looked into first, for a file of the name and the hash."""
    mirrors: tuple[tuple[str, str], ...] = ()
    """Pairs of URL prefixes: what is the first or below it is taken from the second instead; where
    several pairs have the same first, from any of their seconds, in this order."""
    offline: bool = False
    """Whether only files on this machine count."""
    keyring: bool = False
    """Whether the keyring program may be asked for credentials."""
    logins: Mapping[str, Login] = field(default_factory=dict, repr=False)
    """Credentials that are known already, by origin."""

    def client(self, steps: Iterable[Step]) -> HttpClient:
        """A client for the steps. What its forks can share is made by now."""
        urls = (url for step in steps for url in self._mirrored(step.url or ""))
        schemes = {url.partition(":")[0] for url in urls}
        if "https" in schemes:
            tls_context()
        if not schemes.isdisjoint({"http", "https"}):
            import encodings.idna  # noqa: F401, PLC0415  # encodes the names of hosts
        return HttpClient(Keychain(self.logins, keyring=self.keyring))

    def check(self, steps: Iterable[Step], lock_folder: str) -> None:
        """Refuse what cannot be had, as far as that can be told before fetching.

        Raises UsageError for a find-links folder that is none, NotInstallable, Missing and, with
        all that are missing, Offline.
        """
        for folder in self.find_links:
            if not os.path.isdir(folder):
                raise UsageError(
                    f"--find-links {folder}: there is no such folder",
                    hint="name a folder that holds wheels, or leave it out",
                )
        unreachable = []
        for step in steps:
            origin = self._local(step, lock_folder)
            if origin is None:
                self._remote(step)
                unreachable.append(step.filename)
        if self.offline and unreachable:
            raise Offline(tuple(unreachable))

    def find(self, step: Step, lock_folder: str) -> Origin:
        """The first place to take the file of a step from. Raises NotInstallable and Missing."""
        return self.origins(step, lock_folder)[0]

    def origins(self, step: Step, lock_folder: str) -> Sequence[Origin]:
        """The places to take the file of a step from: a find-links folder, its ``path``, or its
        ``url``, which may have several mirrors. Raises NotInstallable and Missing.
        """
        local = self._local(step, lock_folder)
        return self._remote(step) if local is None else [local]

    def address(self, step: Step) -> str | None:
        """The URL that the file of a step is fetched from first; None where no server is asked, or
        where this machine may have it.
        """
        if self.find_links or step.path is not None or step.url is None:
            return None
        url = self._mirrored(step.url)[0]
        return url if _scheme_of(url) in _FETCHED else None

    def repository(self, step: Step, lock_folder: str) -> str:
        """The path or URL that git is to clone for a step. Raises Missing."""
        local = self._local(step, lock_folder)
        return local.name if local else self._mirrored(step.url or "")[0]

    def _local(self, step: Step, lock_folder: str) -> Origin | None:
        # What is known by no hash is no file: a folder, a repository.
        for folder in self.find_links if step.hashes else ():
            path = os.path.join(folder, step.filename)
            if holds_file(path, step.size, step.hashes):
                return _file(path, step.url)
        if step.path is not None:
            path = os.path.normpath(os.path.join(lock_folder, step.path))
            if os.path.exists(path):
                return _file(path)
            if step.url is None:
                raise Missing(step.name, path)
        urls = self._mirrored(step.url or "")
        if any(_scheme_of(url) != "file" for url in urls):
            return None
        paths = [unquote(urlsplit(url).path) for url in urls]
        return _file(next(filter(os.path.exists, paths), paths[0]), step.url)

    def _remote(self, step: Step) -> Sequence[Origin]:
        return [
            _file(unquote(urlsplit(url).path), step.url)
            if _scheme_of(url) == "file"
            else _remote(step, url)
            for url in self._mirrored(step.url or "")
        ]

    def _mirrored(self, url: str) -> Sequence[str]:
        """Where to take a URL from, which is itself where it has no mirror."""
        found: list[str] = []
        mirrored = ""
        for prefix, replacement in self.mirrors:
            # Whole parts only: https://example.com is no prefix of https://example.com.evil, nor
            # of https://example.com@evil, which would be told the mirror's credentials.
            rest = url.removeprefix(prefix.rstrip("/"))
            if rest != url and (not rest or rest[0] in "/?#") and (mirrored or prefix) == prefix:
                mirrored = prefix
                found.append(replacement.rstrip("/") + rest)
        return found or [url]


def _scheme_of(url: str) -> str:
    """Empty for a malformed URL."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _remote(step: Step, url: str) -> Origin:
    is_repository = step.source is not None and bool(step.source.commit)
    if _scheme_of(url) not in ({*_FETCHED, "ssh", "git"} if is_repository else _FETCHED):
        raise NotInstallable(
            step.name,
            f"its URL {redacted(url)!r} is of a kind that is not fetched",
            hint="lock it with an https:, http: or file: URL, or with a path",
        )
    return Origin(
        redacted(url),
        storable(step.url or ""),
        lambda client: client.chunks(url, step.size),
    )


def _file(path: str, locked_url: str | None = None) -> Origin:
    """``locked_url`` is what the lock has: which of several places held it is not written down."""
    url = locked_url if locked_url and _scheme_of(locked_url) else ""
    url = url or f"file://{quote(os.path.abspath(path))}"
    return Origin(path, storable(url), lambda _: read_file(path))
