"""Unpack the small members of a wheel that need no special care, as 24 of 25 do.

One loop goes from the local header to the row of the manifest, without an object for a member: of
34,000 files, it takes half the time of the code for all members. It stops before any member that is
large, cut by the end of a chunk, oddly named or wrong; the code for all members takes over there,
and says what is wrong.
"""

from __future__ import annotations

import hashlib
from binascii import b2a_base64
from collections.abc import Callable
from time import perf_counter

from executor.archive.expansion_limit import ExpansionLimit
from executor.archive.inflate import MAX_OUTPUT, crc32, whole
from executor.archive.unzip import MAX_MEMBERS, ForwardZip
from executor.files.destination import Destination, PathTaken
from executor.wheels.manifest import Manifest, pack_row
from executor.wheels.member_names import MemberNames
from schemas.digests import URL_SAFE
from schemas.wheel import PLAIN_SEGMENT
from schemas.zipformat import LOCAL_HEADER, LOCAL_SIGNATURE, PLAIN_FLAGS, VERSION_READABLE

__all__ = ["PlainMembers"]


_HEADER_SIZE = LOCAL_HEADER.size


_MAX_NAME = 256
"""Bytes of a name in a folder that was checked; the last part of a longer one is rare."""


_STRETCH = 16 << 10
"""Bytes of the archive whose rows are held until all are added: of empty files, 500 rows."""


class PlainMembers:
    """The loop over the plain members of one wheel; its unpacking owns it."""

    def __init__(
        self,
        archive: ForwardZip,
        destination: Destination,
        manifest: Manifest,
        names: MemberNames,
        expansion: ExpansionLimit,
        is_plain: Callable[[str], bool],
        wrote: Callable[[int], None],
    ) -> None:
        """``is_plain`` gets the name of a member and returns whether the files in its folder may be
        written there, but for the rules on the last part of a name. ``wrote`` is called with the
        number of bytes that were written.
        """
        self._archive = archive
        self._destination = destination
        self._manifest = manifest
        self._names = names
        self._expansion = expansion
        self._is_plain = is_plain
        self._wrote = wrote
        self._prefix: str | None = None
        """The folder that was looked at last, with a slash, if files may be written there."""

    def unpack(self) -> None:
        """Write the members at hand up to the first that is not plain.

        Raises NoMemoryForFiles and OSError.
        """
        while self._unpack_some():
            pass

    def _unpack_some(self) -> bool:
        """Unpack the members that begin in one stretch; return whether more may follow."""
        destination, is_hashed = self._destination, self._manifest.is_hashed
        chunk, start = self._archive.reader.chunk()
        view, size, at, base = memoryview(chunk), len(chunk), start, self._archive.offset - start
        prefix = self._prefix if self._prefix == f"{destination.folder}/" else None
        cut = len(prefix or "")
        names, rows, records = list[str](), list[bytes](), list[bytes]()
        total, spent = 0, 0.0
        if self._archive.count + _STRETCH // _HEADER_SIZE > MAX_MEMBERS:
            return False
        while at + _HEADER_SIZE <= size and at - start < _STRETCH:
            (
                signature, version, flags, method, _, _, crc, packed, unpacked, name_size, extra,
            ) = LOCAL_HEADER.unpack_from(chunk, at)  # fmt: skip
            data = at + _HEADER_SIZE + name_size
            end = data + packed
            if (
                signature != LOCAL_SIGNATURE or extra or flags & ~PLAIN_FLAGS
                or version & 0xFF > VERSION_READABLE or end > size or name_size > _MAX_NAME
                or unpacked > MAX_OUTPUT or total + unpacked > self._expansion.room
            ):  # fmt: skip
                break
            raw = chunk[at + _HEADER_SIZE : data]
            # Only ASCII is plain.
            name = raw.decode("latin-1")
            if name[:cut] != prefix or "/" in name[cut:]:
                prefix = self._enter(name)
                cut = len(prefix or "")
            if prefix is None or not PLAIN_SEGMENT.fullmatch(name, cut):
                break
            content = whole(view[data:end], method, unpacked)
            if content is None or crc32(content, 0) != crc:
                break
            began = perf_counter()
            try:
                destination.write_here(name[cut:], content)
            except PathTaken:
                break
            spent += perf_counter() - began
            digest = b2a_base64(hashlib.sha256(content).digest()) if is_hashed else b""
            record = b"%b,sha256=%b,%d" % (raw, digest.translate(URL_SAFE, b"=\n"), unpacked)
            sizes = name_size, len(record)
            rows.append(pack_row(crc, packed, unpacked, base + at, flags, method, *sizes) + record)
            records.append(record)
            names.append(name)
            total += unpacked
            at = end
        self._prefix = prefix
        destination.writer.seconds += spent
        self._archive.reader.skip(at - start)
        self._archive.count += len(names)
        self._names.add_plain(names)
        self._manifest.append_files(rows, records)
        self._expansion.add(total)
        self._wrote(total)
        return at - start >= _STRETCH

    def _enter(self, name: str) -> str | None:
        """Enter the folder of the member ``name``, and return it with a slash; None if the files in
        it need special care.
        """
        folder, slash, last = name.rpartition("/")
        if not (folder and last and self._is_plain(name)):
            return None
        try:
            self._destination.enter(folder)
        except PathTaken:
            return None
        return folder + slash
