"""What one build hands to the plan that required it: a wheel, and what the build took.

A fragment is a small JSON document, with the wheel next to it. It comes from another machine, so
that everything in it is checked when it is read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Self

from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name

from planner.builds.unit import BuildUnit, target_label
from schemas.builds import BuildRecord
from schemas.data_class import frozen, with_fields
from schemas.errors import InvalidInput, SubjectProblem
from schemas.wheel_filename import parse_wheel_filename

__all__ = ["FRAGMENT_NAME", "MAX_FRAGMENT_SIZE", "Fragment", "FragmentUnusable"]


FRAGMENT_NAME = "fragment.json"

MAX_FRAGMENT_SIZE = 16 << 20
"""Bytes; most of a fragment is the lock of the build requirements, which has some kilobytes."""

_VERSION = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LOCK_NAME = re.compile(r"pylock\.build-[a-z0-9._-]+\.toml")


@with_fields
class FragmentUnusable(SubjectProblem, InvalidInput):
    """A fragment is not what its build would have written."""

    place: str
    problem: str
    hint: str = "remove this folder, and build again: lockstream build writes a new one"


@frozen(kw_only=True)
class Fragment:
    """One finished build."""

    key: str
    """The key of its unit."""
    name: NormalizedName
    target: str
    """The short name of the target."""
    sha256: str
    """Of the wheel."""
    size: int
    """Bytes of the wheel."""
    record: BuildRecord
    build_lock: str | None
    """The text of the lock of the build requirements; None without any."""

    @property
    def wheel(self) -> str:
        """The file name of the wheel."""
        return self.record.wheel

    def to_json(self) -> dict[str, Any]:
        """Return the content of the document."""
        return {
            "version": _VERSION,
            "key": self.key,
            "package": self.name,
            "target": self.target,
            "wheel": {"name": self.wheel, "size": self.size, "sha256": self.sha256},
            "build": self.record.to_table(),
            "build-lock": self.build_lock,
        }

    def render(self) -> bytes:
        """Return the document."""
        return json.dumps(self.to_json(), indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def parse(cls, content: bytes, unit: BuildUnit, place: str) -> Self:
        """Return the fragment of ``unit`` that was found at ``place``. Raises FragmentUnusable."""
        try:
            table = json.loads(content)
        except (ValueError, RecursionError):
            raise FragmentUnusable(place, "it is not JSON") from None
        if not isinstance(table, Mapping) or table.get("version") != _VERSION:
            raise FragmentUnusable(place, f"it is not a fragment of version {_VERSION}")
        if table.get("key") != unit.key or table.get("package") != unit.name:
            raise FragmentUnusable(
                place, f"it belongs to another build than that of {unit.requirement}"
            )
        wheel: Any = table.get("wheel")
        wheel = wheel if isinstance(wheel, Mapping) else {}
        name, size, sha256 = wheel.get("name"), wheel.get("size"), wheel.get("sha256")
        _check_wheel(name, unit, place)
        if type(size) is not int or size < 1 or not _SHA256.fullmatch(str(sha256)):
            raise FragmentUnusable(place, "it does not give size and sha256 of the wheel")
        record = BuildRecord.from_table(name, table.get("build"))
        if record is None:
            raise FragmentUnusable(place, "it does not record what the build took")
        lock = table.get("build-lock")
        if (record.lock is None) != (lock is None) or not isinstance(lock, str | None):
            raise FragmentUnusable(place, "the lock of the build requirements is missing")
        if record.lock is not None and not _LOCK_NAME.fullmatch(record.lock):
            raise FragmentUnusable(place, f"{record.lock!r} is not the name of a build lock")
        return cls(
            key=unit.key,
            name=unit.name,
            target=target_label(unit.target),
            sha256=str(sha256),
            size=size,
            record=record,
            build_lock=lock,
        )


def _check_wheel(name: object, unit: BuildUnit, place: str) -> None:
    try:
        project, version, _, tags = parse_wheel_filename(str(name))
    except InvalidWheelFilename:
        raise FragmentUnusable(place, f"{name!r} is not the name of a wheel") from None
    if canonicalize_name(project) != unit.name or unit.version not in {None, version}:
        raise FragmentUnusable(place, f"{name} is not a wheel of {unit.requirement}")
    if tags.isdisjoint(unit.target.tags):
        raise FragmentUnusable(place, f"{name} does not suit {unit.target}")
