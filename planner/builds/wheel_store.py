"""A place where machines leave the wheels that they built, and find those of others.

It is a folder, such as a shared one, or an address of a server. Each build has a folder of its own
in it, named for its key; it is there as a whole or not at all.
"""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import IO, Protocol

from executor import Keychain, digest_file, read_regular, sync_descriptor, sync_folder
from planner.builds.claim import HOLD_SECONDS, Claim, sweep_claims
from planner.builds.fragment import FRAGMENT_NAME, MAX_FRAGMENT_SIZE, Fragment, FragmentUnusable
from planner.builds.served_store import ServedStore
from planner.builds.unit import BuildUnit
from planner.index.access import Access
from planner.index.client import IndexClient
from schemas.data_class import frozen, with_fields
from schemas.errors import NotEnough, NotPermitted, SubjectProblem, UsageError
from schemas.urls import redacted

__all__ = [
    "StoreFolder",
    "WheelStore",
    "check_store",
    "find_all",
    "find_relative",
    "open_store",
    "opened_store",
]


_UNFINISHED = ".unfinished-"

_WAIT_SECONDS = 3600.0
"""How long another machine may take for a build before it counts as hung."""

_LEFT_SECONDS = 3600.0
"""Age of an unfinished folder from which its writer counts as dead: writing one takes seconds."""


class WheelStore(Protocol):
    """A place with finished builds."""

    def find(self, unit: BuildUnit) -> Fragment | None:
        """Return the finished build of ``unit``; None if there is none.

        Raises FragmentUnusable if what is there is not what its build would have written, and
        NotPermitted if it may not be read.
        """

    def fetch(self, fragment: Fragment, path: str) -> None:
        """Copy the wheel of ``fragment`` to ``path``. Raises FragmentUnusable if it differs."""

    def prepare(self) -> None:
        """Raise NotPermitted if builds cannot be added: that is known before one is begun."""

    def claims(self, unit: BuildUnit, units: Iterable[BuildUnit]) -> Sequence[Claim]:
        """Return the claims to hold, in this order, while ``unit`` of ``units`` is built; none if
        machines cannot claim a build here.
        """

    def publish(self, fragment: Fragment, wheel: str) -> bool:
        """Add a finished build with the wheel at the path ``wheel``; return False if another
        machine was quicker, whose wheel then counts.

        Raises NotPermitted, NetworkError, and NotEnough if it is full.
        """


@frozen
class StoreFolder:
    """A folder with finished builds, which others may write to at the same time."""

    path: str

    def find(self, unit: BuildUnit) -> Fragment | None:
        """As ``WheelStore`` has it; the wheel itself is compared too."""
        place = os.path.join(self.path, unit.key)
        try:
            content = read_regular(os.path.join(place, FRAGMENT_NAME), MAX_FRAGMENT_SIZE)
        except FileNotFoundError:
            return None
        except OSError as error:
            if not os.path.isdir(self.path):
                raise NotAFolder(self.path) from None
            raise _unreadable(place, FRAGMENT_NAME, error) from None
        fragment = Fragment.parse(content, unit, place)
        self._check(fragment)
        return fragment

    def fetch(self, fragment: Fragment, path: str) -> None:
        """As ``WheelStore`` has it."""
        shutil.copyfile(os.path.join(self.path, fragment.key, fragment.wheel), path)

    def prepare(self) -> None:
        """As ``WheelStore`` has it; nothing is made."""
        place = os.path.abspath(self.path)
        while not os.path.lexists(place):
            place = os.path.dirname(place)
        if not os.path.isdir(place):
            raise _Unwritable(f"{self.path} cannot be made: {place} is not a folder")
        if not os.access(place, os.W_OK | os.X_OK):
            raise _Unwritable(f"{place} cannot be written to")

    def claims(self, unit: BuildUnit, units: Iterable[BuildUnit]) -> Sequence[Claim]:
        """As ``WheelStore`` has it: that of the build, and that of a pure wheel for all targets."""
        own = Claim(self.path, unit.key, _WAIT_SECONDS)
        others = [one for one in units if one.family == unit.family and one.key != unit.key]
        if unit.record is not None:  # it is known whether its wheel suits others
            others = [one for one in others if one.is_served_by(unit.record.wheel)]
        return (own, Claim(self.path, unit.family, HOLD_SECONDS)) if others else (own,)

    def publish(self, fragment: Fragment, wheel: str) -> bool:
        """As ``WheelStore`` has it."""
        self.prepare()
        try:
            os.makedirs(self.path, exist_ok=True)
            self._sweep()
            return self._publish(fragment, wheel)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise _StoreFull(f"{fragment.wheel} has no space in {self.path}") from None
            raise _Unwritable(f"{self.path} cannot be written to: {error.strerror}") from None

    def _publish(self, fragment: Fragment, wheel: str) -> bool:
        unfinished = os.path.join(self.path, f"{_UNFINISHED}{uuid.uuid4().hex}")
        os.mkdir(unfinished)
        try:
            copy = os.path.join(unfinished, fragment.wheel)
            with open(wheel, "rb") as source, open(copy, "xb") as target:
                shutil.copyfileobj(source, target)
                _flush(target)
            with open(os.path.join(unfinished, FRAGMENT_NAME), "xb") as target:
                target.write(fragment.render())
                _flush(target)
            place = os.path.join(self.path, fragment.key)
            try:
                os.rename(unfinished, place)
            except OSError:
                if os.path.lexists(os.path.join(place, FRAGMENT_NAME)):
                    return False
                # What is there is no build: the rest of one that was copied or removed in part.
                os.rename(place, f"{unfinished}-rest")
                os.rename(unfinished, place)
                shutil.rmtree(f"{unfinished}-rest", ignore_errors=True)
            sync_folder(self.path)
            return True
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _check(self, fragment: Fragment) -> None:
        place = os.path.join(self.path, fragment.key)
        path = os.path.join(place, fragment.wheel)
        try:
            found, size = digest_file(path).hex(), os.stat(path).st_size
        except OSError as error:
            raise _unreadable(place, fragment.wheel, error) from None
        if (found, size) != (fragment.sha256, fragment.size):
            raise FragmentUnusable(
                place,
                f"{fragment.wheel} is not the wheel that was built\n"
                f"  expected {fragment.sha256}, {fragment.size:,} bytes\n"
                f"  found    {found}, {size:,} bytes",
            )

    def _sweep(self) -> None:
        """Remove what killed writers left."""
        for name in os.listdir(self.path):
            place = os.path.join(self.path, name)
            with suppress(OSError):
                is_old = time.time() - os.lstat(place).st_mtime > _LEFT_SECONDS
                if name.startswith(_UNFINISHED) and is_old:
                    shutil.rmtree(place, ignore_errors=True)
        sweep_claims(self.path)


