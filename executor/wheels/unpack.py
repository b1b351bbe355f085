"""Unpack one wheel, from the chunks of its archive to files that are ready to be moved into place.

One pass: hash, unzip, inflate, write. The central directory comes last and must agree with what was
read before; the modes of the files are known only then.
"""

from __future__ import annotations

import hashlib
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing

from executor.archive.chunk_reader import Truncated
from executor.archive.errors import DecoderMissing, WindowTooLarge
from executor.archive.expansion_limit import ExpansionLimit
from executor.archive.inflate import NotStreamable
from executor.archive.unzip import ForwardZip, Member
from executor.budget.budget import History
from executor.environment.schemes import STAGING, Schemes
from executor.files.destination import Destination, NameTaken, PathTaken
from executor.files.held_folder import HeldFolder
from executor.files.writer import FileWriter
from executor.wheels.errors import NamesUnited, WheelRefused
from executor.wheels.finish import finish
from executor.wheels.layout import Layout, MisplacedMember, check_startup, is_data_folder
from executor.wheels.manifest import Manifest, ManifestRow
from executor.wheels.member_names import MemberNames, NameCollision
from executor.wheels.plain_entries import PlainEntries
from executor.wheels.plain_members import PlainMembers
from executor.wheels.records import record_row
from executor.wheels.rules import STRICT, Rules
from executor.wheels.staged_wheel import TREE, StagedWheel
from schemas.data_class import frozen
from schemas.digests import encode_digest
from schemas.wheel import (
    MAX_NAME_SIZE,
    PLAIN_FOLDER,
    InvalidMemberName,
    check_last_segment,
    check_member_name,
)
from schemas.wheel_filename import is_for_linux, normalized_name
from schemas.zipformat import CentralEntry, InvalidZip

__all__ = ["StageOptions", "stage_wheel"]


_MAX_DRAINED = 64 << 20
"""Bytes of a refused wheel that are still read if its size is not known: it may have no end."""


_NOTHING = hashlib.sha256().digest()


_MAX_WARNINGS = 5
"""Members that break a rule and are named, if the user is lenient."""


@frozen(kw_only=True)
class StageOptions:
    """How one wheel is staged."""

    schemes: Schemes
    metadata: Mapping[str, bytes]
    """Files to add to its dist-info folder, contents by file name."""
    size: int | None = None
    """Size of the wheel in bytes, if the lock records it."""
    directory: Iterable[CentralEntry] | None = None
    """Its central directory, if that was read before the members."""
    history: History | None = None
    """What the lane may hold of the contents of a member; None for no limit."""
    rules: Rules = STRICT
    writer: FileWriter | None = None
    """Writes the files, and keeps what it has opened from wheel to wheel."""
    wrote: Callable[[int], None]
    """Called with the number of bytes of each write."""


def stage_wheel(
    filename: str, chunks: Iterable[bytes], folder: HeldFolder, options: StageOptions
) -> StagedWheel:
    """Unpack and finish the wheel ``filename`` in ``folder``, which must be empty.

    ``chunks`` are its bytes; they must raise at their end if they are not those of the lock.

    Raises WheelRefused, OSError, inflate.NotStreamable if it can only be unpacked with
    ``options.directory``, and what ``chunks`` raises.
    """
    layout = Layout.of(filename)
    folder.make(TREE)
    source = iter(chunks)
    is_hashed = options.rules.verify_record
    with folder.inner(TREE) as tree, Manifest(folder, is_hashed=is_hashed) as manifest:
        try:
            archive = ForwardZip(source, options.directory, options.history)
            unpacking = _Unpacking(layout, archive, options)
            unpacking.unpack(tree, manifest)
        except NotStreamable:
            raise
        except (InvalidZip, Truncated, WheelRefused) as error:
            # Damage shows first in the bytes that are read. Read to the end: if the bytes are not
            # the locked ones, that is the fault, and not one of the wheel.
            _drain(source, None if options.size is not None else _MAX_DRAINED)
            if isinstance(error, WheelRefused):
                raise
            rule = str(error) or "it ends before its last record"
            raise WheelRefused(filename, rule) from None
        return finish(
            layout,
            folder,
            tree,
            manifest,
            options.schemes,
            options.metadata,
            lenient=options.rules.lenient,
            warnings=unpacking.warnings,
        )


