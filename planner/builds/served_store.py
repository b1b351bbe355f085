"""Finished builds on a server: an object store, a WebDAV folder, or what a server offers to read.

A machine first stores the wheel, below its digest, and then the fragment that names the digest. So
a fragment never lies beside a wheel of another machine, even if the server lets the last of two
writers win. A served ``StoreFolder`` has its wheels next to the fragments; both are read.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from executor import digest_file
from planner.builds.claim import Claim
from planner.builds.fragment import FRAGMENT_NAME, MAX_FRAGMENT_SIZE, Fragment, FragmentUnusable
from planner.builds.unit import BuildUnit
from planner.index.client import IndexClient
from planner.index.errors import FileMissing, IndexAnswer, IndexDenied
from planner.index.upload import Upload
from schemas.data_class import frozen, with_fields
from schemas.errors import NotPermitted, SubjectProblem
from schemas.urls import redacted

__all__ = ["ServedStore", "StoreReadOnly"]


MARK_NAME = "lockstream/builds.txt"
"""The file that the first writer leaves, in a folder as builds are: some servers make none. Whoever
may store it may store builds."""

_MARK = b"Wheels that lockstream build has made.\n"


@with_fields
class StoreReadOnly(SubjectProblem, NotPermitted):
    """A server does not let this machine store builds."""

    url: str
    problem: str
    is_denied: bool = False

    @property
    def hint(self) -> str:  # type: ignore[override]  # it depends on the refusal
        if self.is_denied:
            return "give user name and password in the address, in a netrc file, or with --keyring"
        return "name an address at which the server stores files (HTTP PUT), or a folder"


@frozen
class ServedStore:
    """Finished builds below an address, which other machines may add to at the same time."""

    url: str
    """The address, without a trailing slash."""
    client: IndexClient

    def find(self, unit: BuildUnit) -> Fragment | None:
        """As ``WheelStore`` has it; the wheel is compared when it is fetched."""
        place = f"{self.url}/{unit.key}/{FRAGMENT_NAME}"
        try:
            with _shown(), self.client.download(place, limit=MAX_FRAGMENT_SIZE) as body:
                body.seek(0)
                return Fragment.parse(body.read(), unit, redacted(place))
        except FileMissing:
            return None

    def fetch(self, fragment: Fragment, path: str) -> None:
        """As ``WheelStore`` has it."""
        place, body = self._download(fragment)
        with body, open(path, "wb") as copy:
            body.seek(0)
            shutil.copyfileobj(body, copy)
        if (found := digest_file(path).hex()) != fragment.sha256:
            os.unlink(path)
            raise FragmentUnusable(
                redacted(place), f"its sha256 is {found}, and {fragment.sha256} expected"
            )

    def prepare(self) -> None:
        """As ``WheelStore`` has it; a mark is stored."""
        with _permitted(), io.BytesIO(_MARK) as mark:
            self.client.upload(f"{self.url}/{MARK_NAME}", Upload.of(mark))

    def claims(self, unit: BuildUnit, units: Iterable[BuildUnit]) -> Sequence[Claim]:
        """As ``WheelStore`` has it: a server keeps no locks, so two machines may do one build."""
        return ()

    def publish(self, fragment: Fragment, wheel: str) -> bool:
        """As ``WheelStore`` has it. The wheel of a machine that was slower stays, unused."""
        with _permitted(), open(wheel, "rb") as file:
            self.client.upload(self._places(fragment)[0], Upload.of(file))
        with _permitted(), io.BytesIO(fragment.render()) as text:
            place = f"{self.url}/{fragment.key}/{FRAGMENT_NAME}"
            return self.client.upload(place, Upload.of(text))

    def _places(self, fragment: Fragment) -> tuple[str, str]:
        """Return where the wheel is, stored by this class or in the folder of another one."""
        folder = f"{self.url}/{fragment.key}"
        return f"{folder}/{fragment.sha256}/{fragment.wheel}", f"{folder}/{fragment.wheel}"

    def _download(self, fragment: Fragment) -> tuple[str, IO[bytes]]:
        stored, beside = self._places(fragment)
        with _shown():
            try:
                return stored, self.client.download(stored, limit=fragment.size)
            except FileMissing:
                return beside, self.client.download(beside, limit=fragment.size)


@contextmanager
def _shown() -> Iterator[None]:
    """Translate the refusal of a login."""
    try:
        yield
    except IndexDenied as error:
        raise StoreReadOnly(error.url, f"it shows no files: {error.problem}", True) from None


@contextmanager
def _permitted() -> Iterator[None]:
    """Translate the refusals of servers that only offer files."""
    try:
        yield
    except IndexAnswer as error:
        problem = f"it stores no files: {error.problem}"
        raise StoreReadOnly(error.url, problem, isinstance(error, IndexDenied)) from None
