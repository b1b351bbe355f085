"""Metadata that the user states in place of what the files of a project say.

Source: https://docs.astral.sh/uv/reference/settings/#dependency-metadata. It is for files whose own
metadata is wrong, or of which it can only be found by a build.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.specifiers import InvalidSpecifier
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from planner.inputs.build_settings import check_requirement
from planner.model.project_set import first_invalid_name
from planner.model.specifiers import read_specifiers
from schemas.data_class import frozen
from schemas.text import titled

__all__ = ["StatedMetadata", "read_stated_metadata"]


@frozen(kw_only=True)
class StatedMetadata:
    """What counts of one version of a project, or of all of them, in place of its metadata."""

    name: NormalizedName
    version: Version | None
    """None for all versions that no other entry is for."""
    requires: tuple[str, ...]
    requires_python: str | None
    extras: tuple[NormalizedName, ...]

    @property
    def subject(self) -> str:
        """Return what it is for, for people and for a lock."""
        return titled(self.name, self.version)

    def to_table(self) -> dict[str, Any]:
        """Return the TOML table that the lock records."""
        table: dict[str, Any] = {"requires-dist": list(self.requires)}
        if self.requires_python:
            table["requires-python"] = self.requires_python
        if self.extras:
            table["provides-extra"] = list(self.extras)
        return table


def read_stated_metadata(value: object) -> tuple[StatedMetadata, ...]:
    """Return the entries of a list of tables. Raise ValueError, which says what is wrong."""
    if not isinstance(value, list):
        raise ValueError("is not a list of tables")  # noqa: TRY004  # the user's mistake
    found = tuple(map(_read_one, value))
    known: set[str] = set()
    for one in found:
        if one.subject in known:
            raise ValueError(f"has two entries for {one.subject}")
        known.add(one.subject)
    return found


_KEYS = {"name", "version", "requires-dist", "requires-python", "provides-extra"}


def _read_one(table: object) -> StatedMetadata:
    if not isinstance(table, Mapping) or "name" not in table or not table.keys() <= _KEYS:
        raise ValueError(f"each entry is a table of name and some of {', '.join(sorted(_KEYS))}")
    name, version, python = (_text(table, key) for key in ("name", "version", "requires-python"))
    extras = _texts(table, "provides-extra")
    requires = _texts(table, "requires-dist")
    for word in (name or "", *extras):
        if first_invalid_name([word]) is not None:
            raise ValueError(f"has {word!r}, which is not a name")
    for text in requires:
        check_requirement(f"{name}", text)
    try:
        read_specifiers(python or "")
        return StatedMetadata(
            name=canonicalize_name(name or ""),
            version=Version(version) if version else None,
            requires=requires,
            requires_python=python,
            extras=tuple(sorted(map(canonicalize_name, extras))),
        )
    except InvalidVersion:
        raise ValueError(f"{name} has {version!r}, which is not a version") from None
    except InvalidSpecifier:
        raise ValueError(f"{name} has {python!r}, which names no Pythons") from None


def _text(table: Mapping[str, Any], key: str) -> str | None:
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"has a {key} that is not a string")
    return value


def _texts(table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"has a {key} that is not a list of strings")
    return tuple(value)
