"""The places that a locked file may come from, in order of preference.

Every origin is an iterator of chunks, read forwards and once. ``sources.verified`` compares the
bytes of each with the lock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit

from executor.lock.errors import NotInstallable
from executor.lock.step import Step
from executor.sources.errors import Missing, Offline
from executor.sources.keychain import Keychain
from executor.sources.local_file import holds_file, read_file
from schemas.credentials import Login
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import redacted, storable

if TYPE_CHECKING:
    from executor.sources.bundle import Bundle
    from executor.sources.bundle_stream import BundleStream
    from executor.sources.client import HttpClient

__all__ = ["Origin", "Origins"]


_FETCHED = {"http", "https"}


@frozen
class Origin:
    """One place that has a file; made by ``Origins`` for one step."""

    name: str
    """A path, or a URL without secrets, for messages."""
    url: str
    """The URL that direct_url.json records; without secrets."""
    open: Callable[[HttpClient], Iterator[bytes]]
    """Begins to read the file. ``close()`` of the iterator frees its resources."""
    comes_once: bool = False
    """Whether the file cannot be read again."""


@frozen(kw_only=True)
class Origins:
    """The user's choice of places that files may come from; one for each execution."""

    find_links: tuple[str, ...] = ()
    """Folders that are searched first, for a file of the same name and hash."""
    bundles: tuple[str, ...] = ()
    """Archives that are searched next, for a file of the same name and size."""
    mirrors: tuple[tuple[str, str], ...] = ()
    """Pairs of URL prefixes: a URL that is or begins with the first is fetched from the second
    instead; if several pairs have the same first, from any of their seconds, in this order."""
    offline: bool = False
    """Whether to use only files on this machine."""
    keyring: bool = False
    """Whether to run the keyring program for credentials."""
    logins: Mapping[str, Login] = field(default_factory=dict, repr=False)
    """Known credentials, by origin."""
    indexes: tuple[str, ...] = ()
    """The indexes of the lock that have a name (``NAME=URL``), for logins by name."""

    def client(
        self, steps: Iterable[Step], *, lanes: int = 1, is_roomy: bool = False
    ) -> HttpClient:
        """Return a client for the steps; each of the ``lanes`` gets a copy. Everything that forks
        can share is loaded here. ``is_roomy``: memory is not short.
        """
        # The largest part of an execution: imported when the lock has been read by another process.
        from executor.sources.client import HttpClient  # noqa: PLC0415
        from executor.sources.prefetch import requests_of  # noqa: PLC0415

        if self.speaks_tls(steps):
            from executor.sources.tls import tls_context  # noqa: PLC0415

            tls_context()
        keychain = Keychain(self.logins, keyring=self.keyring, indexes=self.indexes)
        requests = requests_of(lanes, is_roomy=is_roomy)
        return HttpClient(keychain, requests, is_roomy=is_roomy)

    def speaks_tls(self, steps: Iterable[Step]) -> bool:
        """Return whether a file of the steps may come over TLS, which takes memory."""
        urls = (url for step in steps for url in self._mirrored(step.url or ""))
        return not self.offline and any(_scheme_of(url) == "https" for url in urls)

    @property
    def come_once(self) -> bool:
        """Whether files come through a pipe, in the order of the steps: one process reads them."""
        return bool(self._streams())

    def drain(self) -> None:
        """Read to its end what comes through a pipe. Raises InvalidBundle."""
        for stream in self._streams():
            stream.drain()

    def check(self, steps: Iterable[Step], lock_folder: str) -> None:
        """Raise if a file is known to be unobtainable before anything is fetched.

        Raises UsageError for a find-links folder that does not exist, InvalidBundle,
        NotInstallable, Missing and, with all the files that would have to be fetched, Offline.
        """
        for folder in self.find_links:
            if not os.path.isdir(folder):
                raise UsageError(
                    f"--find-links {folder}: there is no such folder",
                    hint="name a folder that holds wheels, or leave it out",
                )
        self._opened_bundles()
        unreachable = []
        for step in steps:
            origin = self._local(step, lock_folder)
            if origin is None:
                self._remote(step)
                unreachable.append(step.filename)
        if self.offline and unreachable:
            other = next(filter(None, map(self._other_wheel, unreachable)), "")
            raise Offline(tuple(unreachable), other=other)

    def find(self, step: Step, lock_folder: str) -> Origin:
        """Return the preferred origin of the file of a step. Raises NotInstallable and Missing."""
        return self.origins(step, lock_folder)[0]

    def origins(self, step: Step, lock_folder: str) -> Sequence[Origin]:
        """Return the origins of the file of a step: a find-links folder, a bundle, its ``path``, or
        its ``url``, which may have several mirrors. Raises NotInstallable and Missing.
        """
        local = self._local(step, lock_folder)
        return self._remote(step) if local is None else [local]

    def address(self, step: Step) -> str | None:
        """Return the URL that the file of a step is fetched from first; None if it is not fetched,
        or if this machine may have it.
        """
        if self.find_links or self.bundles or step.path is not None or step.url is None:
            return None
        url = self._mirrored(step.url)[0]
        return url if _scheme_of(url) in _FETCHED else None

    def repository(self, step: Step, lock_folder: str) -> str:
        """Return the path or URL that git clones for a step. Raises Missing."""
        local = self._local(step, lock_folder)
        return local.name if local else self._mirrored(step.url or "")[0]

    def _local(self, step: Step, lock_folder: str) -> Origin | None:
        url = (step.url or "").replace("%00", "\0")
        if "\0" in f"{step.filename}{step.path or ''}{url}":
            raise NotInstallable(step.name, "its file name or address has a NUL character")
        # A source without a hash is not a file but a folder or a repository.
        for folder in self.find_links if step.hashes else ():
            path = os.path.join(folder, step.filename)
            if holds_file(path, step.size, step.hashes):
                return _file(path, step.url)
        for bundle in self._opened_bundles() if step.hashes else ():
            if bundle.holds(step):
                return _bundled(bundle, step)
        if step.path is not None:
            path = os.path.normpath(os.path.join(lock_folder, step.path))
            if os.path.exists(path):
                return _file(path)
            if step.url is None:
                raise Missing(step.name, path)
        urls = self._mirrored(step.url or "")
        if any(_scheme_of(url) != "file" for url in urls):
            return None
        paths = [_path_of(url) for url in urls]
        return _file(next(filter(os.path.exists, paths), paths[0]), step.url)

    def _other_wheel(self, filename: str) -> str:
        """Return the path of another wheel of the release that ``filename`` is of; empty if there
        is none: a folder that was fetched for another machine has one.
        """
        release = "-".join(filename.split("-")[:2]) + "-"
        for folder in self.find_links if filename.endswith(".whl") else ():
            for name in sorted(os.listdir(folder)):
                if name.startswith(release) and name.endswith(".whl") and name != filename:
                    return os.path.join(folder, name)
        return ""

    def _opened_bundles(self) -> list[Bundle | BundleStream]:
        """Return the bundles. Raises InvalidBundle."""
        if not self.bundles:
            return []
        from executor.sources.bundle import bundle_at  # noqa: PLC0415  # an option alone needs it

        return list(map(bundle_at, self.bundles))

    def _streams(self) -> list[BundleStream]:
        """Return the bundles that come through a pipe. Raises InvalidBundle."""
        if not self.bundles:
            return []
        from executor.sources.bundle import stream_at  # noqa: PLC0415  # an option alone needs it

        return [stream for path in self.bundles if (stream := stream_at(path)) is not None]

    def _remote(self, step: Step) -> Sequence[Origin]:
        return [
            _file(_path_of(url), step.url) if _scheme_of(url) == "file" else _remote(step, url)
            for url in self._mirrored(step.url or "")
        ]

    def _mirrored(self, url: str) -> Sequence[str]:
        """Return the mirror URLs of ``url``, or ``url`` itself if it has no mirror."""
        found: list[str] = []
        mirrored = ""
        for prefix, replacement in self.mirrors:
            # Whole parts only: https://example.com is not a prefix of https://example.com.evil, nor
            # of https://example.com@evil, which would receive the credentials of the mirror.
            rest = url.removeprefix(prefix.rstrip("/"))
            if rest != url and (not rest or rest[0] in "/?#") and (mirrored or prefix) == prefix:
                mirrored = prefix
                found.append(replacement.rstrip("/") + rest)
        return found or [url]


