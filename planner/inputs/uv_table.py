"""The table of uv: indexes, addresses and members of the workspace.

Source: https://docs.astral.sh/uv/reference/settings/.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.index.indexes import Pin
from planner.inputs.addresses import StatedAddress
from planner.inputs.build_settings import BuildSetting, check_requirement
from planner.inputs.conditions import read_condition
from planner.inputs.conflicts import Conflicts, read_conflicts
from planner.inputs.poetry import source_url
from planner.inputs.settings import IndexSetting, Settings
from planner.inputs.stated_metadata import StatedMetadata, read_stated_metadata
from planner.inputs.tool_values import (
    ToolTables,
    refuse_repeated_names,
    table_at,
    tables_of,
    text_of,
    texts_of,
    unread,
)
from planner.inputs.uv_policy import read_moment, read_uv_policy
from planner.model.conditions import Condition

__all__ = ["read_uv"]


_UNREAD = {
    "build-constraint-dependencies": "name a file of them with --build-constraint",
    "config-settings": "build",
    "config-settings-package": "build",
    "default-groups": "name the groups where they are installed (execute --group)",
    "environments": "targets",
    "extra-build-variables": "build",
    "fork-strategy": "align",
    "index-strategy": "index-strategy",
    "prerelease": "prerelease",
    "required-environments": "targets",
    "resolution": "resolution",
}
"""Keys of ``[tool.uv]`` that change what uv locks, with the key of ``[tool.lockstream]`` that says
it, or what else does; empty if nothing does."""


_POLICY = frozenset({"prerelease", "resolution", "index-strategy"})
"""Those of which some values are read."""


def read_uv(table: Mapping[str, Any], place: str, ours: Settings) -> ToolTables:
    """Return what counts of ``[tool.uv]`` in the file at ``place``, next to settings of ``ours``.

    Raise ValueError.
    """
    table = _without_unused_sources(table)
    pins, addresses, members = _read_sources(table_at(table, "sources"), ours)
    named = {one.index for each in pins.values() for one in each}
    found = _read_indexes(table, named, ours)
    build, remarks = _read_builds(table_at(table, "extra-build-dependencies"), place, ours)
    pythons, empty = _read_group_pythons(table_at(table, "dependency-groups"), place)
    settings = found.settings
    policy, meaningless = read_uv_policy(table)
    rest = {key: one for key, one in table.items() if key not in _POLICY or key in meaningless}
    return replace(
        found,
        settings=replace(
            settings.with_defaults(policy),
            constraints=tuple(texts_of(table.get("constraint-dependencies"))),
            overrides=tuple(texts_of(table.get("override-dependencies"))),
            excludes=tuple(texts_of(table.get("exclude-dependencies"))),
            find_links=(*texts_of(table.get("find-links")), *settings.find_links),
            sources=pins,
            conflicts=_read_conflicts(table),
            dependency_metadata=_read_metadata(table),
            build=build,
        ),
        addresses=addresses,
        members=members,
        group_pythons=pythons,
        no_index=found.no_index or table.get("no-index") is True,
        remarks=(*unread(rest, _UNREAD, place, ours), *remarks, *empty),
    )


def _read_group_pythons(
    table: Mapping[str, Any], place: str
) -> tuple[dict[NormalizedName, Marker], list[str]]:
    """Return the Pythons that groups are for, and remarks on them. Raise ValueError."""
    found: dict[NormalizedName, Marker] = {}
    remarks = []
    for name, one in table.items():
        text = text_of(one.get("requires-python"))
        if not text:
            continue
        try:
            parts = sorted(SpecifierSet(text), key=str)
        except InvalidSpecifier:
            raise ValueError(
                f"[tool.uv] dependency-groups {name}: requires-python is not a version specifier"
            ) from None
        limits = (f'python_full_version {part.operator} "{part.version}"' for part in parts)
        found[canonicalize_name(name)] = Marker(" and ".join(limits))
        remarks.append(f"{place} dependency-groups: {name} is empty for other Pythons than {text}")
    return found, remarks


def _without_unused_sources(table: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``table`` without the sources that it says not to use."""
    if table.get("no-sources") is True:
        return {**table, "sources": {}}
    unused = set(map(canonicalize_name, texts_of(table.get("no-sources-package"))))
    sources = table_at(table, "sources").items()
    used = {project: one for project, one in sources if canonicalize_name(project) not in unused}
    return {**table, "sources": used}


def _read_metadata(table: Mapping[str, Any]) -> tuple[StatedMetadata, ...]:
    try:
        return read_stated_metadata(table.get("dependency-metadata", []))
    except ValueError as error:
        raise ValueError(f"[[tool.uv.dependency-metadata]] {error}") from None


