"""Add to the lock of another tool the hints that lockstream records of wheels.

The text stays as it is; the hints go to the end of each ``[[packages]]`` table, into a tool table,
which does not change what is installed (PEP 751).
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import tomli_w
from packaging.pylock import Package, PackageWheel

from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer
from planner.index.pages import ProjectFile, with_path
from planner.index.request_pool import RequestPool
from planner.index.requester import CONNECTIONS
from planner.metadata.remote_metadata import MetadataSource
from schemas.blocks import Block, scan_blocks
from schemas.data_class import with_fields
from schemas.errors import InvalidInput
from schemas.hints import TOOL_NAME, wheel_hints
from schemas.lock import parse_block, parse_package
from schemas.lock_parser import parse_whole
from schemas.urls import redacted

__all__ = ["NotExtensible", "enrich"]


@with_fields
class NotExtensible(InvalidInput):
    """A lock is written in a form that hints cannot be added to."""

    package: str
    hint = "write each package as its own [[packages]] table, and its tool tables as tables"

    def __str__(self) -> str:
        return f"the hints of {self.package} cannot be added to the text of the lock"


def enrich(text: str, client: IndexClient, folder: str = "") -> tuple[str, int]:
    """Return the ``text`` of a lock in ``folder`` with hints for all wheels that lack them, but for
    those of a folder that is not on this machine, and the number of these wheels.

    Raise NotExtensible, UnreadableWheel, WheelDiffers, IndexUnreachable or IndexAnswer, and for a
    lock that ``execute`` refuses the same InvalidLockText.
    """
    # Hints for a lock that nothing installs would only hide what is wrong with it.
    parse_whole([text.encode()])
    blocks = list(scan_blocks([text.encode()]))
    source = MetadataSource(client)
    parts: list[str] = []
    count = 0
    with RequestPool(CONNECTIONS) as pool:
        lacking = [list(_missing(block, folder)) for block in blocks]
        # All at once: each takes one or two round trips, and a few milliseconds of work.
        sizes = pool.ask_all(source.size, [file for files in lacking for file in files])
        for block, files in zip(blocks, lacking, strict=True):
            wheels = {file.filename: next(sizes).hints.to_table() for file in files}
            parts.append(_extend(block, wheels) if wheels else block.text)
            count += len(wheels)
    return "".join(parts), count


def _missing(block: Block, folder: str) -> Iterator[ProjectFile]:
    """Yield the wheels of a package that have no hints."""
    table = parse_block(block)
    if not block.is_package:
        if table.get("packages"):
            raise NotExtensible("an inline array of packages")
        return
    package: Package = parse_package(table, block.line)
    for wheel in [*(package.wheels or ()), *_archived(package)]:
        if wheel_hints(package.tool, wheel.filename) is None:
            url = _address(wheel, folder)
            _check_address(url)
            file = _to_file(wheel, url)
            # A folder of wheels need not be on each machine that has the lock.
            if file.path is None or os.path.exists(file.path):
                yield file


def _archived(package: Package) -> Iterator[PackageWheel]:
    """Yield the wheel that a package has as its archive, as one that is required by its address."""
    archive = package.archive
    if archive and not archive.subdirectory:
        wheel = PackageWheel(
            url=archive.url, path=archive.path, size=archive.size, hashes=archive.hashes
        )
        if wheel.filename.endswith(".whl"):
            yield wheel


def _address(wheel: PackageWheel, folder: str) -> str:
    """Return where a wheel is: at its path, which is relative to the lock, else at its URL."""
    path = os.path.abspath(os.path.join(folder, wheel.path)) if wheel.path else ""
    if wheel.url and not os.path.exists(path):
        return wheel.url
    return Path(path).as_uri()


def _check_address(url: str) -> None:
    """Raise IndexAnswer if a lock states an address that is none."""
    try:
        _ = urlsplit(url).port
    except ValueError as error:
        raise IndexAnswer(redacted(url), f"it is malformed: {error}") from None


def _to_file(wheel: PackageWheel, url: str) -> ProjectFile:
    entry = {"url": url, "hashes": dict(wheel.hashes), "size": wheel.size}
    return with_path(ProjectFile(wheel.filename, url, entry))


def _extend(block: Block, wheels: Mapping[str, Mapping[str, Any]]) -> str:
    added = "".join(
        tomli_w.dumps({"packages": {"tool": {TOOL_NAME: {"wheels": {filename: table}}}}})
        for filename, table in sorted(wheels.items())
    )
    text = block.text.rstrip("\n") + "\n\n" + added.replace("\n[", "\n\n[") + "\n"
    refusal = NotExtensible(str(parse_block(block).get("name")))
    try:
        [package] = tomllib.loads(text)["packages"]
    except tomllib.TOMLDecodeError:
        raise refusal from None
    recorded = package["tool"][TOOL_NAME]["wheels"]
    if any(recorded.get(filename) != table for filename, table in wheels.items()):
        raise refusal
    return text
