"""Extracts of project pages, which the cache keeps instead of the pages.

A page lists thousands of files, and a plan needs the files of a few versions. In an extract, each
version is a piece of JSON by itself, and is parsed only when it is read. The entries of a page in
JSON are cut out of it as they are; those of other pages have the keys that planning needs. Versions
are compressed many together and stay so in memory: the pages of 100 projects are 25 MiB of JSON,
most of which no plan reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import overload

import msgspec
import zstandard
from msgspec import Raw
from packaging.utils import NormalizedName

from planner.index.cache import unpacked
from planner.index.entries import are_plain, is_usable
from planner.index.errors import IndexAnswer
from planner.index.pages import ProjectFile, ProjectPage, check_version, version_text
from schemas.urls import redacted

__all__ = ["MEDIA_TYPE", "condense", "condense_json", "parse_condensed"]


MEDIA_TYPE = "application/vnd.lockstream.page.v2"


_BLOCK = 64 << 10
"""Bytes of JSON from which versions are compressed together: large enough to become a tenth, and
small enough to be read for one version in a tenth of a millisecond."""


_MAX_BLOCK = 256 << 20
"""Bytes of a block at most; one version may have as many files as a page."""


_LEVEL = 1
"""Of zstandard; higher ones take more time than they save."""


_KEYS = (
    "filename", "url", "hashes", "size", "upload-time", "requires-python", "yanked",
    "core-metadata", "dist-info-metadata",
)  # fmt: skip


class _File(msgspec.Struct, gc=False):
    """What a file must have; its other keys are looked at when it is read."""

    filename: str
    url: str


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str


class _Status(msgspec.Struct):
    status: str = ""
    reason: str = ""


class _Page(msgspec.Struct, rename="kebab"):
    meta: _Meta
    files: list[_File]
    project_status: _Status = msgspec.field(default_factory=_Status)


class _Texts(msgspec.Struct):
    files: list[Raw]
    """The entries as the page spells them."""


class _Header(msgspec.Struct, rename="kebab"):
    """The first line of an extract."""

    base: str
    api_version: str
    status: str
    status_reason: str
    blocks: list[int]
    """The size of each block, compressed."""
    versions: dict[str, tuple[int, int, int]]
    """By version, the block, the position in it and the size."""
    broken: tuple[str, ...] = ()


_decode_page = msgspec.json.Decoder(_Page).decode


_decode_texts = msgspec.json.Decoder(_Texts).decode


_decode_header = msgspec.json.Decoder(_Header).decode


_encode = msgspec.json.Encoder().encode


_decode = msgspec.json.Decoder().decode


def condense_json(content: bytes, url: str) -> bytes | None:
    """Return the extract of the page in JSON at ``url``; None if a value is not as the API
    requires, which ``parse_page`` may tolerate.

    Raises IndexAnswer if the index has another version of the API.
    """
    try:
        page = _decode_page(content)
        texts = _decode_texts(content).files
    except (msgspec.MsgspecError, UnicodeError):
        return None
    check_version(page.meta.api_version, url)
    links = [file.url for file in page.files]
    names = [file.filename for file in page.files]
    if not all(links) or not all(names):
        return None
    if not (are_plain(links) or all(is_usable(link, url) for link in links)):
        return None
    groups: dict[str, list[Raw]] = {}
    # A page lists the wheels of a version one after another: a prefix is compared in a third of the
    # time in which a name is split.
    prefix, wheels = "", list[Raw]()
    for name, text in zip(names, texts, strict=True):
        is_wheel = name.endswith(".whl")
        if is_wheel and prefix and name.startswith(prefix):
            wheels.append(text)
            continue
        version = version_text(name)
        group = groups.setdefault(version, [])
        group.append(text)
        if is_wheel:
            prefix = f"{name.partition('-')[0]}-{version}-" if version else ""
            wheels = group
    project_status = page.project_status
    return _join(
        ((version, b"[%b]" % b",".join(texts)) for version, texts in groups.items()),
        base=url if groups else "",
        api_version=page.meta.api_version,
        status=project_status.status or "active",
        status_reason=project_status.reason,
    )


def condense(page: ProjectPage) -> bytes:
    """Return the extract of a page: a line of JSON with positions, then the versions."""
    pieces: list[tuple[str, bytes]] = []
    base = ""
    for version, files in page.files.items():
        entries = []
        for file in files:
            base = file.base
            entries.append({key: file.entry[key] for key in _KEYS if key in file.entry})
        pieces.append((version, _encode(entries)))
    return _join(
        pieces,
        base=base,
        api_version=page.api_version,
        status=page.status,
        status_reason=page.status_reason,
        broken=page.broken,
    )


def _join(
    pieces: Iterable[tuple[str, bytes]],
    *,
    base: str,
    api_version: str,
    status: str,
    status_reason: str,
    broken: Sequence[str] = (),
) -> bytes:
    places: dict[str, tuple[int, int, int]] = {}
    blocks: list[bytes] = []
    packer = zstandard.ZstdCompressor(level=_LEVEL)
    waiting: list[bytes] = []
    position = 0
    for version, piece in pieces:
        places[version] = len(blocks), position, len(piece)
        waiting.append(piece)
        position += len(piece)
        if position >= _BLOCK:
            blocks.append(packer.compress(b"".join(waiting)))
            waiting, position = [], 0
    blocks.append(packer.compress(b"".join(waiting)))
    header = {
        "base": base,
        "api-version": api_version,
        "status": status,
        "status-reason": status_reason,
        "broken": broken,
        "blocks": [len(block) for block in blocks],
        "versions": places,
    }
    return b"".join([_encode(header), b"\n", *blocks])


def parse_condensed(name: NormalizedName, content: bytes, *, index: str) -> ProjectPage:
    """Return the page of an extract, of the index at ``index``.

    Raises IndexAnswer if the cache has something else; so does reading an entry of the page.
    """
    start = content.find(b"\n") + 1
    try:
        header = _decode_header(memoryview(content)[:start])
        ends = list(accumulate(header.blocks, initial=start))
        blocks = [content[begin:end] for begin, end in pairwise(ends)]
        files = {
            version: _Files(blocks[number], offset, length, header.base, index)
            for version, (number, offset, length) in header.versions.items()
        }
    except (msgspec.MsgspecError, UnicodeError, RecursionError, IndexError):
        raise _damaged(index) from None
    return ProjectPage(
        name,
        files,
        api_version=header.api_version,
        status=header.status,
        status_reason=header.status_reason,
        broken=header.broken,
    )


class _Damaged(IndexAnswer):
    """An extract that this program did not write."""

    hint = "remove it with lockstream cache clear, and plan again"


def _damaged(index: str) -> _Damaged:
    return _Damaged(redacted(index), "its page in the cache is damaged")


class _Files(Sequence[ProjectFile]):
    """The files of one version, parsed when the first of them is read."""

    __slots__ = ("_base", "_block", "_files", "_index", "_place")

    def __init__(self, block: bytes, offset: int, length: int, base: str, index: str) -> None:
        self._block = block
        self._place = slice(offset, offset + length)
        self._base = base
        self._index = index
        self._files: tuple[ProjectFile, ...] | None = None

    def _read(self) -> tuple[ProjectFile, ...]:
        if self._files is None:
            try:
                entries = _decode(unpacked(self._block, _MAX_BLOCK)[self._place])
            except zstandard.ZstdError:
                raise _damaged(self._index) from None
            except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                problem = f"an entry of its page cannot be read: {str(error)[:80]}"
                raise IndexAnswer(redacted(self._base or self._index), problem) from None
            if not _are_entries(entries):
                raise _damaged(self._index)
            self._files = tuple(
                ProjectFile(entry["filename"], self._base, entry, self._index) for entry in entries
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


def _are_entries(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("filename"), str)
        and isinstance(entry.get("url"), str)
        for entry in value
    )
