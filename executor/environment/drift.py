"""Find the differences between an environment and its lock, file by file."""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain

from executor.environment.changes import is_from
from executor.environment.errors import RecordUnreadable
from executor.environment.installed import (
    Installed,
    RecordedFile,
    installed_in,
    protected,
)
from executor.environment.places import Places, is_below
from executor.environment.schemes import Schemes
from executor.files.file_digest import digest_file
from executor.files.mounts import mount_points
from executor.files.path_set import PathSet
from executor.files.regular import NOT_REGULAR, read_input
from executor.lock.step import Step
from schemas.data_class import frozen
from schemas.digests import encode_digest

__all__ = ["Drift", "find_drift"]


_WITHOUT_RECORD = frozenset({"README.txt", "_virtualenv.py", "_virtualenv.pth"})
"""Files directly in site-packages that Python, virtualenv and uv put there without a RECORD."""


_NO_FILE = NOT_REGULAR | {errno.ENOTDIR}
"""The errors of a path that leads to no regular file. A folder on the way may be a file."""


_CUSTOMIZE = re.compile(r"(?:site|user)customize\.")
"""Modules that Python imports at every start."""


_OF_SETUPTOOLS = re.compile(
    r"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; "
    r"enabled = os\.environ\.get\(var, '\w{1,10}'\) == 'local'; "
    r"enabled and __import__\('_distutils_hack'\)(?:\.add_shim\(\))?;? *"
)
"""The line of distutils-precedence.pth."""


_NO_HASH = "RECORD has no hash for it"


_MARKS = (".dist-info/INSTALLER", ".virtualenv")
"""What virtualenv lists of its seeds without a hash: the name of the installer, and a mark."""


_WEAK = frozenset({"md5", "sha1"})
"""Algorithms for which two contents with one digest can be made."""


@frozen
class Drift:
    """One difference between an environment and its lock."""

    kind: str
    """``missing``, ``changed`` or ``extra``."""
    package: str
    """Normalized name; empty for a file that no package owns."""
    path: str
    """Absolute path of the file or of the dist-info folder; empty if neither exists."""
    detail: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.path or self.package}: {self.detail}"

    def to_json(self) -> dict[str, str]:
        """Return the difference as ``verify --json`` prints it; its keys are those of the class."""
        return asdict(self)


def find_drift(
    steps: Sequence[Step], schemes: Schemes, skipped: Collection[str] = ()
) -> Iterator[Drift]:
    """Yield the differences between an environment and ``steps``, and between each file and its
    RECORD.

    ``skipped`` are the names of packages in the lock that other tools install. Files are streamed,
    and 8 bytes are remembered of each. What is missing or changed comes first, by package, then
    files that no package owns.
    """
    folders = schemes.packages
    installed = list(installed_in(folders))
    by_name: dict[str, list[Installed]] = {}
    for found in installed:
        by_name.setdefault(found.name, []).append(found)
    shared = _SharedContents(installed)
    for step in sorted(steps, key=lambda step: step.name):
        yield from _changed(step, by_name.pop(step.name, []), shared)
    spared = protected(chain.from_iterable(by_name.values()), with_own=_are_our_own(folders))
    for name, present in sorted(by_name.items()):
        for found in present if name not in skipped else ():
            if name in spared:
                yield from _spared(found, folders, shared)
            else:
                yield Drift(
                    "extra", name, found.path, "the lock does not hold it, or it is not selected"
                )
    yield from _unowned_files(folders, installed)


def _changed(step: Step, present: Sequence[Installed], shared: _SharedContents) -> Iterator[Drift]:
    if not present:
        yield Drift("missing", step.name, "", f"{step.version} is not installed")
    elif len(present) > 1:
        for found in present:
            yield Drift("changed", step.name, found.path, "it is installed more than once")
    elif not present[0].has_version(step.version):
        version = present[0].version or "an unknown version"
        detail = f"{version} is installed, the lock has {step.version}"
        yield Drift("changed", step.name, present[0].path, detail)
    elif not present[0].is_complete:
        yield Drift("missing", step.name, present[0].record, "it does not exist, or is empty")
    else:
        if _is_from_elsewhere(present[0], step):
            path = os.path.join(present[0].path, "direct_url.json")
            detail = "it was installed from another address, commit or archive than the lock has"
            yield Drift("changed", step.name, path, detail)
        try:
            yield from _changed_files(present[0], shared)
        except RecordUnreadable as error:
            yield Drift("changed", step.name, error.path, error.problem)


def _is_from_elsewhere(found: Installed, step: Step) -> bool:
    """Return whether a distribution of the right version is known to be another than the lock's."""
    commit = step.source.commit if step.source else ""
    if step.source and step.source.folder and not commit:
        return False
    archive = (found.direct_url() or {}).get("archive_info")
    if isinstance(archive, dict) and not commit:
        # uv states no hash of a wheel in a folder.
        hashes = archive.get("hashes")
        known = hashes if isinstance(hashes, dict) else {}
        same = [known[name] == one for name, one in step.hashes if name in known]
        return bool(same) and not any(same)
    return not is_from(found, step)


def _are_our_own(folders: Sequence[str]) -> bool:
    """Return whether this program imports from one of the folders. If not, a distribution there
    that has its name answers for nothing.
    """
    imported = set(map(os.path.realpath, sys.path))
    return any(os.path.realpath(folder) in imported for folder in folders)


