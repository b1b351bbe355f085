"""The staged wheels of a transaction, each in a folder that is named for its contents.

A run that is killed leaves its complete wheels, and the next run uses them instead of fetching them
again. The name of the folder is a digest of everything that its contents depend on; its files are
compared with their RECORD, byte by byte, before they are used. That RECORD is the one of the wheel
with the lock's hash is known by its seal: a checkout or an archive that brings such a folder cannot
bring the seal, and the wheel is fetched again.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from io import TextIOWrapper

from executor.environment.schemes import Schemes, record_prefixes
from executor.files.file_digest import digest_of
from executor.files.held_folder import HeldFolder
from executor.files.seals import seal_of
from executor.lock.step import Step
from executor.wheels.rules import Rules
from executor.wheels.staged_wheel import DATA, TREE, StagedWheel
from schemas.digests import encode_digest
from schemas.wheel import SCHEME_NAMES

__all__ = ["COMPLETE", "Staging"]


_FORMAT = 5
"""Version of the format. Increase it when the contents of a staged wheel change, so that older ones
are not used."""


COMPLETE = "complete"
"""Name of the file that marks a wheel as complete."""


_MAX_FACTS = 16 << 20
"""Bytes of a mark that are read; it lists the warnings of a wheel."""


_NOT_OURS = (
    OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error,
)  # fmt: skip
"""What reading a mark raises that another program has written."""


_FACTS = tuple(field.name for field in fields(StagedWheel) if field.name != "folder")
"""Fields of a wheel that are written down: all but its folder."""


class Staging:
    """The folder of the staged wheels of one environment. A transaction owns it."""

    def __init__(self, folder: HeldFolder | None, schemes: Schemes, rules: Rules) -> None:
        """``folder`` is None as long as there is none, and so no staged wheel."""
        self._held = folder
        self._schemes = schemes
        context = [_FORMAT, asdict(schemes), {**asdict(rules), "startup": sorted(rules.startup)}]
        self._context = hashlib.sha256(json.dumps(context).encode())

    def name(self, step: Step) -> str:
        """Return the name of the folder for the wheel of a step."""
        facts = [step.filename, sorted(step.hashes), step.is_direct, step.url, step.path]
        digest = self._context.copy()
        digest.update(json.dumps(facts).encode())
        return digest.hexdigest()[:32]

    @property
    def folder(self) -> HeldFolder:
        """Return the open folder. Raises FileNotFoundError if there is none."""
        if self._held is None:
            raise FileNotFoundError
        return self._held

    def make(self, name: str) -> HeldFolder:
        """Make the folder of this name for a wheel, in the place of what is there, and open it.

        Raises OSError.
        """
        try:
            self.folder.make(name)
        except FileExistsError:
            self.folder.remove(name)
            self.folder.make(name)
        return self.folder.inner(name)

    def discard(self, step: Step) -> None:
        """Remove the folder for the wheel of a step, if there is one. Raises OSError."""
        if self._held is not None:
            self._held.remove(self.name(step))

    @staticmethod
    def keep(folder: HeldFolder, wheel: StagedWheel) -> None:
        """Mark the wheel that is staged in ``folder``, which ``make`` has made, as complete: all at
        once, so that a mark is never a part of one. Raises OSError.
        """
        facts = {name: getattr(wheel, name) for name in _FACTS}
        new = f"{COMPLETE}.new"
        folder.write(new, json.dumps(facts).encode())
        folder.rename(new, COMPLETE)

    def is_complete(self, name: str) -> bool:
        """Return whether the wheel in the folder of this name is complete, and a run of this
        program has completed it there.
        """
        if self._held is None or not self._held.exists(f"{name}/{COMPLETE}"):
            return False
        try:
            wheel = self.read(name)
            with self._held.inner(name) as folder:
                return bool(wheel.seal == _seal(folder, _record_of(wheel)))
        except _NOT_OURS:
            return False

    def complete_names(self) -> list[str]:
        """Return the names of the folders whose wheels are complete. Raises OSError."""
        return [name for name in sorted(self.folder.names()) if self.is_complete(name)]

    def find(self, step: Step) -> StagedWheel | None:
        """Return the wheel of a step if an earlier run has staged it, and it is whole; else
        None.
        """
        name = self.name(step)
        if not self.is_complete(name):
            return None
        try:
            wheel = self.read(name)
            with self.folder.inner(name) as folder:
                record = _digest(folder, _record_of(wheel))[0]
                is_whole = record == wheel.record and self._is_as_recorded(wheel, folder)
        except _NOT_OURS:
            return None
        return wheel if is_whole and wheel.filename == step.filename else None

    def read(self, name: str) -> StagedWheel:
        """Return the complete wheel in the folder of this name.

        Raises OSError, and ValueError, KeyError or TypeError if another program has written it.
        """
        facts = json.loads(self.folder.read(f"{name}/{COMPLETE}", _MAX_FACTS))
        for several in ("startup", "warnings"):
            facts[several] = tuple(facts[several])
        return StagedWheel(folder=self.folder.path_of(name), **facts)

    def _is_as_recorded(self, wheel: StagedWheel, folder: HeldFolder) -> bool:
        """Return whether the files that are staged in ``folder`` are those of RECORD, and no
        others.
        """
        listed = 0
        with TextIOWrapper(folder.open(_record_of(wheel)), "utf-8", newline="") as lines:
            for path, spelled, size in csv.reader(lines):
                listed += 1
                places = list(self._places(wheel, folder, path))
                if not places:
                    return False
                algorithm = spelled.partition("=")[0]
                if spelled and any(
                    _digest(folder, place, algorithm) != (spelled, int(size)) for place in places
                ):
                    return False
        found, waiting = 0, [name for name in (TREE, DATA) if folder.exists(name)]
        while waiting:
            # A link counts as a file, and is none that RECORD lists.
            place = waiting.pop()
            for name, is_folder in folder.entries(place):
                if is_folder:
                    waiting.append(f"{place}/{name}")
                else:
                    found += 1
        return listed == wheel.files == found

    def _places(self, wheel: StagedWheel, folder: HeldFolder, path: str) -> Iterator[str]:
        """Yield the names of the files in ``folder`` that are staged for a path of RECORD. Scripts
        may be in the data scheme too.
        """
        prefixes = record_prefixes(self._schemes, wheel.root, wheel.layout.distribution)
        for scheme in SCHEME_NAMES:
            if path.startswith(prefixes[scheme]):
                tops = [f"{DATA}/{scheme}"]
                if scheme == wheel.root:
                    tops.append(TREE)
                for top in tops:
                    place = f"{top}/{path.removeprefix(prefixes[scheme])}"
                    if folder.is_file(place):
                        yield place


def _record_of(wheel: StagedWheel) -> str:
    """Return the name of the RECORD of a wheel in its folder."""
    return f"{TREE}/{wheel.dist_info}/RECORD"


def _seal(folder: HeldFolder, name: str) -> str:
    """Return the seal of a file in ``folder``. Raises what ``seal_of`` raises."""
    with folder.parent(name) as (parent, last):
        return seal_of(last, dir_fd=parent)


def _digest(folder: HeldFolder, name: str, algorithm: str = "sha256") -> tuple[str, int]:
    """Return the digest of a file in ``folder``, as RECORD spells it, and its size in bytes."""
    with folder.open(name) as file:
        digest, size = digest_of(file, algorithm)
    return f"{algorithm}={encode_digest(digest)}", size
