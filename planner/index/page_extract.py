"""Condensed pages: what the cache keeps of a page.

A page lists thousands of files, of which a plan looks at a few versions. Condensed, each version is
a piece of JSON by itself, with the keys that planning needs, and only those that are looked at are
parsed. What a page in JSON says of a file is cut out of it without being parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

import msgspec
from msgspec import Raw
from packaging.utils import NormalizedName

from planner.index.pages import ProjectFile, ProjectPage, check_version, version_text

__all__ = ["MEDIA_TYPE", "condense", "condense_json", "parse_condensed"]


MEDIA_TYPE = "application/vnd.lockstream.page.v1"


_KEYS = (
    "filename", "url", "hashes", "size", "upload-time", "requires-python", "yanked",
    "core-metadata", "dist-info-metadata",
)  # fmt: skip


class _File(msgspec.Struct, rename="kebab", omit_defaults=True):
    """The ``_KEYS`` of a file, but for the first two as the page spells them."""

    filename: str
    url: str
    hashes: Raw = Raw()
    size: Raw = Raw()
    upload_time: Raw = Raw()
    requires_python: Raw = Raw()
    yanked: Raw = Raw()
    core_metadata: Raw = Raw()
    dist_info_metadata: Raw = Raw()


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str


class _Status(msgspec.Struct):
    status: str = ""
    reason: str = ""


class _Page(msgspec.Struct, rename="kebab"):
    meta: _Meta
    files: list[_File]
    project_status: _Status = msgspec.field(default_factory=_Status)


_decode_page = msgspec.json.Decoder(_Page).decode


_encode = msgspec.json.Encoder().encode


_decode = msgspec.json.Decoder().decode


def condense_json(content: bytes, url: str) -> bytes | None:
    """What ``condense`` makes of the page in JSON that was found at ``url``; None where anything
    in it is not as the API demands, which reading it by ``parse_page`` may forgive.

    Raises IndexAnswer where the index speaks another API.
    """
    try:
        page = _decode_page(content)
    except msgspec.MsgspecError:
        return None
    check_version(page.meta.api_version, url)
    groups: dict[str, list[_File]] = {}
    for file in page.files:
        groups.setdefault(version_text(file.filename), []).append(file)
    told = page.project_status
    return _join(
        {version: _encode(files) for version, files in groups.items()},
        base=url if groups else "",
        api_version=page.meta.api_version,
        status=told.status or "active",
        status_reason=told.reason,
    )


def condense(page: ProjectPage) -> bytes:
    """A line of JSON that tells where each version is, then the versions."""
    pieces: dict[str, bytes] = {}
    base = ""
    for version, files in page.files.items():
        entries = []
        for file in files:
            base = file.base
            entries.append({key: file.entry[key] for key in _KEYS if key in file.entry})
        pieces[version] = _encode(entries)
    return _join(
        pieces,
        base=base,
        api_version=page.api_version,
        status=page.status,
        status_reason=page.status_reason,
    )


def _join(
    pieces: Mapping[str, bytes], *, base: str, api_version: str, status: str, status_reason: str
) -> bytes:
    places: dict[str, tuple[int, int]] = {}
    position = 0
    for version, piece in pieces.items():
        places[version] = position, len(piece)
        position += len(piece)
    header = {
        "base": base,
        "api-version": api_version,
        "status": status,
        "status-reason": status_reason,
        "versions": places,
    }
    return b"".join([_encode(header), b"\n", *pieces.values()])


def parse_condensed(name: NormalizedName, content: bytes, *, index: str) -> ProjectPage:
    """Read what ``condense`` wrote for the index at ``index``."""
    line, _, body = content.partition(b"\n")
    header: dict[str, Any] = _decode(line)
    base = header["base"]
    return ProjectPage(
        name,
        {
            version: _Files(body, offset, length, base, index)
            for version, (offset, length) in header["versions"].items()
        },
        api_version=header["api-version"],
        status=header["status"],
        status_reason=header["status-reason"],
    )


class _Files(Sequence[ProjectFile]):
    """The files of one version, parsed when they are looked at."""

    __slots__ = ("_base", "_body", "_files", "_index", "_place")

    def __init__(self, body: bytes, offset: int, length: int, base: str, index: str) -> None:
        self._body = body
        self._place = slice(offset, offset + length)
        self._base = base
        self._index = index
        self._files: tuple[ProjectFile, ...] | None = None

    def _read(self) -> tuple[ProjectFile, ...]:
        if self._files is None:
            self._files = tuple(
                ProjectFile(entry["filename"], self._base, entry, self._index)
                for entry in _decode(self._body[self._place])
            )
        return self._files

    @overload
    def __getitem__(self, index: int) -> ProjectFile: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ProjectFile]: ...

    def __getitem__(self, index: int | slice) -> ProjectFile | Sequence[ProjectFile]:
        return self._read()[index]

    def __iter__(self) -> Iterator[ProjectFile]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())