def _spared(found: Installed, folders: Sequence[str], shared: _SharedContents) -> Iterator[Drift]:
    """Yield what is wrong with a distribution that an environment may have besides its lock: a
    changed file among the packages, and code that runs at every start.
    """
    if not found.is_complete:
        return
    try:
        # Tools that move environments change the commands of an installer.
        for drift in _changed_files(found, shared):
            is_mark = drift.detail == _NO_HASH and drift.path.endswith(_MARKS)
            if is_below(drift.path, folders) and not is_mark:
                yield drift
        for file in found.recorded():
            if os.path.dirname(file.path) in folders and _runs_code(file.path):
                detail = "it runs at every start, and the lock does not hold its package"
                yield Drift("extra", found.name, file.path, detail)
    except RecordUnreadable as error:
        yield Drift("changed", found.name, error.path, error.problem)


def _runs_code(path: str) -> bool:
    """Return whether a file among the packages runs code whenever Python starts; that of setuptools
    is known (https://docs.python.org/3/library/site.html).
    """
    name = os.path.basename(path)
    if name.endswith(".start") or _CUSTOMIZE.match(name):
        return True
    if not name.endswith(".pth"):
        return False
    try:
        lines = read_input(path).decode(errors="replace").splitlines()
    except OSError:
        return False  # that is a difference of its own
    code = [line for line in lines if line.startswith(("import ", "import\t"))]
    return bool(code) and not (len(code) == 1 and _OF_SETUPTOOLS.fullmatch(code[0]))


def _changed_files(found: Installed, shared: _SharedContents) -> Iterator[Drift]:
    for path, spelled, size in found.recorded():
        if not spelled and _is_of_python(path):
            continue
        try:
            if not spelled:
                os.stat(path)
                if not _is_record(path):
                    yield Drift("changed", found.name, path, _NO_HASH)
                continue
            algorithm, _, expected = spelled.partition("=")
            if algorithm in _WEAK:
                detail = f"RECORD has only {algorithm} for it, which others can imitate"
                yield Drift("changed", found.name, path, detail)
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
        if actual != expected and not shared.has(path, f"{algorithm}={actual}", found):
            detail = f"{algorithm} differs"
            if size and size != str(actual_size):
                detail = f"it has {actual_size} bytes, RECORD says {size}"
            yield Drift("changed", found.name, path, detail)


def _is_of_python(path: str) -> bool:
    """Return whether a row without a hash is about byte code that Python makes again. virtualenv
    lists the folders of it too, and byte code outside of them, which was never made.
    """
    if path.endswith((".pyc", "/__pycache__")) and "/__pycache__" in path:
        return True
    return path.endswith(".pyc") and not os.path.lexists(path)


def _is_record(path: str) -> bool:
    """Return whether the path is that of a RECORD or of its signatures, which have no hash."""
    folder, name = os.path.split(path)
    return name in {"RECORD", "RECORD.jws", "RECORD.p7s"} and folder.endswith(".dist-info")


class _SharedContents:
    """The contents that the distributions of an environment have for each place, read from all
    RECORDs once, when the first one is wanted.
    """

    def __init__(self, installed: Sequence[Installed]) -> None:
        self._installed = installed
        self._known: PathSet | None = None
        self._own = PathSet()
        self._asked_for = ""

    def has(self, path: str, digest: str, found: Installed) -> bool:
        """Return whether the contents at ``path`` are those of another owner than ``found``, which
        was installed later (``--on-collision last``).
        """
        if self._known is None:
            self._known = PathSet(self._rows(self._installed))
        if self._asked_for != found.path:
            self._asked_for, self._own = found.path, PathSet(self._rows([found]))
        row = f"{Places().key(path)}\0{digest}"
        return row in self._known and row not in self._own

    @staticmethod
    def _rows(installed: Iterable[Installed]) -> Iterator[str]:
        key = Places().key
        for one in installed:
            for file in _readable(one):
                yield f"{key(file.path)}\0{file.digest}"


def _readable(found: Installed) -> Iterator[RecordedFile]:
    """Yield the rows of its RECORD, as far as they can be read. ``_changed`` reports one that is
    absent or damaged.
    """
    try:
        yield from found.recorded()
    except RecordUnreadable:
        return
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise


def _unowned_files(folders: Sequence[str], installed: Sequence[Installed]) -> Iterator[Drift]:
    places = Places()
    owned = PathSet(places.key(file.path) for found in installed for file in _readable(found))
    egg_infos = [found.path for found in installed if not found.is_complete]
    real = [os.path.realpath(folder) for folder in folders]
    mounted = {places.key(point) for point in mount_points() if is_below(point, real)}
    for folder in folders:
        for parent, names, files in os.walk(folder):
            # Python makes byte code as it runs; a dot folder is not importable; what is in a volume
            # that is mounted there is not a part of the environment.
            names[:] = sorted(
                name
                for name in names
                if name != "__pycache__"
                and not (parent == folder and name.startswith("."))
                and not (mounted and places.key(os.path.join(parent, name)) in mounted)
            )
            if parent in egg_infos or is_below(parent, egg_infos):
                continue
            for name in sorted(files):
                path = os.path.join(parent, name)
                if places.key(path) not in owned and not (
                    parent == folder and name in _WITHOUT_RECORD
                ):
                    yield Drift("extra", "", path, "no installed package owns it")
