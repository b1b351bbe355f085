"""A database of advisories on this machine: OSV's export of an ecosystem, a zip archive or a folder
of JSON files.

One record after the other is read; what is kept is the table of contents of an archive, and what is
about the projects that are asked for. What makes a database unreadable is an error: an audit of a
part of it would look like an answer.
"""

from __future__ import annotations

import errno
import os
import struct
import zipfile
import zlib
from collections.abc import Collection, Iterator
from typing import IO

from packaging.utils import NormalizedName

from executor import open_regular, read_regular
from planner.advisories.advisory import MAX_RECORD_SIZE, Advisory, NotARecord, parse_advisory
from planner.advisories.errors import InvalidDatabase
from planner.inputs.errors import UnreadableInput
from schemas.data_class import with_fields

__all__ = ["DatabaseContent", "read_database"]


_SUFFIX = ".json"


_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError)
"""What ``zipfile`` raises for archives and members that are damaged."""


_UNSUPPORTED = (NotImplementedError, RuntimeError)
"""What it raises for archives in several parts, and for encryption."""


_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


_ON_DISK = "name an archive that is a file on disk, or a folder"


_NOT_ON_DISK = frozenset({None, errno.EINVAL, errno.ESPIPE})
"""Numbers of the errors of a device, and of a pipe, in which the end cannot be read first. Python
gives some of them none."""


_AGAIN = "fetch the archive again"


_BEGIN = b"PK"
"""The first bytes of a zip archive."""


@with_fields
class DatabaseContent:
    """What a database has; whoever reads it owns this."""

    path: str
    found: dict[str, Advisory]
    """Those about the projects that were asked for, by id."""
    count: int
    """How many records there are, those about other projects included."""
    newest: str
    """When the record that was changed last was changed (RFC 3339); may be empty."""


def read_database(path: str, names: Collection[NormalizedName]) -> DatabaseContent:
    """Return what the database at ``path`` has about the projects ``names``. Of two records with
    one id, the one counts that was changed last.

    Raises UnreadableInput and InvalidDatabase.
    """
    content = DatabaseContent(path, {}, 0, "")
    is_about_others = True
    for place, text in _in_folder(path) if os.path.isdir(path) else _in_archive(path):
        try:
            advisory = parse_advisory(text)
        except NotARecord as error:
            raise InvalidDatabase(
                place, f"{error}, so it is not a record in OSV's format"
            ) from None
        content.count += 1
        content.newest = max(content.newest, advisory.modified)
        is_about_others = is_about_others and not advisory.affected
        if any(one.name in names for one in advisory.affected):
            known = content.found.get(advisory.id)
            if known is None or advisory.modified >= known.modified:
                content.found[advisory.id] = advisory
    if not content.count:
        raise InvalidDatabase(path, f"it has no {_SUFFIX} file")
    if is_about_others:
        raise InvalidDatabase(
            path, f"none of its {content.count:,} advisories is about a project on PyPI"
        )
    return content


def _in_folder(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield place and text of each record below a folder, those of hidden folders excepted."""

    def refuse(error: OSError) -> None:
        raise UnreadableInput.because(error.filename or path, error)

    for folder, inner, names in os.walk(path, onerror=refuse):
        inner[:] = sorted(one for one in inner if not one.startswith("."))
        for name in sorted(names):
            if not name.endswith(_SUFFIX) or name.startswith("."):
                continue
            place = os.path.join(folder, name)
            try:
                yield place, read_regular(place, MAX_RECORD_SIZE, follow=True)
            except OSError as error:
                raise UnreadableInput.because(place, error) from None


def _in_archive(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield place and text of each record in a zip archive."""
    try:
        with open_regular(path) as file:
            yield from _members(path, file)
    except OSError as error:
        hint = _ON_DISK if error.errno in _NOT_ON_DISK else ""
        raise UnreadableInput.because(path, error, hint) from None


def _members(path: str, file: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    is_archive = file.read(len(_BEGIN)) == _BEGIN
    file.seek(0)
    try:
        archive = zipfile.ZipFile(file)
    except _UNSUPPORTED + _DAMAGED:
        if is_archive:
            raise InvalidDatabase(
                path, "it is a zip archive that is damaged", hint=_AGAIN
            ) from None
        raise InvalidDatabase(path, "it is neither a folder nor a zip archive") from None
    with archive:
        for member in archive.infolist():
            if member.filename.endswith(_SUFFIX):
                yield f"{path}/{member.filename}", _content(path, archive, member)


def _content(path: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    place = f"{path}/{member.filename}"
    if member.compress_type not in _METHODS:
        raise InvalidDatabase(
            place,
            f"it is packed with method {member.compress_type}, which is "
            "neither stored nor deflated",
        )
    try:
        with archive.open(member) as stream:
            content = stream.read(MAX_RECORD_SIZE + 1)
    except _UNSUPPORTED as error:
        raise InvalidDatabase(place, f"it cannot be unpacked: {error}") from None
    except _DAMAGED:
        raise InvalidDatabase(place, "it is damaged", hint=_AGAIN) from None
    if len(content) > MAX_RECORD_SIZE:
        raise InvalidDatabase(place, f"it is larger than {MAX_RECORD_SIZE >> 20} MiB")
    return content