def _read_conflicts(table: Mapping[str, Any]) -> Conflicts:
    try:
        return read_conflicts(table.get("conflicts", []))
    except ValueError as error:
        raise ValueError(f"[tool.uv] conflicts: {error}") from None


def _read_indexes(table: Mapping[str, Any], named: Collection[str], ours: Settings) -> ToolTables:
    """Return the indexes, of which sources name those of the names ``named``."""
    indexes: dict[str, IndexSetting] = {}
    last: dict[str, IndexSetting] = {}
    links: list[str] = []
    default = table.get("index-url")
    tables = tables_of(table.get("index"))
    refuse_repeated_names(tables, "tool.uv.index")
    if sum(one.get("default") is True for one in tables) > 1:
        raise ValueError("[[tool.uv.index]] has several with default = true")
    for number, one in enumerate(tables):
        if "url" not in one:
            raise ValueError(f"[[tool.uv.index]] {one.get('name') or number} has no url")
        limit = one.get("exclude-newer")
        setting = IndexSetting(
            str(one["url"]),
            one.get("explicit") is True,
            read_moment(limit),
        )
        name = str(one.get("name") or f"uv-{number}")
        is_default = one.get("default") is True
        if one.get("format") == "flat":
            if setting.explicit or name in named or (is_default and len(tables) > 1):
                if name in ours.indexes:
                    continue
                raise ValueError(f"[[tool.uv.index]] {name} has links for some projects alone")
            links.append(setting.url)
        elif is_default:
            default = setting.url
            if one.get("name") or limit is not None:
                # Sources may name it, and all others go before it.
                last[name] = replace(setting, explicit=False)
        else:
            indexes[name] = setting
    for number, url in enumerate(texts_of(table.get("extra-index-url"))):
        indexes.setdefault(f"uv-extra-{number}", IndexSetting(url))
    return ToolTables(
        settings=Settings(
            find_links=tuple(links),
            default_index=str(default) if default else None,
            indexes={**indexes, **last},
        ),
        # Links that are the default index leave no other.
        no_index=bool(links) and tables[0].get("default") is True,
    )


def _read_sources(
    table: Mapping[str, Any], ours: Settings
) -> tuple[
    dict[NormalizedName, tuple[Pin, ...]],
    dict[NormalizedName, tuple[StatedAddress, ...]],
    frozenset[NormalizedName],
]:
    """Return the indexes, the addresses, and the members of the workspace, by project."""
    pins: dict[NormalizedName, tuple[Pin, ...]] = {}
    addresses: dict[NormalizedName, tuple[StatedAddress, ...]] = {}
    members: set[NormalizedName] = set()
    for project, value in table.items():
        name = canonicalize_name(project)
        if name in ours.sources:
            continue
        sources = tables_of(value if isinstance(value, list) else [value])
        if not sources:
            raise ValueError(f"[tool.uv.sources] {project} names no source")
        for one in sources:
            try:
                where = read_condition(one)
            except ValueError as error:
                raise ValueError(f"[tool.uv.sources] {project} {error}") from None
            if one.get("workspace") is True:
                if where != Condition() or len(sources) > 1:
                    problem = "is a member of the workspace under a condition"
                    raise ValueError(f"[tool.uv.sources] {project} {problem}")
                members.add(name)
            elif index := one.get("index"):
                pins[name] = (*pins.get(name, ()), Pin(str(index), where))
            elif url := source_url(one):
                addresses[name] = (*addresses.get(name, ()), StatedAddress(url, where))
            else:
                raise ValueError(f"[tool.uv.sources] {project} names no source")
    return pins, addresses, frozenset(members)


def _read_builds(
    table: Mapping[str, Any], place: str, ours: Settings
) -> tuple[dict[str, BuildSetting], list[str]]:
    """Return what uv adds to the requirements of builds, by project, and what is not read of it."""
    found: dict[str, BuildSetting] = {}
    remarks: list[str] = []
    known = {canonicalize_name(name) for name in ours.build}
    for project, value in table.items():
        if (name := canonicalize_name(project)) in known:
            continue
        key = f"extra-build-dependencies.{project}"
        texts: list[str] = []
        if not isinstance(value, list):
            raise TypeError("a list of requirements was expected")
        for one in value:
            entry = one if isinstance(one, Mapping) else {"requirement": one}
            texts += texts_of(entry.get("requirement"))
            check_requirement(f"{place} {key}", texts[-1])
            if entry.get("match-runtime"):
                remarks.append(
                    f"{place} {key}: match-runtime is not read; to build with the version of "
                    f"{texts[-1]} that the lock has, name it here"
                )
        found[name] = BuildSetting(requires=tuple(texts))
    return found, remarks
