"""Stage: one wheel from its chunks to a complete installation beside its final place.

One pass: hash, unzip, inflate, write. The central directory comes last and must say what was read;
modes are known only then.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from packaging.utils import canonicalize_name

from executor.archive.chunk_reader import Truncated
from executor.archive.expansion_limit import ExpansionLimit
from executor.archive.inflate import NotStreamable
from executor.archive.unzip import ForwardZip, Member
from executor.environment.schemes import Schemes
from executor.files.destination import Destination, PathTaken
from executor.files.writer import FileWriter
from executor.wheels.errors import WheelRefused
from executor.wheels.finish import finish
from executor.wheels.layout import Layout, MisplacedMember, check_startup, is_data_folder
from executor.wheels.manifest import Manifest, ManifestRow
from executor.wheels.member_names import MemberNames, NameCollision
from executor.wheels.records import encode_digest, record_row
from executor.wheels.rules import STRICT, Rules
from executor.wheels.scripts import make_executable
from executor.wheels.staged_wheel import TREE, StagedWheel
from schemas.wheel import MAX_NAME_SIZE, InvalidMemberName, check_last_segment, check_member_name
from schemas.zipformat import CentralEntry, InvalidZip

__all__ = ["stage_wheel"]


_NOTHING = hashlib.sha256().digest()


def stage_wheel(
    filename: str,
    chunks: Iterable[bytes],
    folder: str,
    schemes: Schemes,
    metadata: Mapping[str, bytes],
    wrote: Callable[[int], None],
    *,
    size: int | None = None,
    directory: Iterable[CentralEntry] | None = None,
    rules: Rules = STRICT,
    cache: FileWriter | None = None,
) -> StagedWheel:
    """Unpack the wheel ``filename`` into ``folder``, which must exist and be empty.

    ``chunks`` are its bytes, and raise at their end if they are not those of the lock.
    ``metadata`` goes into its dist-info folder, contents by file name. ``wrote`` is told how many
    bytes each write took. ``size`` is that of the wheel in bytes, where the lock states it.
    ``cache`` writes the files.

    ``directory`` are its central entries, where they could be read before.

    Raises WheelRefused, OSError, inflate.NotStreamable where ``directory`` would have helped, and
    what ``chunks`` raises.
    """
    layout = Layout.of(filename)
    tree = os.path.join(folder, TREE)
    os.mkdir(tree)
    source = iter(chunks)
    with Manifest(os.path.join(folder, "ledger"), is_hashed=rules.verify_record) as ledger:
        try:
            unpacking = _Unpacking(
                layout,
                ForwardZip(source, directory),
                size,
                rules,
                wrote,
                can_be_spooled=directory is None,
            )
            unpacking.unpack(tree, ledger, cache)
        except NotStreamable:
            raise
        except (InvalidZip, Truncated, WheelRefused) as error:
            # Damage shows first where the bytes are read; if they are not the locked ones, that
            # is what happened, and not a fault of the wheel.
            for _ in source:
                pass
            if isinstance(error, WheelRefused):
                raise
            rule = str(error) or "it ends before its last record"
            raise WheelRefused(filename, rule) from None
        return finish(layout, tree, ledger, schemes, metadata, lenient=rules.lenient)


def _without_final_dots(folder: str) -> str:
    """The name of a listed folder, which is never made itself, without the dots and spaces that it
    ends with: the wheels of pyarrow 15 and 16 list an empty ``pyarrow./``.
    """
    stem = folder[:-1].rstrip(". ")
    return f"{stem}/" if stem and not stem.endswith("/") else folder


class _Unpacking:
    """One wheel on its way from bytes to files."""

    def __init__(
        self,
        layout: Layout,
        archive: ForwardZip,
        size: int | None,
        rules: Rules,
        wrote: Callable[[int], None],
        *,
        can_be_spooled: bool,
    ) -> None:
        self._can_be_spooled = can_be_spooled
        self._layout = layout
        self._zip = archive
        self._expansion = ExpansionLimit(size, lambda: archive.offset)
        self._names = MemberNames()
        self._may_start = canonicalize_name(layout.distribution) in rules.startup
        self._lenient = rules.lenient
        self._wrote = wrote
        self._checked_folder: str | None = None

    def unpack(self, tree: str, ledger: Manifest, cache: FileWriter | None) -> None:
        """Write all members below ``tree``, and a row of each into ``ledger``."""
        with Destination(tree, cache, is_hashed=ledger.is_hashed) as destination:
            for member in self._zip.members():
                self._write(member, destination, ledger)
        rows = ledger.rows()
        for entry in self._zip.central_entries():
            row = next(rows, None)
            difference = row.difference(entry) if row else "the archive does not hold it"
            if difference:
                raise self._refused(difference, entry.name)
            try:
                entry.check_type()
                self._names.check_folders(entry.name)
            except (InvalidZip, NameCollision) as error:
                raise self._refused(str(error), entry.name) from None
            if entry.is_executable and not entry.is_directory:
                make_executable(os.path.join(tree, entry.name))
        self._expansion.finish()
        try:
            self._names.check_files(row.name for row in ledger.files())
        except NameCollision as error:
            raise self._refused(str(error), error.name) from None

    def _write(self, member: Member, destination: Destination, ledger: Manifest) -> None:
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
                except PathTaken:
                    if not self._lenient or destination.digest(name) is None:
                        raise
                    pieces = self._counted(member.pieces()) if content is None else (content,)
                    sha256 = self._repeated(destination, name, pieces)
                    ledger.repeat(member.offset)
        except (InvalidMemberName, MisplacedMember, PathTaken, InvalidZip) as error:
            if isinstance(error, NotStreamable) and self._can_be_spooled:
                raise
            raise self._refused(str(error), name) from None
        record = record_row(name, encode_digest(sha256), member.size)
        ledger.append(
            ManifestRow(
                name, header.flags, header.method, member.crc,
                member.compressed_size, member.size, member.offset, record,
            )
        )  # fmt: skip

    def _check_name(self, name: str) -> None:
        # Members of one folder follow each other; what was checked of it need not be again.
        folder, _, rest = name.rpartition("/")
        is_short = len(name) * 4 <= MAX_NAME_SIZE
        if rest and folder and folder == self._checked_folder and is_short:
            check_last_segment(rest)
            return
        check_member_name(name if rest else _without_final_dots(name))
        self._layout.check_member(name)
        if not self._may_start:
            check_startup(name)
        # Rules for single files hold at the root, which "/x" has, too, and in a data folder.
        self._checked_folder = None if is_data_folder(folder) else folder

    def _repeated(self, destination: Destination, name: str, pieces: Iterable[bytes]) -> bytes:
        """The SHA-256 of a file that is there already, if ``pieces`` are its contents."""
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        if digest.digest() != destination.digest(name):
            raise PathTaken("a member before it has the same name and other contents")
        return digest.digest()

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._expansion.add(len(piece))
            yield piece
            self._wrote(len(piece))

    def _refused(self, rule: str, member: str) -> WheelRefused:
        return WheelRefused(self._layout.filename, rule, member)
