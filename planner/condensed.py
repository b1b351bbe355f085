"""Condensed pages: what the cache keeps of a page.

A page lists thousands of files, of which a plan looks at a few versions. Condensed, each version is
a piece of JSON by itself, with the keys that planning needs, and only those that are looked at are
parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import overload

from packaging.utils import NormalizedName

from planner.pages import ProjectFile, ProjectPage

__all__ = ["MEDIA_TYPE", "condense", "parse_condensed"]

MEDIA_TYPE = "application/vnd.lockstream.page.v1"

_KEYS = (
    "filename", "url", "hashes", "size", "upload-time", "requires-python", "yanked",
    "core-metadata", "dist-info-metadata",
)  # fmt: skip


def condense(page: ProjectPage) -> bytes:
    """A line of JSON that tells where each version is, then the versions."""
    pieces: list[bytes] = []
    places: dict[str, tuple[int, int]] = {}
    position = 0
    base = ""
    for version, files in page.files.items():
        entries = []
        for file in files:
            base = file.base
            entries.append({key: file.entry[key] for key in _KEYS if key in file.entry})
        piece = json.dumps(entries, separators=(",", ":")).encode()
        pieces.append(piece)
        places[version] = position, len(piece)
        position += len(piece)
    header = {
        "base": base,
        "api-version": page.api_version,
        "status": page.status,
        "status-reason": page.status_reason,
        "versions": places,
    }
    return b"".join([json.dumps(header).encode(), b"\n", *pieces])


def parse_condensed(name: NormalizedName, content: bytes, *, index: str) -> ProjectPage:
    """Read what ``condense`` wrote for the index at ``index``."""
    line, _, body = content.partition(b"\n")
    header = json.loads(line)
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
                for entry in json.loads(self._body[self._place])
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
