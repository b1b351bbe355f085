"""Enrich: add to a lock of another tool what lockstream would have noted of its wheels.

The text is left as it is; what is added stands at the end of each ``[[packages]]`` table, in a
tool table, which changes nothing about what is installed (PEP 751).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import tomli_w
from packaging.pylock import Package, PackageWheel

from planner.index.client import CONNECTIONS, IndexClient
from planner.index.pages import ProjectFile
from planner.metadata.remote_metadata import MetadataSource
from schemas.blocks import Block, scan_blocks
from schemas.errors import InvalidInput
from schemas.hints import TOOL_NAME, wheel_hints
from schemas.lock import parse_block, parse_package

__all__ = ["NotExtensible", "enrich"]


@dataclass(eq=False)
class NotExtensible(InvalidInput):
    """A lock is written in a way that cannot be added to."""

    package: str
    hint = "write each package as its own [[packages]] table, and its tool tables as tables"

    def __str__(self) -> str:
        return f"the hints of {self.package} cannot be added to the text of the lock"


def enrich(text: str, client: IndexClient) -> tuple[str, int]:
    """``text`` with the hints of all wheels that are at a URL and have none; and how many that
    are.

    Raises NotExtensible, the InvalidLockText errors of ``schemas``, UnreadableWheel, WheelDiffers,
    IndexUnreachable and IndexAnswer.
    """
    blocks = list(scan_blocks([text.encode()]))
    source = MetadataSource(client)
    parts: list[str] = []
    count = 0
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        wanted = [list(_missing(block)) for block in blocks]
        # All at once: each is one round trip or two, of a few milliseconds' work.
        sizes = pool.map(source.size, [file for files in wanted for file in files])
        for block, files in zip(blocks, wanted, strict=True):
            wheels = {file.filename: next(sizes).hints.to_table() for file in files}
            parts.append(_extend(block, wheels) if wheels else block.text)
            count += len(wheels)
    return "".join(parts), count


def _missing(block: Block) -> Iterator[ProjectFile]:
    """The wheels of a package whose hints are not known."""
    table = parse_block(block)
    if not block.is_package:
        if table.get("packages"):
            raise NotExtensible("an inline array of packages")
        return
    package: Package = parse_package(table, block.line)
    for wheel in package.wheels or ():
        if wheel.url and wheel_hints(package.tool, wheel.filename) is None:
            yield _to_file(wheel, wheel.url)


def _to_file(wheel: PackageWheel, url: str) -> ProjectFile:
    entry = {"url": url, "hashes": dict(wheel.hashes), "size": wheel.size}
    return ProjectFile(wheel.filename, url, entry)


def _extend(block: Block, wheels: Mapping[str, Mapping[str, Any]]) -> str:
    added = "".join(
        tomli_w.dumps({"packages": {"tool": {TOOL_NAME: {"wheels": {filename: table}}}}})
        for filename, table in sorted(wheels.items())
    )
    text = block.text.rstrip("\n") + "\n\n" + added.replace("\n[", "\n\n[") + "\n"
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise NotExtensible(str(parse_block(block).get("name"))) from None
    [package] = document["packages"]
    noted = package.get("tool", {}).get(TOOL_NAME, {}).get("wheels", {})
    assert all(noted.get(filename) == table for filename, table in wheels.items())
    return text