def _drain(chunks: Iterable[bytes], most: int | None) -> None:
    """Read the rest of a wheel, but at most ``most`` bytes of one whose size is not known."""
    drained = 0
    for chunk in chunks:
        drained += len(chunk)
        if most is not None and drained > most:
            break


def _without_final_dots(folder: str) -> str:
    """Return the name of a listed folder without the dots and spaces that it ends with.

    The folder itself is never made: the wheels of pyarrow 15 and 16 list an empty ``pyarrow./``.
    """
    stem = folder[:-1].rstrip(". ")
    return f"{stem}/" if stem and not stem.endswith("/") else folder


class _Unpacking:
    """One wheel on its way from bytes to files, owned by ``stage_wheel``."""

    def __init__(self, layout: Layout, archive: ForwardZip, options: StageOptions) -> None:
        self._can_be_spooled = options.directory is None
        self._layout = layout
        self._zip = archive
        self._expansion = ExpansionLimit(options.size, lambda: archive.offset)
        # Windows and macOS refuse some names, and take some for others. On Linux, a wheel for Linux
        # may have them, and any wheel if the user is lenient.
        self._is_portable = not is_for_linux(layout.filename) or sys.platform != "linux"
        self._can_waive = self._is_portable and sys.platform == "linux"
        self._names = MemberNames(folds=self._is_portable and not options.rules.lenient)
        self.warnings: list[str] = []
        """What was let pass because the user is lenient, as sentences."""
        self._may_start = normalized_name(layout.distribution) in options.rules.startup
        self._lenient = options.rules.lenient
        self._writer = options.writer
        self._wrote = options.wrote
        self._checked_folder: str | None = None
        self._checked_top: str | None = None

    def unpack(self, tree: HeldFolder, manifest: Manifest) -> None:
        """Write all members below ``tree``, and a row of each into ``manifest``."""
        with Destination(tree, self._writer, is_hashed=manifest.is_hashed) as destination:
            plain = PlainMembers(
                self._zip, destination, manifest, self._names, self._expansion, self._is_plain,
                self._wrote,
            )  # fmt: skip
            if self._can_be_spooled:
                self._zip.reader.hold()
                plain.unpack()
            for member in self._zip.members():
                self._write(member, destination, manifest)
                if self._can_be_spooled:
                    plain.unpack()
        self._check_directory(tree, manifest)
        self._expansion.finish()
        try:
            self._names.check_files(row.name for row in manifest.files())
        except NameCollision as error:
            self._waive(str(error), error.name, can_waive=self._can_waive)

    def _check_directory(self, tree: HeldFolder, manifest: Manifest) -> None:
        """Compare the central directory with the members, and set the modes that it states."""
        with closing(PlainEntries(self._zip, manifest, self._names, tree)) as plain:
            self._check_entries(plain)

    def _check_entries(self, plain: PlainEntries) -> None:
        plain.pass_equal()
        for entry in self._zip.central_entries():
            row = plain.row()
            difference = row.difference(entry) if row else "the archive does not hold it"
            if difference:
                raise self._refused(difference, entry.name)
            try:
                entry.check_type()
            except InvalidZip as error:
                # pip and uv install a link as a file that holds its target, and so do we then.
                self._waive(str(error), entry.name, can_waive=stat.S_ISLNK(entry.mode))
            try:
                self._names.check_folders(entry.name)
            except NameCollision as error:
                self._waive(str(error), entry.name, can_waive=self._can_waive)
            if entry.is_executable and not entry.is_directory:
                plain.make_executable(entry.name)
            plain.pass_equal()

    def _write(self, member: Member, destination: Destination, manifest: Manifest) -> None:
        """Write one member, unless it is a folder, and add its row."""
        name, header = member.name, member.header
        sha256 = _NOTHING
        try:
            self._check_name(name)
            if name.endswith("/"):
                if any(member.pieces()):
                    raise InvalidZip("it is a folder with contents")
            else:
                content = member.whole()
                try:
                    if content is None:
                        size = None if header.has_descriptor else header.size
                        sha256 = destination.write(name, self._counted(member.pieces()), size)
                    else:
                        self._expansion.add(len(content))
                        sha256 = destination.write_whole(name, content)
                        self._wrote(len(content))
                    self._names.add(name)
                except NameTaken:
                    raise
                except PathTaken:
                    if not self._lenient or destination.digest(name) is None:
                        raise
                    pieces = self._counted(member.pieces()) if content is None else (content,)
                    sha256 = self._repeated(destination, name, pieces)
                    manifest.repeat(member.offset)
        except NameTaken as error:
            raise NamesUnited(self._layout.filename, str(error), name) from None
        except (InvalidMemberName, MisplacedMember, PathTaken, InvalidZip) as error:
            if isinstance(error, NotStreamable) and self._can_be_spooled:
                raise
            raise self._refused(str(error), name) from None
        except (DecoderMissing, WindowTooLarge) as error:
            error.wheel, error.member = self._layout.filename, name
            raise
        record = record_row(name, encode_digest(sha256), member.size)
        manifest.append(
            ManifestRow(
                name, header.flags, header.method, member.crc,
                member.compressed_size, member.size, member.offset, record,
            )
        )  # fmt: skip

    def _is_plain(self, name: str) -> bool:
        """Return whether no rule forbids the folder of a member, and none is for single files in
        it.
        """
        folder = name[: name.rfind("/") + 1]
        top = folder.partition("/")[0]
        if not PLAIN_FOLDER.fullmatch(folder) or top.endswith(".data"):
            return False
        # The other rules are about the first folder, but for that on the one of lockstream itself.
        if top != self._checked_top or STAGING in folder.lower():
            try:
                self._layout.check_member(name)
                if not self._may_start:
                    check_startup(name)
            except MisplacedMember:
                return False
            self._checked_top = top
        return True

    def _check_name(self, name: str) -> None:
        """Raise InvalidMemberName or MisplacedMember if a wheel must not have this member."""
        # Members of one folder follow each other, so each folder is checked once.
        folder, _, rest = name.rpartition("/")
        is_short = len(name) * 4 <= MAX_NAME_SIZE
        if rest and folder and folder == self._checked_folder and is_short and rest[0] != ".":
            try:
                check_last_segment(rest, is_portable=self._is_portable)
            except InvalidMemberName as error:
                check_last_segment(rest, is_portable=not self._can_waive)
                self._waive(str(error), name, can_waive=True)
            return
        checked = name if rest else _without_final_dots(name)
        try:
            check_member_name(checked, is_portable=self._is_portable)
        except InvalidMemberName as error:
            check_member_name(checked, is_portable=not self._can_waive)
            self._waive(str(error), name, can_waive=True)
        self._layout.check_member(name)
        if not self._may_start:
            check_startup(name)
        # At the root (of "/x" too) and in a data folder there are rules for single files.
        self._checked_folder = None if is_data_folder(folder) else folder

    def _repeated(self, destination: Destination, name: str, pieces: Iterable[bytes]) -> bytes:
        """Return the SHA-256 of the file ``name`` if ``pieces`` are its contents too.

        Raises PathTaken if they are not.
        """
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        if digest.digest() != destination.digest(name):
            raise PathTaken("a member before it has the same name and other contents")
        return digest.digest()

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Yield ``pieces``, each checked against the expansion limit and reported when written."""
        for piece in pieces:
            self._expansion.add(len(piece))
            yield piece
            self._wrote(len(piece))

    def _waive(self, rule: str, member: str, *, can_waive: bool) -> None:
        """Note that a member breaks a rule. Raises WheelRefused unless the user is lenient."""
        if not (self._lenient and can_waive):
            raise WheelRefused(self._layout.filename, rule, member, is_waivable=can_waive) from None
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(f"{member}: {rule}")

    def _refused(self, rule: str, member: str) -> WheelRefused:
        return WheelRefused(self._layout.filename, rule, member)
