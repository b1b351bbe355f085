"""The settings of a project in ``[tool.lockstream]``, so that no command line has to repeat them.

::

    [tool.lockstream]
    targets = [{ python = ["3.11", "3.12"], platform = ["linux", "macos"] }]
    exclude-newer = "7 days"
    overrides = ["urllib3<2"]

    [tool.lockstream.indexes]
    internal = { url = "https://index.example/simple/", explicit = true }

    [tool.lockstream.sources]
    our-library = "internal"
    torch = [
        { index = "cpu", marker = "sys_platform != 'linux'" },
        { index = "cuda", marker = "sys_platform == 'linux'" },
    ]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from planner.index.indexes import Pin, Strategy
from planner.inputs.build_settings import BuildSetting, read_build_settings
from planner.inputs.conditions import CONDITION_KEYS, read_condition
from planner.inputs.conflicts import Conflicts, read_conflicts
from planner.inputs.stated_metadata import StatedMetadata, read_stated_metadata
from planner.model.policy import ANY_MOMENT, Ordering, Prereleases, parse_limit
from planner.model.project_set import first_invalid_name
from schemas.data_class import frozen, with_fields
from schemas.errors import InvalidInput, UsageError
from schemas.target import Target

__all__ = ["IndexSetting", "InvalidSetting", "Settings", "read_settings"]


@with_fields
class InvalidSetting(InvalidInput):
    """A key of ``[tool.lockstream]`` does not hold what it should."""

    path: str
    key: str
    """Empty if it is the table itself."""
    problem: str
    hint: str = "correct it in this file, then run the command again"

    def __str__(self) -> str:
        place = f"[tool.lockstream] {self.key}".rstrip()
        return f"{self.path}: {place}: {self.problem}"


@frozen
class IndexSetting:
    """An index that a project names."""

    url: str
    explicit: bool = False
    """Whether it serves only the projects that ``sources`` assigns to it."""
    exclude_newer: str | None = None
    """The moment for its files in place of that for all; ``false`` for no limit."""


_JOINED = frozenset(
    {
        *("constraints", "overrides", "excludes", "find_links"),
        *("no_binary", "only_binary", "allow_hosts", "dependency_metadata", "conflicts"),
    }
)
"""The settings of which those of two tables count together."""


@frozen(kw_only=True)
class Settings:
    """The settings of one project. A setting not given is None or empty."""

    targets: tuple[Target, ...] = ()
    extras: tuple[str, ...] | None = None
    """The extras that a lock holds; None for all."""
    groups: tuple[str, ...] | None = None
    """The dependency groups that a lock holds; None for all."""
    constraints: tuple[str, ...] = ()
    """Requirements, as are the overrides."""
    overrides: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    """Names of projects."""
    default_index: str | None = None
    indexes: Mapping[str, IndexSetting] = field(default_factory=dict)
    """By name, in the order of their rank."""
    sources: Mapping[NormalizedName, tuple[Pin, ...]] = field(default_factory=dict)
    """The index of each project that is taken from one alone, or one for each condition."""
    conflicts: Conflicts = ()
    """Extras and groups that exclude each other."""
    index_strategy: Strategy | None = None
    find_links: tuple[str, ...] = ()
    """Folders, relative to the project, and pages."""
    prerelease: Prereleases | None = None
    resolution: Ordering | None = None
    exclude_newer: str | None = None
    exclude_newer_package: Mapping[str, str] = field(default_factory=dict)
    """The same for single projects; ``false`` for no limit."""
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    allow_hosts: tuple[str, ...] = ()
    align: bool | None = None
    dependency_metadata: tuple[StatedMetadata, ...] = ()
    """What counts in place of the metadata of files; of two entries for the same, the first."""
    build: Mapping[str, BuildSetting] = field(default_factory=dict)
    """Flags by the name of the package to build."""

    def with_defaults(self, other: Settings) -> Settings:
        """Return these settings with those of ``other`` for what these do not say.

        Lists are joined, and a name that both tables have keeps the value of this one.
        """
        values: dict[str, Any] = {}
        for one in fields(self):
            ours, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(ours, Mapping):
                values[one.name] = {
                    **ours,
                    **{key: theirs[key] for key in theirs if key not in ours},
                }
            elif one.name in _JOINED:
                values[one.name] = (*ours, *theirs)
            else:
                is_given = bool(ours) if one.name == "targets" else ours is not None
                values[one.name] = ours if is_given else theirs
        return Settings(**values)


def read_settings(document: Mapping[str, Any], path: str) -> Settings:
    """Return the settings of the ``pyproject.toml`` that was read from ``path``.

    Raise InvalidSetting.
    """
    tool = document.get("tool", {})
    table = tool.get("lockstream", {}) if isinstance(tool, Mapping) else {}
    if not isinstance(table, Mapping):
        raise InvalidSetting(path, "", "is not a table")
    found: dict[str, Any] = {}
    for key, value in table.items():
        read = _READERS.get(key)
        if read is None:
            known = ", ".join(sorted(_READERS))
            raise InvalidSetting(path, key, "there is no such key", hint=f"known are {known}")
        try:
            found[key.replace("-", "_")] = read(value)
        except ValueError as error:
            failure = InvalidSetting(path, key, str(error))
            if example := _EXAMPLES.get(key):
                failure.hint = f"write it as {key} = {example}"
            raise failure from None
        except UsageError as error:
            raise InvalidSetting(path, key, str(error), hint=error.hint) from None
    return Settings(**found)


class _Unreadable(ValueError):
    """The value of a key is of the wrong kind; the text says what was expected."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise _Unreadable("is not a string")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Unreadable("is neither true nor false")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Unreadable("is not a list of strings")
    return tuple(value)


