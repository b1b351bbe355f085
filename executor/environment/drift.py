"""Drift: where an environment is not what its lock says, found file by file."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass

from executor.environment.errors import RecordUnreadable
from executor.environment.installed import (
    Installed,
    RecordedFile,
    installed_distributions,
    protected,
)
from executor.environment.schemes import Schemes
from executor.files.file_digest import digest_file
from executor.files.path_set import PathSet
from executor.lock.step import Step
from schemas.digests import encode_digest

__all__ = ["Drift", "find_drift"]


_NOBODYS = frozenset({"README.txt", "_virtualenv.py", "_virtualenv.pth"})
"""Files directly in site-packages that Python, virtualenv and uv put there without a RECORD."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference."""

    kind: str
    """``missing``, ``changed`` or ``extra``."""
    package: str
    """Normalized name; empty for a file that belongs to none."""
    path: str
    """Of the file, or of the dist-info folder; absolute, empty where there is none."""
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path or self.package}: {self.detail}"

    def to_json(self) -> dict[str, str]:
        """The difference as ``verify --json`` prints it; its keys are those of this class."""
        return asdict(self)


def find_drift(
    steps: Sequence[Step], schemes: Schemes, skipped: Collection[str] = ()
) -> Iterator[Drift]:
    """Compare an environment with what its lock selects, and each file with its RECORD.

    ``skipped`` names what the lock holds and leaves to others to install. Files are streamed;
    what is remembered of each is 8 bytes. Missing and changed things come first, by package, then
    what belongs to no package.
    """
    folders = list(dict.fromkeys((schemes.purelib, schemes.platlib)))
    installed = [found for folder in folders for found in installed_distributions(folder)]
    by_name: dict[str, list[Installed]] = {}
    for found in installed:
        by_name.setdefault(found.name, []).append(found)
    for step in sorted(steps, key=lambda step: step.name):
        yield from _changed(step, by_name.pop(step.name, []), installed)
    spared = protected(installed).union(skipped)
    for name, having in sorted(by_name.items()):
        if name not in spared:
            for found in having:
                yield Drift("extra", name, found.path, "the lock does not hold it")
    yield from _unowned_files(folders, installed)


def _changed(
    step: Step, having: Sequence[Installed], installed: Sequence[Installed]
) -> Iterator[Drift]:
    if not having:
        yield Drift("missing", step.name, "", f"{step.version} is not installed")
    elif len(having) > 1:
        for found in having:
            yield Drift("changed", step.name, found.path, "it is installed more than once")
    elif not having[0].has_version(step.version):
        detail = f"{having[0].version} is installed, the lock has {step.version}"
        yield Drift("changed", step.name, having[0].path, detail)
    elif not having[0].is_complete:
        yield Drift("missing", step.name, having[0].record, "the file does not exist")
    else:
        try:
            yield from _changed_files(having[0], installed)
        except RecordUnreadable as error:
            yield Drift("changed", step.name, error.path, error.problem)


def _changed_files(found: Installed, installed: Sequence[Installed]) -> Iterator[Drift]:
    for path, spelled, size in found.recorded():
        if not spelled and path.endswith(".pyc"):
            # Python makes it again where it is missing, and nothing says what it was.
            continue
        try:
            if not spelled:
                os.stat(path)
                continue
            algorithm, _, expected = spelled.partition("=")
            digest, actual_size = digest_file(path, algorithm)
            actual = encode_digest(digest)
        except FileNotFoundError:
            yield Drift("missing", found.name, path, "the file does not exist")
            continue
        except OSError as error:
            yield Drift("changed", found.name, path, os.strerror(error.errno or 0))
            continue
        except ValueError:
            yield Drift("changed", found.name, path, f"RECORD has no hash for it but {spelled!r}")
            continue
        if actual != expected and not _is_anothers(path, f"{algorithm}={actual}", found, installed):
            detail = f"{algorithm} differs"
            if size and size != str(actual_size):
                detail = f"it has {actual_size} bytes, RECORD says {size}"
            yield Drift("changed", found.name, path, detail)


def _is_anothers(path: str, digest: str, found: Installed, installed: Sequence[Installed]) -> bool:
    """Whether the contents are those of another owner, who came later (``--on-collision last``)."""
    return any(
        file.digest == digest and file.path == path
        for other in installed
        if other.path != found.path
        for file in _readable(other)
    )


def _readable(found: Installed) -> Iterator[RecordedFile]:
    """What it is known to own: a RECORD that is absent or damaged is told where it is verified."""
    with suppress(RecordUnreadable, FileNotFoundError, NotADirectoryError):
        yield from found.recorded()


def _unowned_files(folders: Sequence[str], installed: Sequence[Installed]) -> Iterator[Drift]:
    owned = PathSet(file.path for found in installed for file in _readable(found))
    egg_infos = tuple(found.path for found in installed if not found.is_complete)
    for folder in folders:
        for parent, names, files in os.walk(folder):
            # Python makes byte code as it runs; a dot folder is not importable.
            names[:] = sorted(
                name
                for name in names
                if name != "__pycache__" and not (parent == folder and name.startswith("."))
            )
            if parent.startswith(egg_infos) and egg_infos:
                continue
            for name in sorted(files):
                path = os.path.join(parent, name)
                if path not in owned and not (parent == folder and name in _NOBODYS):
                    yield Drift("extra", "", path, "no installed package owns it")