class _Unwritable(NotPermitted):
    """The folder of the store cannot be written to."""

    hint = "name another folder with --into"


class NotAFolder(NotPermitted):
    """There is something else in the place of a store."""

    hint = "name a folder, which need not exist, or an address of http or https"

    def __str__(self) -> str:
        return f"{self.args[0]} is not a folder with builds"


class _StoreFull(NotEnough):
    """A wheel that was built has no space in the store."""

    hint = "free space there, or name another folder with --into; the build has to be done again"


@with_fields
class _BuildUnreadable(SubjectProblem, NotPermitted):
    """A build of another user, which this one may not read."""

    place: str
    problem: str
    hint: str = "let all users of the folder read what the others write (umask 022), or own it"


def _unreadable(place: str, name: str, error: OSError) -> FragmentUnusable | _BuildUnreadable:
    kind = _BuildUnreadable if isinstance(error, PermissionError) else FragmentUnusable
    return kind(place, f"{name} cannot be read: {error.strerror}")


@contextmanager
def opened_store(place: str, access: Access) -> Iterator[WheelStore]:
    """Yield the store at ``place``, with the user's credentials for its server.

    Raises UsageError.
    """
    if access.offline and "://" in place:
        raise UsageError(
            f"the wheels are to be stored at {redacted(place)}, and --offline forbids requests",
            hint="name a folder with --into",
        )
    keychain = Keychain(environment=os.environ, keyring=access.keyring)
    with IndexClient(keychain=keychain) as client:
        yield open_store(place, client)


def open_store(place: str, client: IndexClient) -> WheelStore:
    """Return the store at ``place``, a folder or a URL. Raises UsageError for another scheme."""
    check_store(place)
    return ServedStore(place.rstrip("/"), client) if "://" in place else StoreFolder(place)


def check_store(place: str) -> None:
    """Raise UsageError if ``place`` is neither a folder nor a URL at which files can be stored."""
    scheme, mark, _ = place.partition("://")
    if not mark:
        return
    if scheme not in {"http", "https"}:
        raise UsageError(
            f"{redacted(place)} is neither a folder nor an address of http or https",
            hint="name a folder, or the address at which a server offers one",
        )
    if {"?", "#"} & set(place):
        raise UsageError(
            f"{redacted(place)} has a query or a fragment, to which no path can be added",
            hint="name the address of a folder; credentials belong in a netrc file",
        )


def find_relative(
    store: WheelStore, unit: BuildUnit, units: Iterable[BuildUnit]
) -> Fragment | None:
    """Return the finished build of ``unit``, or that of another of ``units`` with the same source
    and flags whose wheel suits the target of ``unit`` too; None if there is none.
    """
    if found := store.find(unit):
        return found
    for other in units:
        if other.family == unit.family and other.key != unit.key:
            found = store.find(other)
            if found and unit.is_served_by(found.wheel):
                return found
    return None


def find_all(
    stores: Iterable[WheelStore], units: Iterable[BuildUnit]
) -> dict[str, tuple[Fragment, WheelStore]]:
    """Return, by the key of their unit, the finished builds that the first store with them has."""
    found: dict[str, tuple[Fragment, WheelStore]] = {}
    for unit in units:
        for store in stores:
            if unit.key not in found and (fragment := store.find(unit)):
                found[unit.key] = fragment, store
    return found


def _flush(file: IO[bytes]) -> None:
    file.flush()
    sync_descriptor(file.fileno())