def _scheme_of(url: str) -> str:
    """Return the scheme of a URL; empty if it is malformed."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _remote(step: Step, url: str) -> Origin:
    is_repository = step.source is not None and bool(step.source.commit)
    if _scheme_of(url) not in ({*_FETCHED, "ssh", "git"} if is_repository else _FETCHED):
        raise NotInstallable(
            step.name,
            f"its URL {redacted(url)!r} has a scheme that is not supported",
            hint="lock it with an https:, http: or file: URL, or with a path",
        )
    return Origin(
        redacted(url),
        storable(step.url or ""),
        lambda client: client.fetch(url, step.size),
    )


def _bundled(bundle: Bundle | BundleStream, step: Step) -> Origin:
    place = f"{bundle.path}/{step.filename}"
    return Origin(
        place,
        _recorded(step.url, place),
        lambda _: bundle.read(step.filename),
        comes_once=bundle.is_stream,
    )


def _path_of(url: str) -> str:
    """Return the path of a file URL; its bytes need not be UTF-8."""
    return os.fsdecode(unquote_to_bytes(urlsplit(url).path))


def _file(path: str, locked_url: str | None = None) -> Origin:
    """Return the origin of a local file. ``locked_url``, the URL in the lock, is recorded instead
    of the place that had the file.
    """
    return Origin(path, _recorded(locked_url, path), lambda _: read_file(path))


def _recorded(locked_url: str | None, path: str) -> str:
    url = locked_url if locked_url and _scheme_of(locked_url) else ""
    return storable(url or f"file://{quote(os.fsencode(os.path.abspath(path)))}")