def _choice(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    def read(value: object) -> StrEnum:
        try:
            return kind(_text(value))
        except ValueError:
            raise _Unreadable(f"is not one of {', '.join(kind)}") from None

    return read


def _targets(value: object) -> tuple[Target, ...]:
    if not isinstance(value, list):
        raise _Unreadable("is not a list of tables")
    return tuple(target for table in value for target in _expand_target(table))


def _expand_target(table: object) -> Iterator[Target]:
    """Yield a target for each Python on each platform of one table."""
    if not isinstance(table, Mapping) or set(table) != {"python", "platform"}:
        raise _Unreadable("each target is a table of python and platform")
    pythons, platforms = (
        [value] if isinstance(value, str) else _texts(value)
        for value in (table["python"], table["platform"])
    )
    for python in pythons:
        for platform in platforms:
            yield Target.named(python, platform)


def _indexes(value: object) -> dict[str, IndexSetting]:
    return {name: _index(one) for name, one in _table(value).items()}


def _index(value: object) -> IndexSetting:
    if isinstance(value, str):
        return IndexSetting(value)
    table = _table(value)
    if not set(table) <= {"url", "explicit", "exclude-newer"} or "url" not in table:
        raise _Unreadable("each index is a URL, or a table of url, explicit and exclude-newer")
    limit = table.get("exclude-newer")
    return IndexSetting(
        _text(table["url"]),
        _flag(table.get("explicit", False)),
        None if limit is None else _moment(limit),
    )


def _sources(value: object) -> dict[NormalizedName, tuple[Pin, ...]]:
    table = _table(value)
    _named(tuple(table))
    found = {canonicalize_name(name): _pins(one) for name, one in table.items()}
    if len(found) < len(table):
        raise _Unreadable("has two spellings of one project")
    return found


def _pins(value: object) -> tuple[Pin, ...]:
    if isinstance(value, str):
        return (Pin(value),)
    return tuple(map(_pin, value if isinstance(value, list) else [value]))


def _pin(value: object) -> Pin:
    if not isinstance(value, Mapping) or not value.keys() <= {"index", *CONDITION_KEYS}:
        raise _Unreadable(
            "each source is the name of an index, or a list of tables of index with a marker, an "
            "extra or a group"
        )
    return Pin(_text(value.get("index")), read_condition(value))


def _moments(value: object) -> dict[str, str]:
    table = _table(value)
    _named(tuple(table))
    return {name: _moment(one) for name, one in table.items()}


def _moment(value: object) -> str:
    return ANY_MOMENT if value is False else _limit(value)


def _limit(value: object) -> str:
    text = _text(value)
    parse_limit(text, datetime.now(UTC))  # here its error names the file
    return text


def _names(value: object) -> tuple[str, ...]:
    return _named(_texts(value))


def _sets(value: object) -> tuple[str, ...]:
    return _named(_texts(value), sets=True)


def _named(words: tuple[str, ...], *, sets: bool = False) -> tuple[str, ...]:
    if (wrong := first_invalid_name(words, sets=sets)) is not None:
        raise _Unreadable(f"has {wrong!r}, which is not the name of a project")
    return words


def _table(value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Unreadable("is not a table")
    return value


_READERS: dict[str, Callable[[Any], Any]] = {
    "targets": _targets,
    "extras": _texts,
    "groups": _texts,
    "constraints": _texts,
    "overrides": _texts,
    "excludes": _names,
    "default-index": _text,
    "indexes": _indexes,
    "sources": _sources,
    "conflicts": read_conflicts,
    "index-strategy": _choice(Strategy),
    "find-links": _texts,
    "prerelease": _choice(Prereleases),
    "resolution": _choice(Ordering),
    "exclude-newer": _limit,
    "exclude-newer-package": _moments,
    "no-binary": _sets,
    "only-binary": _sets,
    "allow-hosts": _texts,
    "align": _flag,
    "dependency-metadata": read_stated_metadata,
    "build": read_build_settings,
}

_EXAMPLES = {
    "targets": '[{ python = ["3.12", "3.13"], platform = ["linux"] }]',
    "extras": '["docs"]',
    "groups": '["dev"]',
    "constraints": '["urllib3<3"]',
    "overrides": '["protobuf>=5"]',
    "excludes": '["pywin32"]',
    "default-index": '"https://packages.example.com/simple/"',
    "indexes": '{ ours = "https://packages.example.com/simple/" }',
    "sources": '{ our-library = "ours" }',
    "conflicts": '[[{ extra = "cpu" }, { extra = "cuda" }]]',
    "find-links": '["wheels"]',
    "exclude-newer": '"7 days"',
    "exclude-newer-package": "{ our-library = false }",
    "no-binary": '["lxml"]',
    "only-binary": '["lxml"]',
    "allow-hosts": '["files.example.com"]',
    "align": "true",
    "dependency-metadata": '[{ name = "demo", requires-dist = ["flask"] }]',
    "build": '{ demo = { environment = { CFLAGS = "-O1" } } }',
}
"""How the value of a key is written; what a choice allows, its error lists."""


assert {key.replace("-", "_") for key in _READERS} == {one.name for one in fields(Settings)}
