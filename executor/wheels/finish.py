"""Turn the unpacked members of a wheel into an installation of it.

Source:
https://packaging.python.org/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from io import BufferedWriter

from executor.environment.schemes import Schemes, record_prefixes
from executor.files.held_folder import HeldFolder
from executor.files.seals import seal_of
from executor.wheels.dist_info import DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.layout import (
    Layout,
    MisplacedMember,
    beside_packages,
    check_data_path,
    check_root_name,
    installed_path,
    is_startup_file,
)
from executor.wheels.manifest import FileRecord, Manifest
from executor.wheels.record_check import hashed_files, recorded_files, verify_record
from executor.wheels.records import NEW_SUFFIX, RecordWriter, moved_row, record_row
from executor.wheels.scripts import (
    EntryPoint,
    InvalidEntryPoint,
    check_script_name,
    read_entry_points,
    shipped_head,
    windows_launcher,
    wrapper,
)
from executor.wheels.staged_wheel import DATA, StagedWheel
from schemas.digests import encode_digest
from schemas.wheel import Scheme

__all__ = ["finish"]


_INSTALLERS_OWN = ("INSTALLER", "REQUESTED", "direct_url.json")
"""Files of dist-info that describe an installation; those of a wheel are dropped."""


_BYTE_CODE = (".pyc", ".pyo")


_MAX_STARTUP = 1000
"""Files that Python obeys at every start. A wheel usually brings at most one; all are reported."""


_MAX_ROWS = 100
"""Rows that are written at once: 20 KiB."""


_BLOCK = 64 << 10
"""Bytes read at once of a script that is copied."""


def finish(
    layout: Layout,
    folder: HeldFolder,
    tree: HeldFolder,
    manifest: Manifest,
    schemes: Schemes,
    metadata: Mapping[str, bytes],
    *,
    lenient: bool = False,
    warnings: Iterable[str] = (),
) -> StagedWheel:
    """Finish the wheel that is unpacked in ``tree``, which is in ``folder``; ``manifest`` lists its
    members.

    Scripts and RECORD are written, and the files of ``metadata`` into dist-info, contents by name.
    If the manifest has no digests, those of the wheel's RECORD are used. With ``lenient`` a wrong
    RECORD is a warning, after ``warnings`` of what was let pass before. Raises WheelRefused and
    OSError.
    """
    info = DistInfo.find(layout, tree)
    wheel = info.read("WHEEL")
    root: Scheme = "purelib" if info.root_is_purelib(wheel) else "platlib"
    info.check_identity()
    told = [*warnings, *info.warnings(wheel)]
    files = _checked_files(info, manifest, told, lenient=lenient)
    finishing = _write_installation(info, files, schemes, root, metadata)
    if finishing.byte_code:
        told.append(
            f"{finishing.byte_code} compiled files below __pycache__ are left out: "
            "Python would run them unread, in the place of the sources"
        )
    return _moved_apart(info, folder, finishing, tuple(told))


def _checked_files(
    info: DistInfo, manifest: Manifest, warnings: list[str], *, lenient: bool
) -> Iterable[FileRecord]:
    """Return the files of the wheel with the rows to record, once its RECORD is checked.

    With ``lenient`` a wrong RECORD is added to ``warnings``. Raises WheelRefused.
    """
    try:
        verify_record(info, manifest)
        return manifest.records() if manifest.is_hashed else recorded_files(info)
    except WheelRefused as error:
        error.is_waivable = info.tree.is_file(info.member("RECORD"))
        if not (lenient and error.is_waivable):
            raise
        warnings.append(f"{error.member}: {error.rule}")
        return manifest.records() if manifest.is_hashed else hashed_files(info, manifest)


def _write_installation(
    info: DistInfo,
    files: Iterable[FileRecord],
    schemes: Schemes,
    root: Scheme,
    metadata: Mapping[str, bytes],
) -> _Finish:
    """Write scripts, metadata and the new RECORD. Raises WheelRefused if a member is in the way."""
    try:
        with RecordWriter(info.tree, info.member("RECORD")) as record:
            finishing = _Finish(info, schemes, root, record)
            finishing.write(files, metadata)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        # Only the wheel has put anything there.
        member = os.path.relpath(error.filename, info.tree.path)
        raise info.refused("it is in the way of what an installer writes", member) from None
    return finishing


def _moved_apart(
    info: DistInfo, folder: HeldFolder, finishing: _Finish, warnings: tuple[str, ...]
) -> StagedWheel:
    """Move the data folder out of the tree of the root scheme, and return the staged wheel."""
    record = finishing.record
    has_data = (info.has_data or finishing.has_wrappers) and info.tree.is_folder(info.data)
    if has_data:
        info.tree.rename(info.data, DATA, folder)
    with info.tree.parent(info.member("RECORD")) as (dist_info, name):
        seal = seal_of(name, dir_fd=dist_info)
    return StagedWheel(
        info.layout.filename, folder.path, info.folder, finishing.root,
        record.files, record.bytes, tuple(finishing.startup), warnings, has_data,
        record.digest, seal,
    )  # fmt: skip


class _Finish:
    """The files of one wheel while they are finished and listed in its new RECORD."""

    def __init__(
        self, info: DistInfo, schemes: Schemes, root: Scheme, record: RecordWriter
    ) -> None:
        self._info = info
        self._executable = schemes.script_python or schemes.executable
        self._launcher = schemes.launcher
        self.root: Scheme = root
        self.record = record
        self._prefixes = record_prefixes(schemes, root, info.layout.distribution)
        self._schemes = schemes
        self._tops = beside_packages(schemes)
        self.startup: list[str] = []
        """Names of files that Python obeys at every start, all of them."""
        self.byte_code = 0
        """Number of compiled files that were left out."""
        self.has_wrappers = False
        """Whether scripts were written that the wheel does not hold."""

    def write(self, files: Iterable[FileRecord], metadata: Mapping[str, bytes]) -> None:
        """Finish and record every file, then write and record what the installer adds."""
        entry_points = self._entry_points()
        # An entry point replaces a script of the same name that the wheel ships.
        skipped = {self._script(entry_point) for entry_point in entry_points}
        record = self._info.member("RECORD")
        skipped.add(record)
        # Only the installer describes the installation.
        own = {self._info.member(name) for name in _INSTALLERS_OWN}
        for file in self._not_only_listed(files, {record, *own}):
            name = file[0]
            if name in own:
                self._info.tree.unlink(name)
            elif name.endswith(_BYTE_CODE) and "__pycache__/" in name:
                self._drop_byte_code(name)
            elif name not in skipped:
                self._finish_member(file)
        for entry_point in entry_points:
            self._write_wrapper(entry_point)
        for name, content in metadata.items():
            self._write(self._info.member(name), content)

    def _not_only_listed(
        self, files: Iterable[FileRecord], apart: Collection[str]
    ) -> Iterator[FileRecord]:
        """Yield the files that may have to be changed or checked, those of dist-info that are set
        ``apart`` among them; record the others, which are most of them, as they are.
        """
        prefix, cut = self._prefix_of_listed(""), 0
        rows: list[bytes] = []
        total = 0
        for file in files:
            name, record, size = file
            if len(rows) == _MAX_ROWS:
                self.record.add_rows(rows, total)
                rows.clear()
                total = 0
            # Files of one folder follow each other, so each folder is looked at once.
            if name[:cut] != prefix or "/" in name[cut:]:
                prefix = self._prefix_of_listed(name)
                cut = len(prefix or "")
            if prefix is None or name in apart:
                yield file
            else:
                rows.append(record)
                total += size
        self.record.add_rows(rows, total)

    def _prefix_of_listed(self, name: str) -> str | None:
        """Return the folder of the file ``name``, with a slash, if the files in it are installed
        as they are in the place where they are. None if they may have to be changed or checked.
        """
        folder, slash, _ = name.rpartition("/")
        top = folder.partition("/")[0]
        if not folder or top.endswith(".data"):
            return None
        if "__pycache__" in folder or top.lower() in self._tops:
            return None
        return folder + slash

    def _entry_points(self) -> list[EntryPoint]:
        """Return the entry points of the wheel; the last of each name counts."""
        text = self._info.read("entry_points.txt")
        if text is None:
            return []
        try:
            return list({entry.name: entry for entry in read_entry_points(text)}.values())
        except InvalidEntryPoint as error:
            member = self._info.member("entry_points.txt")
            raise self._info.refused(str(error), member) from None

    def _script(self, entry_point: EntryPoint) -> str:
        """Return the member name of a shipped script with the name of ``entry_point``."""
        return f"{self._info.data}/scripts/{entry_point.name}"

    def _finish_member(self, file: FileRecord) -> None:
        """Check the place of one file, finish it if it is a script, and record it."""
        name, record, size = file
        scheme, below = installed_path(name, self.root)
        changed: tuple[str, int] | None = None
        try:
            if scheme == "scripts":
                check_script_name(below)
                changed = self._finish_script(name)
            elif scheme == "data":
                self._note_startup(check_data_path(below, self._schemes))
            else:
                check_root_name(below)
                if scheme in ("purelib", "platlib"):
                    self._check_beside(below)
                    self._note_startup(below)
        except (InvalidEntryPoint, MisplacedMember) as error:
            raise self._info.refused(str(error), name) from None
        if below is name:
            self.record.add_row(record, size)
        else:
            path = self._prefixes[scheme] + below
            if changed is None:
                self.record.add_row(moved_row(record.decode(), path).encode(), size)
            else:
                self.record.add_row(record_row(path, *changed).encode(), changed[1])

    def _check_beside(self, below: str) -> None:
        """Check a file of packages that lie directly in the data folder, as with ``--target``:
        there it could be a part of another scheme. Raises MisplacedMember and InvalidEntryPoint.
        """
        if self._tops and below.partition("/")[0].lower() in self._tops:
            check_data_path(below, self._schemes)

    def _note_startup(self, below: str | None) -> None:
        """Note a file for the report if Python obeys it at every start. Raises MisplacedMember."""
        if below is not None and is_startup_file(below):
            if len(self.startup) == _MAX_STARTUP:
                raise MisplacedMember(f"it is one of more than {_MAX_STARTUP} files like it")
            self.startup.append(below)

    def _drop_byte_code(self, name: str) -> None:
        """Remove a compiled file, and its folder if that is empty then."""
        self.byte_code += 1
        self._info.tree.unlink(name)
        with suppress(OSError):
            self._info.tree.rmdir(name.rpartition("/")[0])

    def _finish_script(self, member: str) -> tuple[str, int] | None:
        """Make a shipped script executable, by the environment's interpreter if it wants that.

        Return its new digest, as RECORD spells it, and its new size in bytes; None if its contents
        stay as they are.
        """
        tree = self._info.tree
        changed: tuple[str, int] | None = None
        with tree.open(member) as file:
            block, second = file.readline(_BLOCK), file.readline(_BLOCK)
            if head := shipped_head(self._executable, block, second):
                digest, size, block = hashlib.sha256(), 0, head + second
                with BufferedWriter(tree.create(member + NEW_SUFFIX)) as new:
                    while block:
                        digest.update(block)
                        size += new.write(block)
                        block = file.read(_BLOCK)
                tree.rename(member + NEW_SUFFIX, member)
                changed = encode_digest(digest.digest()), size
        tree.make_executable(member)
        return changed

    def _write_wrapper(self, entry_point: EntryPoint) -> None:
        """Write the script or launcher of an entry point, and record it."""
        member, self.has_wrappers = self._script(entry_point), True
        for folder in (self._info.data, os.path.dirname(member)):
            with suppress(FileExistsError):
                self._info.tree.make(folder)
        if self._launcher is None:
            self._write(member, wrapper(entry_point, self._executable))
            self._info.tree.make_executable(member)
        else:
            name, content = windows_launcher(entry_point, self._executable, self._launcher)
            self._write(f"{os.path.dirname(member)}/{name}", content)

    def _write(self, member: str, content: bytes) -> None:
        """Write and record a file that the wheel does not hold."""
        tree = self._info.tree
        try:
            tree.write(member, content)
        except FileExistsError:
            tree.unlink(member)
            tree.write(member, content)
        scheme, below = installed_path(member, self.root)
        path = self._prefixes[scheme] + below
        self.record.add(path, hashlib.sha256(content).digest(), len(content))
