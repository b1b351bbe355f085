"""Finish: turn the unpacked members of a wheel into what an installation of it is.

Source:
https://packaging.python.org/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress

from executor.environment.schemes import Schemes, record_prefixes
from executor.wheels.dist_info import DistInfo
from executor.wheels.errors import WheelRefused
from executor.wheels.layout import Layout, MisplacedMember, check_data_path, installed_path
from executor.wheels.manifest import Manifest, ManifestRow
from executor.wheels.record_check import hashed_files, promised_files, verify_record
from executor.wheels.records import NEW_SUFFIX, RecordWriter, encode_digest, record_row
from executor.wheels.scripts import (
    SHIPPED_MARK,
    EntryPoint,
    InvalidEntryPoint,
    check_script_name,
    make_executable,
    read_entry_points,
    shebang,
    windows_launcher,
    wrapper,
)
from executor.wheels.staged_wheel import StagedWheel
from schemas.wheel import Scheme

__all__ = ["finish"]


_INSTALLERS_OWN = ("INSTALLER", "REQUESTED", "direct_url.json")


_BYTE_CODE = (".pyc", ".pyo")


_MAX_STARTUP = 20
"""Names of ``.pth`` files that are told; wheels bring one."""


_BLOCK = 64 << 10
"""Bytes read at once of a script that is copied."""


def finish(
    layout: Layout,
    tree: str,
    ledger: Manifest,
    schemes: Schemes,
    metadata: Mapping[str, bytes],
    *,
    lenient: bool = False,
) -> StagedWheel:
    """Check the metadata of the wheel unpacked in ``tree`` and write what an installer writes:
    scripts, RECORD, and into dist-info the files of ``metadata``, by name.

    Where the ledger has no digests, those of the wheel's RECORD are taken over. With ``lenient`` a
    wrong RECORD is a warning. Raises WheelRefused and OSError.
    """
    info = DistInfo.find(layout, tree)
    root: Scheme = "purelib" if info.root_is_purelib() else "platlib"
    info.check_identity()
    warnings = list(info.warnings())
    own_row = info.member("RECORD")
    try:
        verify_record(info, ledger)
        files = ledger.files() if ledger.is_hashed else promised_files(info)
    except WheelRefused as error:
        if not (lenient and os.path.isfile(info.path(own_row))):
            raise
        warnings.append(f"{error.member}: {error.rule}")
        files = ledger.files() if ledger.is_hashed else hashed_files(info, ledger)
    try:
        with RecordWriter(info.path(own_row), own_row) as record:
            finishing = _Finish(info, schemes, root, record)
            finishing.write(files, metadata)
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        # Nobody but the wheel has put anything there.
        member = os.path.relpath(error.filename, tree)
        raise info.refused("it is in the way of what an installer writes", member) from None
    if finishing.byte_code:
        warnings.append(
            f"{finishing.byte_code} compiled files below __pycache__ are left out: "
            "Python would run them unread, in the place of the sources"
        )
    wheel = StagedWheel(
        layout.filename, os.path.dirname(tree), info.folder, root, record.files, record.bytes,
        tuple(finishing.startup), tuple(warnings),
    )  # fmt: skip
    with suppress(FileNotFoundError):
        os.rename(info.path(info.data), wheel.data)
    return wheel


class _Finish:
    def __init__(
        self, info: DistInfo, schemes: Schemes, root: Scheme, record: RecordWriter
    ) -> None:
        self._info = info
        self._executable = schemes.executable
        self._launcher = schemes.launcher
        self._root: Scheme = root
        self._record = record
        self._prefixes = record_prefixes(schemes, root, info.layout.distribution)
        self._schemes = schemes
        self.startup: list[str] = []
        self.byte_code = 0

    def write(self, files: Iterable[ManifestRow], metadata: Mapping[str, bytes]) -> None:
        """Finish and record every file, then what the wheel does not hold itself."""
        entry_points = self._entry_points()
        # Where a wheel ships a script of the same name, the entry point is the one that counts.
        skipped = {self._script(entry_point) for entry_point in entry_points}
        skipped.add(self._info.member("RECORD"))
        # What an installer says of an installation is not the wheel's to say.
        own = {self._info.member(name) for name in _INSTALLERS_OWN}
        for row in files:
            if row.name in own:
                os.unlink(self._info.path(row.name))
            elif row.name.endswith(_BYTE_CODE) and "__pycache__/" in row.name:
                self._drop_byte_code(row.name)
            elif row.name not in skipped:
                self._finish_member(row)
        for entry_point in entry_points:
            self._write_wrapper(entry_point)
        for name, content in metadata.items():
            self._write(self._info.member(name), content)

    def _entry_points(self) -> list[EntryPoint]:
        text = self._info.read("entry_points.txt")
        if text is None:
            return []
        try:
            return list({entry.name: entry for entry in read_entry_points(text)}.values())
        except InvalidEntryPoint as error:
            member = self._info.member("entry_points.txt")
            raise self._info.refused(str(error), member) from None

    def _script(self, entry_point: EntryPoint) -> str:
        """The member name that a script of the wheel would have."""
        return f"{self._info.data}/scripts/{entry_point.name}"

    def _finish_member(self, row: ManifestRow) -> None:
        scheme, below = installed_path(row.name, self._root)
        changed: tuple[str, int] | None = None
        try:
            if scheme == "scripts":
                check_script_name(below)
                changed = self._finish_script(row)
            elif scheme == "data":
                check_data_path(below, self._schemes)
            elif below.endswith(".pth") and "/" not in below and len(self.startup) < _MAX_STARTUP:
                self.startup.append(below)
        except (InvalidEntryPoint, MisplacedMember) as error:
            raise self._info.refused(str(error), row.name) from None
        if below is row.name:
            self._record.add_row(row.record, row.size)
        else:
            path = self._prefixes[scheme] + below
            if changed is None:
                self._record.add_row(row.at(path), row.size)
            else:
                self._record.add_row(record_row(path, *changed), changed[1])

    def _drop_byte_code(self, name: str) -> None:
        self.byte_code += 1
        path = self._info.path(name)
        os.unlink(path)
        with suppress(OSError):
            os.rmdir(os.path.dirname(path))

    def _finish_script(self, row: ManifestRow) -> tuple[str, int] | None:
        """Give a shipped script the interpreter it asks for, and let it be executed; its SHA-256
        and its size where it becomes another.
        """
        path = self._info.path(row.name)
        changed: tuple[str, int] | None = None
        with open(path, "rb") as file:
            if file.readline(_BLOCK).startswith(SHIPPED_MARK):
                line = shebang(self._executable)
                digest, size = hashlib.sha256(line), len(line)
                with open(path + NEW_SUFFIX, "xb") as new:
                    new.write(line)
                    while block := file.read(_BLOCK):
                        digest.update(block)
                        size += new.write(block)
                os.replace(path + NEW_SUFFIX, path)
                changed = encode_digest(digest.digest()), size
        make_executable(path)
        return changed

    def _write_wrapper(self, entry_point: EntryPoint) -> None:
        member = self._script(entry_point)
        os.makedirs(os.path.dirname(self._info.path(member)), exist_ok=True)
        if self._launcher is None:
            self._write(member, wrapper(entry_point, self._executable))
            make_executable(self._info.path(member))
        else:
            name, content = windows_launcher(entry_point, self._executable, self._launcher)
            self._write(f"{os.path.dirname(member)}/{name}", content)

    def _write(self, member: str, content: bytes) -> None:
        with open(self._info.path(member), "wb") as file:
            file.write(content)
        scheme, below = installed_path(member, self._root)
        path = self._prefixes[scheme] + below
        self._record.add(path, hashlib.sha256(content).digest(), len(content))
