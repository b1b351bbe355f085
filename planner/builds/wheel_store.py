"""A place where machines leave the wheels that they built, and find those of others.

It is a folder, such as a shared one, or the address of one that a server offers for reading. Each
build has a folder of its own in it, named for its key, which appears as a whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Protocol

from executor import digest_file, read_regular, sync_folder
from planner.builds.fragment import FRAGMENT_NAME, MAX_FRAGMENT_SIZE, Fragment, FragmentUnusable
from planner.builds.unit import BuildUnit
from planner.index.client import IndexClient
from planner.index.errors import FileMissing
from schemas.errors import NotPermitted, UsageError

__all__ = ["ServedStore", "StoreFolder", "WheelStore", "find_all", "open_store"]


_UNFINISHED = ".unfinished-"

_LEFT_SECONDS = 3600.0
"""Age of an unfinished folder from which its writer counts as dead: writing one takes seconds."""


class WheelStore(Protocol):
    """A place with finished builds."""

    def find(self, unit: BuildUnit) -> Fragment | None:
        """Return the finished build of ``unit``; None if there is none.

        Raises FragmentUnusable if what is there is not what its build would have written.
        """

    def fetch(self, fragment: Fragment, path: str) -> None:
        """Copy the wheel of ``fragment`` to ``path``. Raises FragmentUnusable if it differs."""


@dataclass(frozen=True, slots=True)
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
            raise FragmentUnusable(place, f"it cannot be read: {error.strerror}") from None
        fragment = Fragment.parse(content, unit, place)
        self._check(fragment)
        return fragment

    def fetch(self, fragment: Fragment, path: str) -> None:
        """As ``WheelStore`` has it."""
        shutil.copyfile(os.path.join(self.path, fragment.key, fragment.wheel), path)

    def publish(self, fragment: Fragment, wheel: str) -> bool:
        """Add a finished build with the wheel at the path ``wheel``; return False if another
        machine was quicker, whose wheel then counts.

        Raises NotPermitted if the folder cannot be written to, and OSError if it is full.
        """
        self._make()
        self._sweep()
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
            try:
                os.rename(unfinished, os.path.join(self.path, fragment.key))
            except OSError:
                if os.path.isdir(os.path.join(self.path, fragment.key)):
                    return False
                raise
            sync_folder(self.path)
            return True
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _check(self, fragment: Fragment) -> None:
        path = os.path.join(self.path, fragment.key, fragment.wheel)
        try:
            found = digest_file(path).hex()
        except OSError as error:
            raise FragmentUnusable(path, f"it cannot be read: {error.strerror}") from None
        if found != fragment.sha256:
            raise FragmentUnusable(path, f"its sha256 is {found}, and {fragment.sha256} expected")

    def _make(self) -> None:
        try:
            os.makedirs(self.path, exist_ok=True)
        except OSError as error:
            raise _Unwritable(f"{self.path} cannot be made: {error.strerror}") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise _Unwritable(f"{self.path} cannot be written to")

    def _sweep(self) -> None:
        """Remove what killed writers left."""
        for name in os.listdir(self.path):
            place = os.path.join(self.path, name)
            with suppress(OSError):
                is_old = time.time() - os.lstat(place).st_mtime > _LEFT_SECONDS
                if name.startswith(_UNFINISHED) and is_old:
                    shutil.rmtree(place, ignore_errors=True)


class _Unwritable(NotPermitted):
    """The folder of the store cannot be written to."""

    hint = "name another folder with --into"


@dataclass(frozen=True, slots=True)
class ServedStore:
    """A folder with finished builds that a server offers for reading."""

    url: str
    """Its address, without a trailing slash."""
    client: IndexClient

    def find(self, unit: BuildUnit) -> Fragment | None:
        """As ``WheelStore`` has it; the wheel is compared when it is fetched."""
        place = f"{self.url}/{unit.key}/{FRAGMENT_NAME}"
        try:
            with self.client.download(place, limit=MAX_FRAGMENT_SIZE) as body:
                body.seek(0)
                return Fragment.parse(body.read(), unit, place)
        except FileMissing:
            return None

    def fetch(self, fragment: Fragment, path: str) -> None:
        """As ``WheelStore`` has it."""
        place = f"{self.url}/{fragment.key}/{fragment.wheel}"
        with self.client.download(place, limit=fragment.size) as body, open(path, "wb") as copy:
            body.seek(0)
            shutil.copyfileobj(body, copy)
        if (found := digest_file(path).hex()) != fragment.sha256:
            os.unlink(path)
            raise FragmentUnusable(place, f"its sha256 is {found}, and {fragment.sha256} expected")


def open_store(place: str, client: IndexClient) -> WheelStore:
    """Return the store at ``place``, a folder or a URL. Raises UsageError for another scheme."""
    scheme, mark, _ = place.partition("://")
    if not mark:
        return StoreFolder(place)
    if scheme not in {"http", "https"}:
        raise UsageError(
            f"{place} is neither a folder nor an address of http or https",
            hint="name a folder, or the address at which a server offers one",
        )
    return ServedStore(place.rstrip("/"), client)


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
    os.fsync(file.fileno())
