"""Wheels made to measure, and locks that list them.

``build_wheel`` makes a good wheel. For a bad one, edit its members and build again::

    wheel = build_wheel().edited("demo/__init__.py", central={"crc": 0})
    wheel = wheel.rebuilt([*wheel.members, Member("../evil.py")], comment=b"...")
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack
from urllib.parse import quote

import tomli_w
from packaging.utils import canonicalize_name, parse_wheel_filename

from helpers.archives import ArchiveOptions, Member, build_archive
from schemas.hints import WheelHints
from schemas.zipformat import Method

__all__ = ["Wheel", "build_wheel", "lock_of", "record_of"]

Files = Mapping[str, bytes | str]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel in memory."""

    filename: str
    members: tuple[Member, ...]
    content: bytes

    @property
    def name(self) -> str:
        """The normalized project name."""
        return parse_wheel_filename(self.filename)[0]

    @property
    def version(self) -> str:
        return str(parse_wheel_filename(self.filename)[1])

    @property
    def dist_info(self) -> str:
        return "-".join(self.filename.split("-")[:2]) + ".dist-info"

    @property
    def size(self) -> int:
        return len(self.content)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def metadata(self) -> bytes:
        """The METADATA file, as an index serves it separately."""
        return self[f"{self.dist_info}/METADATA"]

    @property
    def hints(self) -> WheelHints:
        """What a planner notes of it."""
        sizes = [len(member.data) for member in self.members]
        return WheelHints(unpacked_size=sum(sizes), files=len(sizes), largest_file=max(sizes))

    def __getitem__(self, name: str) -> bytes:
        return next(member.data for member in self.members if member.name == name)

    def write(self, folder: Path) -> Path:
        """Write it into ``folder`` under its file name; the path of it."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path

    def edited(self, name: str, **changes: Any) -> Wheel:
        """The same wheel with fields of the ``Member`` called ``name`` replaced."""
        if name not in {member.name for member in self.members}:
            raise KeyError(name)
        return self.rebuilt(
            replace(member, **changes) if member.name == name else member for member in self.members
        )

    def rebuilt(
        self, members: Iterable[Member] | None = None, **options: Unpack[ArchiveOptions]
    ) -> Wheel:
        """A wheel of the same file name from other members or as another archive."""
        members = self.members if members is None else tuple(members)
        return Wheel(self.filename, members, build_archive(members, **options))


def build_wheel(
    name: str = "demo",
    version: str = "1.0",
    *,
    files: Files | None = None,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str | None = None,
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    data_files: Files | None = None,
    dist_info: Mapping[str, bytes | str | None] | None = None,
    record: bytes | str | None = None,
    executables: Iterable[str] = (),
    tag: str = "py3-none-any",
    build: str = "",
    purelib: bool = True,
    method: int = Method.DEFLATED,
    **options: Unpack[ArchiveOptions],
) -> Wheel:
    """A wheel that keeps to the specification wherever the arguments do.

    ``files`` are the members outside dist-info (default: a package with a version),
    ``extras`` the requirements per extra, ``entry_points`` the objects per group and name,
    ``data_files`` what goes below ``.data`` (``{"scripts/run": "#!python\\n"}``),
    ``dist_info`` more files of it, or replaced ones, or with None fewer,
    ``record`` the whole RECORD if not the true one, ``executables`` names with an x bit.
    """
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    if files is None:
        package = stem.split("-", maxsplit=1)[0]
        files = {f"{package}/__init__.py": f'__version__ = "{version}"\n'}
    described: dict[str, bytes | str | None] = {
        "METADATA": _metadata(name, version, requires, extras or {}, requires_python),
        "WHEEL": _wheel_file(tag, build, purelib),
    }
    if entry_points:
        described["entry_points.txt"] = _entry_points(entry_points)
    contents = {
        **files,
        **{f"{stem}.data/{path}": data for path, data in (data_files or {}).items()},
        **{
            f"{stem}.dist-info/{path}": data
            for path, data in {**described, **(dist_info or {})}.items()
            if data is not None
        },
    }
    encoded = {path: _encode(data) for path, data in contents.items()}
    record_path = f"{stem}.dist-info/RECORD"
    if "RECORD" not in (dist_info or {}):
        true_record = record_of(encoded, record_path)
        encoded[record_path] = _encode(true_record if record is None else record)
    executables = set(executables)
    members = tuple(
        Member(path, data, method, 0o100755 if path in executables else 0o100644)
        for path, data in encoded.items()
    )
    filename = "-".join(filter(None, [stem, build, tag])) + ".whl"
    return Wheel(filename, members, build_archive(members, **options))


def record_of(files: Mapping[str, bytes], record_path: str) -> str:
    """The RECORD at ``record_path`` that lists ``files`` and itself."""
    rows = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        quoted = f'"{path}"' if "," in path else path
        rows.append(f"{quoted},sha256={digest},{len(data)}\n")
    return "".join([*rows, f"{record_path},,\n"])


def lock_of(
    wheels: Iterable[Wheel],
    *,
    base_url: str | None = None,
    folder: str = "",
    hints: bool = False,
    header: Mapping[str, Any] | None = None,
    packages: Mapping[str, Mapping[str, Any]] | None = None,
    files: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """The text of a ``pylock.toml`` that lists ``wheels``.

    Wheels of one name and version share a package. Each has a URL below ``base_url``, or the
    path ``folder + filename`` relative to the lock. ``hints`` adds our tool tables; ``header``,
    ``packages`` (by name) and ``files`` (by file name) add or replace keys of those tables.
    """
    blocks: dict[tuple[str, str], dict[str, Any]] = {}
    for wheel in sorted(wheels, key=lambda wheel: wheel.filename):
        block = blocks.setdefault(
            (wheel.name, wheel.version),
            {"name": wheel.name, "version": wheel.version, "wheels": []},
        )
        place = (
            {"path": folder + wheel.filename}
            if base_url is None
            else {"url": f"{base_url.rstrip('/')}/{quote(wheel.filename)}"}
        )
        described = {"name": wheel.filename, **place, "size": wheel.size}
        described["hashes"] = {"sha256": wheel.sha256}
        block["wheels"].append(described | dict((files or {}).get(wheel.filename, {})))
        if hints:
            tool = block.setdefault("tool", {"lockstream": {"wheels": {}}})
            tool["lockstream"]["wheels"][wheel.filename] = wheel.hints.to_table()
    for (name, _), block in blocks.items():
        block.update((packages or {}).get(name, {}))
    document = {"lock-version": "1.0", "created-by": "tests", **(header or {})}
    return tomli_w.dumps({**document, "packages": list(blocks.values())})


def _encode(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _metadata(
    name: str,
    version: str,
    requires: Sequence[str],
    extras: Mapping[str, Sequence[str]],
    requires_python: str | None,
) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    for extra, extra_requires in extras.items():
        lines.append(f"Provides-Extra: {extra}")
        for requirement in extra_requires:
            specifier, _, marker = requirement.partition(";")
            condition = f"({marker.strip()}) and " if marker else ""
            lines.append(f'Requires-Dist: {specifier.strip()} ; {condition}extra == "{extra}"')
    return "\n".join([*lines, "", ""])


def _wheel_file(tag: str, build: str, purelib: bool) -> str:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    lines = ["Wheel-Version: 1.0", "Generator: tests", f"Root-Is-Purelib: {str(purelib).lower()}"]
    lines += [f"Tag: {py}-{abi}-{plat}" for py in pythons for abi in abis for plat in platforms]
    if build:
        lines.append(f"Build: {build}")
    return "\n".join([*lines, ""])


def _entry_points(groups: Mapping[str, Mapping[str, str]]) -> str:
    return "\n".join(
        f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in objects.items())
        for group, objects in groups.items()
    )
