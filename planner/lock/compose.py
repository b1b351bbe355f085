"""Compose a lock of resolved and sized packages, as the standard's own types.

Source: https://packaging.python.org/specifications/pylock-toml/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    PackageVcs,
    PackageWheel,
    Pylock,
)
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import Version

from planner.index.pages import ProjectFile, parse_time
from planner.lock.built import Stock
from planner.lock.merge import Entry
from planner.lock.source_entries import list_sdist, list_tree, lockable_url
from planner.metadata.remote_metadata import SizedFile
from planner.model.environments import MarkerEnvironment
from planner.model.paths import relative_path
from planner.model.specifiers import read_specifiers
from schemas.data_class import frozen
from schemas.digests import SECURE_ALGORITHMS
from schemas.hints import TOOL_NAME

__all__ = ["LockContent", "build_lock"]


@frozen(kw_only=True)
class LockContent:
    """Everything that a lock is made of."""

    environments: Sequence[MarkerEnvironment]
    entries: Sequence[tuple[Entry, Sequence[SizedFile]]]
    """Sorted by name and version."""
    extras: Sequence[NormalizedName]
    """The extras that an installation may select; sorted, as the groups are."""
    groups: Sequence[NormalizedName]
    inputs: Mapping[str, Any]
    """The table that records where the requirements came from."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The table that records the options of the command line."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """The table that records how versions were chosen."""
    folder: str = ""
    """The folder of the lock; paths in the lock are relative to it."""
    stock: Stock = field(default_factory=Stock)
    """The wheels that were built for the lock, and the sources of others."""


def build_lock(content: LockContent) -> Pylock:
    """Return the lock as the standard's own types.

    Raise SecretInURL if an address would carry a credential into it.
    """
    pythons = (one.variables["python_version"] for one in content.environments)
    return Pylock(
        lock_version=Version("1.0"),
        environments=[environment.marker for environment in content.environments],
        requires_python=SpecifierSet(f">={min(pythons, key=Version)}"),
        extras=content.extras,
        dependency_groups=content.groups,
        created_by=TOOL_NAME,
        packages=[_package(entry, sizes, content) for entry, sizes in content.entries],
        tool={TOOL_NAME: _tool_table(content)},
    )


def _tool_table(content: LockContent) -> dict[str, Any]:
    targets = [target.to_table() for one in content.environments for target in one.targets]
    table: dict[str, Any] = {"targets": targets}
    tables = {"inputs": content.inputs, "options": content.options, "policy": content.policy}
    return table | {key: dict(record) for key, record in tables.items() if record}


def _package(entry: Entry, sizes: Sequence[SizedFile], content: LockContent) -> Package:
    files = list(zip(entry.files, sizes, strict=True))
    known = content.stock.built
    built = [known[file.filename] for file in entry.files if file.filename in known]
    left_out = {one.wheel.filename for one in built if not one.is_kept}
    chosen = (*entry.files, *entry.sources)
    pythons = {file.requires_python for file in chosen}
    indexes = {file.index for file in chosen}
    tool: dict[str, Any] = {"requires": list(entry.requires)} if entry.requires else {}
    if files:
        tool["wheels"] = {file.filename: sized.hints.to_table() for file, sized in files}
    if built:
        tool["build"] = {one.record.wheel: one.record.to_table() for one in built}
    dependencies = [one.to_table() for one in entry.dependencies]
    wheels = [
        _wheel(file, sized, content) for file, sized in files if file.filename not in left_out
    ]
    sources = [one.source for one in built]
    sources += [content.stock.sources[file.url] for file in entry.sources]
    source = sources[0] if sources else None
    is_direct_wheel = bool(files) and files[0][0].is_direct
    # A tree and wheels of it cannot both be listed.
    tree = list_tree(source, content.folder) if source and not wheels else None
    return Package(
        name=entry.name,
        version=None if tree else entry.version,
        marker=entry.marker,
        requires_python=_parse_specifier(pythons.pop()) if len(pythons) == 1 else None,
        dependencies=dependencies or None,
        vcs=tree if isinstance(tree, PackageVcs) else None,
        directory=tree if isinstance(tree, PackageDirectory) else None,
        archive=_archive(wheels[0]) if is_direct_wheel else _only_archive(tree),
        index=(indexes.pop() or None) if len(indexes) == 1 else None,
        sdist=list_sdist(source, content.folder) if source and not tree else None,
        wheels=None if is_direct_wheel else wheels or None,
        tool={TOOL_NAME: tool},
    )


def _only_archive(tree: object) -> PackageArchive | None:
    return tree if isinstance(tree, PackageArchive) else None


def _archive(wheel: PackageWheel) -> PackageArchive:
    """Return the entry of a wheel that is required by its address."""
    return PackageArchive(path=wheel.path, url=wheel.url, size=wheel.size, hashes=wheel.hashes)


def _wheel(file: ProjectFile, sized: SizedFile, content: LockContent) -> PackageWheel:
    known = {one: file.hashes[one] for one in SECURE_ALGORITHMS if one in file.hashes}
    hashes = dict(sorted({**known, **sized.digests}.items()))
    built = content.stock.built.get(file.filename)
    if built and built.url:
        return PackageWheel(url=built.url, size=sized.size, hashes=hashes)
    if file.path is not None:
        path = relative_path(file.path, content.folder)
        return PackageWheel(path=path, size=sized.size, hashes=hashes)
    url = lockable_url(file.url, file.filename)
    name_in_url = unquote(urlsplit(url).path.rpartition("/")[2])
    return PackageWheel(
        name=file.filename if name_in_url != file.filename else None,
        upload_time=parse_time(file.upload_time),
        url=url,
        size=sized.size,
        hashes=hashes,
    )


def _parse_specifier(text: str | None) -> SpecifierSet | None:
    if not text:
        return None
    with suppress(InvalidSpecifier):
        return read_specifiers(text)
    return None
