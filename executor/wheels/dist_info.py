"""The dist-info folder of an unpacked wheel, read from disk and compared with its file name.

A wheel may hold its members in any order, and one wheel in five does not end with its RECORD, so
they are read only after the whole wheel is unpacked.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator

from executor.files.held_folder import HeldFolder
from executor.files.regular import NOT_REGULAR
from executor.wheels.errors import WheelRefused, WheelTooNew
from executor.wheels.layout import Layout
from schemas.data_class import frozen
from schemas.wheel_filename import (
    dist_info_matches,
    normalized_name,
    same_version,
    stated_tags,
    version_in_name,
)

__all__ = ["MAX_METADATA_SIZE", "MAX_WHOLE_SIZE", "DistInfo"]


MAX_METADATA_SIZE = 4 << 20
"""Bytes of METADATA. Only its headers are read; the largest real one has 233 kB."""


MAX_WHOLE_SIZE = 256 << 10
"""Bytes of WHEEL and entry_points.txt. Both are read whole, and a parser takes twenty times their
size in memory. The largest real one of 994 wheels has 17 kB."""


_MAX_RECORD_HELD = 64 << 10
"""Bytes of a RECORD that is held in memory while the wheel is finished; 9 of 10 are smaller."""


_WHEEL_VERSION = re.compile(r"(\d{1,9})\.\d{1,9}", re.ASCII)


_LINE = re.compile(r"([^\r\n]*)(?:\r\n?|\n|$)")


@frozen
class DistInfo:
    """The one dist-info folder of the wheel that is unpacked in ``tree``."""

    layout: Layout
    tree: HeldFolder
    folder: str
    """Its name below ``tree``."""
    data: str
    """The name of the wheel's data folder below ``tree``, which may be absent."""
    names: frozenset[str]
    """The names in the folder, as the wheel has them."""
    has_data: bool
    """Whether the wheel has a data folder."""
    record: bytes | None
    """The contents of RECORD, if it is small, as most are."""

    @classmethod
    def find(cls, layout: Layout, tree: HeldFolder) -> DistInfo:
        """Find the folder of the wheel ``layout`` in ``tree``, which holds it open from now on.

        Raises WheelRefused if the wheel does not hold exactly one.
        """
        own = [
            name
            for name, is_folder in tree.entries()
            if is_folder
            and name.endswith((".dist-info", ".data"))
            and dist_info_matches(name, layout.distribution, layout.version)
        ]
        found = sorted(name for name in own if name.endswith(".dist-info"))
        if len(found) != 1:
            what = f"it has {len(found)}: {', '.join(found)}" if found else "it has none"
            raise WheelRefused(
                layout.filename, f"a wheel has one dist-info folder of its name; {what}"
            )
        data = sorted(name for name in own if name.endswith(".data"))
        has_data = bool(data)
        data = data or [found[0].removesuffix(".dist-info") + ".data"]
        if len(data) != 1:
            raise WheelRefused(
                layout.filename, f"a wheel has at most one data folder; it has {', '.join(data)}"
            )
        tree.keep(found[0])
        names, record = frozenset(tree.names(found[0])), None
        if "RECORD" in names:
            try:
                record = tree.read(f"{found[0]}/RECORD", _MAX_RECORD_HELD)
            except OSError as error:
                # Who needs it opens it, and says what is wrong with it.
                if error.errno not in {*NOT_REGULAR, errno.EFBIG}:
                    raise
        return cls(layout, tree, found[0], data[0], names, has_data, record)

    def refused(
        self, rule: str, member: str | None = None, *, is_waivable: bool = False
    ) -> WheelRefused:
        """Return the error that refuses this wheel, for one of its members or as a whole."""
        return WheelRefused(self.layout.filename, rule, member, is_waivable=is_waivable)

    def member(self, name: str) -> str:
        """Return the member name of the file ``name`` in this folder."""
        return f"{self.folder}/{name}"

    def read(self, name: str) -> str | None:
        """Return the text of a file in this folder, or None if the wheel does not hold it.

        Raises WheelRefused if it is not a file of UTF-8 text, or is too large.
        """
        member = self.member(name)
        if name not in self.names:
            return None
        try:
            content = self.tree.read(member, MAX_WHOLE_SIZE)
        except IsADirectoryError:
            raise self.refused("it is a folder", member) from None
        except OSError as error:
            if error.errno != errno.EFBIG:
                raise
            content = self._headers_of(name)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise self.refused("it is not UTF-8 text", member) from None

    def root_is_purelib(self, wheel: str | None) -> bool:
        """Return ``Root-Is-Purelib`` of the text of WHEEL, which ``read`` has returned.

        Raises WheelRefused if its version is not 1.x, and if there is none.
        """
        version, root_is_purelib = self._headers(wheel, "WHEEL", "wheel-version", "root-is-purelib")
        found = _WHEEL_VERSION.fullmatch(version)
        if found is None:
            raise self.refused(f"its Wheel-Version is {version!r}", self.member("WHEEL"))
        if int(found[1]) > 1:
            rule = f"its Wheel-Version is {version}, this installer knows 1.x"
            raise WheelTooNew(self.layout.filename, rule, self.member("WHEEL"))
        return root_is_purelib.lower() == "true"

    def warnings(self, wheel: str | None) -> Iterator[str]:
        """Yield what is wrong in the text of WHEEL but does not prevent the installation, as
        sentences.
        """
        (version,) = self._headers(wheel, "WHEEL", "wheel-version")
        if version != "1.0":
            # "A wheel installer should warn if Wheel-Version is greater than the version it
            # supports" (binary distribution format, the .dist-info directory).
            yield f"its Wheel-Version is {version}, this installer knows 1.0"
        # Anywhere in the text: there are WHEEL files with folded lines, and with two blocks.
        stated = {word for word in (wheel or "").split() if word.count("-") == 2}
        if missing := sorted(stated_tags(self.layout.filename) - stated):
            yield f"its WHEEL file does not state the tag {missing[0]} of its file name"

    def check_identity(self) -> None:
        """Raise WheelRefused if METADATA names another project or version than the file name."""
        metadata = self.read("METADATA")
        name, version = self._headers(metadata, "METADATA", "name", "version")
        if normalized_name(name) != normalized_name(self.layout.distribution):
            raise self.refused(
                f"it names {name!r}, the file name another project", self.member("METADATA")
            )
        if not same_version(version, version_in_name(self.layout.version)):
            raise self.refused(
                f"it states version {version!r}, the file name another", self.member("METADATA")
            )

    def _headers_of(self, name: str) -> bytes:
        """Return the beginning of a large METADATA file, where its headers are.

        Raises WheelRefused if it is too large, or another file.
        """
        member = self.member(name)
        limit = MAX_METADATA_SIZE if name == "METADATA" else MAX_WHOLE_SIZE
        with self.tree.open(member) as file:
            if os.fstat(file.fileno()).st_size > limit:
                raise self.refused(f"it is larger than {limit} bytes", member)
            content = file.read(MAX_WHOLE_SIZE)
        return content[: content.rfind(b"\n") + 1]

    def _headers(self, text: str | None, name: str, *keys: str) -> tuple[str, ...]:
        """Return the values of some headers in the text of METADATA or WHEEL, the file ``name``;
        empty if a header is missing.

        ``keys`` are lower-case names; the first header of each counts. The ``email`` package reads
        them too, but costs 2 MiB of memory; continued lines are not needed here.
        """
        if text is None:
            raise self.refused("it is missing", self.member(name))
        headers: dict[str, str] = {}
        for line in _LINE.finditer(text.removeprefix("\ufeff")):
            if not line[1]:
                break
            key, colon, value = line[1].partition(":")
            if colon and key.lower() in keys:
                headers.setdefault(key.lower(), value.strip())
                if len(headers) == len(keys):
                    break
        return tuple(headers.get(key, "") for key in keys)
