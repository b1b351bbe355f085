"""The metadata and sizes of wheels, read from the index without downloading them.

An index may serve the metadata as a file of its own (PEP 658). If it does not, the METADATA file is
read out of the wheel by HTTP range, and the central directory, which is read for it, gives the
sizes too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from threading import Lock
from typing import Self

from executor import Recorder
from planner.index.cache import Kind
from planner.index.client import IndexClient
from planner.index.errors import AddressMissing, FileMissing, IndexDenied
from planner.index.pages import ProjectFile
from planner.inputs.stated_metadata import StatedMetadata
from planner.metadata.core_metadata import (
    InvalidMetadata,
    WheelMetadata,
    parse_metadata,
    split_headers,
)
from planner.metadata.distribution import Distribution
from planner.metadata.errors import UnreadableWheel, WheelDiffers
from planner.metadata.listing import Listing
from planner.metadata.range_readers import (
    RangeReader,
    RemoteReader,
    open_ranges,
    open_wheel,
    read_digests,
)
from planner.metadata.remote_zip import find_at_end, read_directory, read_member
from planner.metadata.statements import Statements
from planner.metadata.wheel_directory import WheelDirectory
from schemas.data_class import frozen
from schemas.digests import SECURE_ALGORITHMS
from schemas.hints import WheelHints
from schemas.urls import storable
from schemas.wheel_filename import dist_info_matches, split_wheel_filename
from schemas.zipformat import CentralEntry, InvalidZip

__all__ = ["MetadataSource", "SizedFile"]


MAX_METADATA_SIZE = 16 << 20
"""Bytes. The largest METADATA of 994 real wheels has 233 kB."""


MAX_OPENED = 32
"""Wheels of which 64 KiB are kept until their directory is read; of those that the resolver passes
over it never is."""


@frozen(kw_only=True)
class SizedFile:
    """What the lock records of a wheel beyond its URL."""

    size: int
    """Bytes of the wheel itself."""
    digests: Mapping[str, str]
    """Secure digests, in hexadecimal by algorithm."""
    hints: WheelHints

    def to_bytes(self) -> bytes:
        """Return it as a line of JSON, for a cache."""
        fields = {"size": self.size, "digests": self.digests, "hints": self.hints.to_table()}
        return json.dumps(fields).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Return what ``to_bytes`` wrote; None for anything else."""
        try:
            fields = json.loads(data)
            hints = WheelHints.from_table(fields["hints"])
            digests = {str(kind): str(value) for kind, value in fields["digests"].items()}
            size = fields["size"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        if hints is None or type(size) is not int or size < 0:
            return None
        return cls(size=size, digests=digests, hints=hints)


class MetadataSource:
    """The metadata and sizes of the wheels of one plan, kept in the cache of its client by the
    address and the hash of the wheel. Many threads may use it.
    """

    def __init__(
        self,
        client: IndexClient,
        build_metadata: Callable[[Distribution], bytes] | None = None,
        recorder: Recorder | None = None,
        stated: Iterable[StatedMetadata] = (),
    ) -> None:
        """``build_metadata`` returns the METADATA of the wheel that a source is built into. What is
        ``stated`` of a version counts in place of what its files say.
        """
        self._stated = Statements(stated)
        self._recorder = recorder or Recorder()
        self._client = client
        self._build_metadata = build_metadata
        self._built: dict[str, WheelMetadata] = {}
        self._cache = client.cache
        self._sized: dict[str, SizedFile] = {}
        self._listings: dict[str, Listing] = {}
        self._opened: dict[str, RemoteReader] = {}
        """Wheels of which the end was read, and most of the directory was not."""
        self._lock = Lock()
        self._has_ranges = True
        """Whether no server was met that sends whole files alone."""
        self.is_pinned = True
        """Whether each file that was read has a digest on its page, so that its content is known to
        be the same next time."""

    def metadata(self, wheel: Distribution) -> WheelMetadata:
        """Return the metadata of ``wheel``, whose name and version are those of its file name.

        Raises InvalidMetadata and InvalidZip if the wheel cannot be used; WheelDiffers,
        IndexUnreachable and IndexAnswer if the index cannot.
        """
        if (stated := self._stated.of(wheel.name, wheel.version)) is not None:
            return stated
        if wheel.file.is_source:
            if wheel.file.url not in self._built:
                assert self._build_metadata is not None
                content = self._build_metadata(wheel)
                self._built[wheel.file.url] = _of_its_name(wheel, parse_metadata(content))
            return self._built[wheel.file.url]
        try:
            content = self._read_metadata(wheel)
        except FileMissing as error:
            if wheel.file.is_direct:
                raise AddressMissing(error.url, error.problem) from None
            raise InvalidMetadata(f"its page lists it, but {error.problem}") from None
        self._recorder.event("metadata", file=wheel.file.filename)
        return _of_its_name(wheel, parse_metadata(content))

    def size(self, file: ProjectFile) -> SizedFile:
        """Return the sizes of ``file``, which are known if its metadata was read from the wheel.

        Raises UnreadableWheel, WheelDiffers, IndexUnreachable and IndexAnswer.
        """
        self._know(file)
        return self._sized[file.url]

    def listing(self, file: ProjectFile) -> Listing:
        """Return the files of a wheel and their checksums. Raises what ``size`` raises."""
        self._know(file)
        return self._listings[file.url]

    def can_foresee(self, file: ProjectFile) -> bool:
        """Return whether a request or two would tell the sizes of a wheel, which are not known."""
        is_near = self._has_ranges and _cache_key(file) is not None
        return is_near and file.url not in self._listings

    def foresee(self, file: ProjectFile) -> None:
        """Get the sizes of a wheel that may be selected, unless it has to be downloaded.

        Raises what ``size`` raises, and InvalidZip.
        """
        reader = self._take_opened(file)
        if reader is None and not self._recall(file):
            reader = open_ranges(self._client, file)
            self._has_ranges &= reader is not None
        if reader is not None:
            self._remember(file, reader, read_directory(reader))

    def digests(self, file: ProjectFile, algorithms: Iterable[str]) -> dict[str, str]:
        """Return digests of the whole file, after checking those that its index gives.

        Raise UnreadableWheel, WheelDiffers, IndexUnreachable or IndexAnswer.
        """
        return read_digests(self._client, file, algorithms)

    def _read_metadata(self, wheel: Distribution) -> bytes:
        if (kept := self._find("metadata", wheel.file)) is not None:
            return kept
        content = self._read_metadata_file(wheel.file)
        headers = split_headers(self._read_member(wheel) if content is None else content)
        self._keep("metadata", wheel.file, headers)
        return headers

    def _know(self, file: ProjectFile) -> None:
        """Get the sizes and the listing of a wheel, from the cache or from the wheel."""
        if file.url not in self._listings and not self._recall(file):
            self._read_directory(file)

    def _recall(self, file: ProjectFile) -> bool:
        """Take the sizes and the listing of a wheel from the cache; return whether it has them."""
        kept = self._find("sizes", file)
        if kept is None:
            return False
        head, _, packed = kept.partition(b"\n")
        sized, listing = SizedFile.from_bytes(head), Listing.from_bytes(packed)
        # If the index states another size, the wheel is read again and compared with it.
        if not sized or not listing or file.size not in {None, sized.size}:
            return False
        self._sized[file.url], self._listings[file.url] = sized, listing
        return True

    def _read_directory(self, file: ProjectFile) -> None:
        opened = self._take_opened(file)
        try:
            with nullcontext(opened) if opened else open_wheel(self._client, file) as reader:
                self._remember(file, reader, read_directory(reader))
        except InvalidZip as error:
            raise UnreadableWheel(file.filename, str(error)) from None

    def _find(self, kind: Kind, file: ProjectFile) -> bytes | None:
        key = _cache_key(file)
        self.is_pinned &= key is not None
        if not self._cache or not key or self._client.is_refreshed:
            return None
        return self._cache.read(kind, key)

    def _keep(self, kind: Kind, file: ProjectFile, content: bytes) -> None:
        key = _cache_key(file)
        if self._cache and key:
            self._cache.write(kind, key, content)

    def _read_metadata_file(self, file: ProjectFile) -> bytes | None:
        if file.metadata_hashes is None:
            return None
        try:
            # What has a key is kept under that, for ever.
            answer = self._client.get(
                file.metadata_url,
                accept="*/*",
                limit=MAX_METADATA_SIZE,
                is_kept=_cache_key(file) is None,
            )
        except IndexDenied:
            # Object stores answer so for files that they do not have; the wheel itself has it.
            return None
        if answer is None:
            return None
        for kind in SECURE_ALGORITHMS:
            if expected := file.metadata_hashes.get(kind):
                found = hashlib.new(kind, answer.content).hexdigest()
                if found != expected:
                    raise WheelDiffers(f"{file.filename}.metadata", kind, expected, found)
        return answer.content

    def _read_member(self, wheel: Distribution) -> bytes:
        with open_wheel(self._client, wheel.file) as reader:
            # The rest of a wheel with many members is read only if the resolver may select it.
            remote = reader if isinstance(reader, RemoteReader) else None
            member = find_at_end(remote, ".dist-info/METADATA") if remote else None
            if remote and member and _is_metadata(member, wheel.file.filename):
                self._keep_opened(wheel.file, remote)
            else:
                directory = read_directory(reader)
                self._remember(wheel.file, reader, directory)
                member = _find_metadata(wheel.file.filename, directory.metadata)
            return read_member(reader, member, limit=MAX_METADATA_SIZE)

    def _keep_opened(self, file: ProjectFile, reader: RemoteReader) -> None:
        with self._lock:
            while len(self._opened) >= MAX_OPENED:
                del self._opened[next(iter(self._opened))]
            self._opened[file.url] = reader

    def _take_opened(self, file: ProjectFile) -> RemoteReader | None:
        with self._lock:
            return self._opened.pop(file.url, None)

    def _remember(self, file: ProjectFile, reader: RangeReader, directory: WheelDirectory) -> None:
        sized = SizedFile(size=reader.size, digests=reader.digests, hints=directory.hints)
        self._sized[file.url] = sized
        self._listings[file.url] = directory.listing
        self._keep("sizes", file, sized.to_bytes() + b"\n" + directory.listing.packed)


def _of_its_name(wheel: Distribution, metadata: WheelMetadata) -> WheelMetadata:
    if (metadata.name, metadata.version) != (wheel.name, wheel.version):
        raise InvalidMetadata(
            f"its metadata is that of {metadata.name} {metadata.version}, not of its file name"
        )
    return metadata


def _cache_key(file: ProjectFile) -> str | None:
    """Return the key by which the content of ``file`` is cached for ever; None if the index does
    not give a digest of it.

    The digest is only a claim while no wheel is downloaded: another index may claim it for a wheel
    of its own. So what was read from one address is used for that address alone.
    """
    if file.path is not None:
        return None
    hashes = file.hashes
    stated = next((f"{kind}:{hashes[kind]}" for kind in SECURE_ALGORITHMS if kind in hashes), None)
    return stated and f"{stated} {storable(file.url)}"


def _find_metadata(filename: str, entries: tuple[CentralEntry, ...]) -> CentralEntry:
    for entry in entries:
        if _is_metadata(entry, filename):
            return entry
    raise InvalidMetadata("it has no METADATA in a .dist-info folder of its own name")


def _is_metadata(entry: CentralEntry, filename: str) -> bool:
    folder, _, rest = entry.name.partition("/")
    return (
        rest == "METADATA"
        and folder.endswith(".dist-info")
        and dist_info_matches(folder, *split_wheel_filename(filename))
    )
