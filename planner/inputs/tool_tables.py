"""The tables of uv, PDM and Poetry that say which index or address a project comes from.

Sources: https://docs.astral.sh/uv/reference/settings/,
https://pdm-project.org/en/latest/reference/configuration/ and
https://python-poetry.org/docs/repositories/. They are read because a public index could have
another project under the name of a private one. What is not read is named in a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name

from executor import read_input
from planner.inputs.build_settings import BuildSetting, check_requirement
from planner.inputs.pip_config import PUBLIC_INDEX
from planner.inputs.poetry import source_url
from planner.inputs.settings import IndexSetting, Settings
from schemas.data_class import frozen
from schemas.toml import parse_toml

__all__ = ["ToolTables", "read_tool_tables", "table_at"]


_UNREAD_UV = {
    "build-constraint-dependencies": "name a file of them with --build-constraint",
    "config-settings": "build",
    "config-settings-package": "build",
    "conflicts": "plan what conflicts apart (--no-extra, --no-group), in a lock of its own (-o)",
    "dependency-groups": "targets",
    "dependency-metadata": "",
    "environments": "targets",
    "exclude-newer": "exclude-newer",
    "exclude-newer-package": "exclude-newer-package",
    "extra-build-variables": "build",
    "fork-strategy": "align",
    "index-strategy": "index-strategy",
    "no-binary": "no-binary",
    "no-binary-package": "no-binary",
    "no-build": "only-binary",
    "no-build-package": "only-binary",
    "no-sources": "",
    "no-sources-package": "",
    "prerelease": "prerelease",
    "required-environments": "targets",
    "resolution": "resolution",
}
"""Keys of ``[tool.uv]`` that change what uv locks, with the key of ``[tool.lockstream]`` that says
it, or what else does; empty if nothing does."""


_UNREAD_PDM = {"allow-prereleases": "prerelease", "respect-source-order": "index-strategy"}


_UNREAD_POETRY = {"requires-plugins": ""}


@frozen(kw_only=True)
class ToolTables:
    """What the tables of other tools say, in the terms of ``[tool.lockstream]``; a value."""

    settings: Settings = field(default_factory=Settings)
    addresses: Mapping[NormalizedName, str] = field(default_factory=dict)
    """The address that takes the place of a version, by project; empty if there are several."""
    members: frozenset[NormalizedName] = frozenset()
    """The projects that are members of the workspace."""
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    """Warnings about keys that are not read."""

    def with_defaults(self, other: ToolTables) -> ToolTables:
        """Return these tables with those of ``other`` for what these do not say."""
        return ToolTables(
            settings=self.settings.with_defaults(other.settings),
            addresses={**other.addresses, **self.addresses},
            members=self.members | other.members,
            no_index=self.no_index or other.no_index,
            trusted_hosts=self.trusted_hosts + other.trusted_hosts,
            remarks=self.remarks + other.remarks,
        )


def read_tool_tables(document: Mapping[str, Any], path: str, ours: Settings) -> ToolTables:
    """Return what the tables in the ``pyproject.toml`` at ``path`` say. What ``ours`` say instead
    need not be readable.

    Raise ValueError, which says which key cannot be read.
    """
    found = ToolTables()
    folder = os.path.dirname(os.path.abspath(path))
    for name, read in _READERS.items():
        table = table_at(document, "tool", name)
        if name == "uv":
            # uv reads this file in the place of the table, except for the sources.
            table = {**table, **_read_toml(os.path.join(folder, "uv.toml"))}
        if table:
            try:
                found = found.with_defaults(read(table, f"{path}: [tool.{name}]", ours))
            except (AttributeError, TypeError) as error:
                raise ValueError(f"[tool.{name}] is not as {name} has it: {error}") from None
    links = tuple(
        one if "://" in one else os.path.join(folder, one) for one in found.settings.find_links
    )
    indexes = {
        name: replace(one, url=_from_folder(one.url, folder))
        for name, one in found.settings.indexes.items()
    }
    default = found.settings.default_index
    return replace(
        found,
        settings=replace(
            found.settings,
            find_links=links,
            indexes=indexes,
            default_index=default and _from_folder(default, folder),
        ),
        addresses={name: _absolute(url, folder) for name, url in found.addresses.items()},
    )


def _read_toml(path: str) -> Mapping[str, Any]:
    """Return the document at ``path``; an empty one if there is none. Raise ValueError."""
    try:
        return parse_toml(read_input(path).decode())
    except OSError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _from_folder(url: str, folder: str) -> str:
    """Return the URL of an index, which may be a path from ``folder``."""
    if ":" in url or url.startswith("$"):
        return url
    return Path(os.path.abspath(os.path.join(folder, url))).as_uri()


def _absolute(address: str, folder: str) -> str:
    """Return the address of a path from ``folder``, and any other as it is."""
    if not address.startswith("file:") or address.startswith("file:/"):
        return address
    path, hash_sign, fragment = address.removeprefix("file:").partition("#")
    return f"file:{quote(os.path.join(folder, path))}{hash_sign}{fragment}"


def table_at(document: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    """Return the table at ``keys``; an empty one if there is something else."""
    table: object = document
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def _read_uv(table: Mapping[str, Any], place: str, ours: Settings) -> ToolTables:
    pins, addresses, members = _read_uv_sources(table_at(table, "sources"), ours)
    found = _read_uv_indexes(table, set(pins.values()), ours)
    build, remarks = _read_uv_builds(table_at(table, "extra-build-dependencies"), place, ours)
    settings = found.settings
    return replace(
        found,
        settings=replace(
            settings,
            constraints=tuple(_texts(table.get("constraint-dependencies"))),
            overrides=tuple(_texts(table.get("override-dependencies"))),
            excludes=tuple(_texts(table.get("exclude-dependencies"))),
            find_links=(*_texts(table.get("find-links")), *settings.find_links),
            sources=pins,
            build=build,
        ),
        addresses=addresses,
        members=members,
        no_index=found.no_index or table.get("no-index") is True,
        remarks=(*_unread(table, _UNREAD_UV, place, ours), *remarks),
    )


def _read_uv_indexes(
    table: Mapping[str, Any], named: Collection[str], ours: Settings
) -> ToolTables:
    """Return the indexes, of which sources name those of the names ``named``."""
    indexes: dict[str, IndexSetting] = {}
    last: dict[str, IndexSetting] = {}
    links: list[str] = []
    default = table.get("index-url")
    tables = _tables(table.get("index"))
    for number, one in enumerate(tables):
        setting = IndexSetting(str(one["url"]), one.get("explicit") is True)
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
            if one.get("name"):
                # Sources may name it, and all others go before it.
                last[name] = IndexSetting(setting.url)
        else:
            indexes[name] = setting
    for number, url in enumerate(_texts(table.get("extra-index-url"))):
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


def _read_uv_sources(
    table: Mapping[str, Any], ours: Settings
) -> tuple[dict[NormalizedName, str], dict[NormalizedName, str], frozenset[NormalizedName]]:
    """Return the names of indexes, the addresses, and the members of the workspace, by project."""
    pins: dict[NormalizedName, str] = {}
    addresses: dict[NormalizedName, str] = {}
    members: set[NormalizedName] = set()
    for project, value in table.items():
        name = canonicalize_name(project)
        sources = _tables(value if isinstance(value, list) else [value])
        if len(sources) != 1 or {"marker", "extra", "group"} & sources[0].keys():
            if name in ours.sources:
                continue
            raise ValueError(
                f"[tool.uv.sources] {project} depends on the environment, an extra or a group"
            )
        (source,) = sources
        if source.get("workspace") is True:
            members.add(name)
        elif index := source.get("index"):
            pins[name] = str(index)
        elif url := source_url(source):
            addresses[name] = url
        else:
            raise ValueError(f"[tool.uv.sources] {project} names no source")
    return pins, addresses, frozenset(members)


def _read_uv_builds(
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
            texts += _texts(entry.get("requirement"))
            check_requirement(f"{place} {key}", texts[-1])
            if entry.get("match-runtime"):
                remarks.append(
                    f"{place} {key}: match-runtime is not read; to build with the version of "
                    f"{texts[-1]} that the lock has, name it here"
                )
        found[name] = BuildSetting(requires=tuple(texts))
    return found, remarks


def _read_pdm(table: Mapping[str, Any], place: str, ours: Settings) -> ToolTables:
    indexes: dict[str, IndexSetting] = {}
    pins: dict[NormalizedName, str] = {}
    links: list[str] = []
    trusted: list[str] = []
    default = None
    for number, one in enumerate(_tables(table.get("source"))):
        name, url = str(one.get("name") or f"pdm-{number}"), str(one["url"])
        included = _texts(one.get("include_packages"))
        if any("*" in pattern and pattern != "*" for pattern in included):
            if name in ours.indexes:
                continue
            raise ValueError(f"[[tool.pdm.source]] {name} selects projects by patterns")
        if one.get("type") == "find_links":
            links.append(url)
        elif name == "pypi":
            default = url
        else:
            indexes[name] = IndexSetting(url, explicit=bool(included) and "*" not in included)
        pins.update((canonicalize_name(one), name) for one in included if one != "*")
        if one.get("verify_ssl") is False and (host := urlsplit(url).netloc):
            trusted.append(host.rpartition("@")[2])
    resolution = table_at(table, "resolution")
    return ToolTables(
        settings=Settings(
            overrides=tuple(_pdm_overrides(table_at(resolution, "overrides"))),
            excludes=tuple(_texts(resolution.get("excludes"))),
            find_links=tuple(links),
            default_index=default,
            indexes=indexes,
            sources=pins,
        ),
        trusted_hosts=tuple(trusted),
        remarks=(
            *_unread(resolution, _UNREAD_PDM, f"{place} resolution", ours),
            *(f"{place}: the certificate of {host} is not verified" for host in trusted),
        ),
    )


def _pdm_overrides(table: Mapping[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        text = str(value)
        if "://" in text:
            yield f"{name} @ {text}"
        else:
            yield f"{name}{text}" if text[:1] in "<>=!~" else f"{name}=={text}"


def _read_poetry(table: Mapping[str, Any], place: str, ours: Settings) -> ToolTables:
    ranked: dict[str, list[tuple[str, str]]] = {"primary": [], "supplemental": []}
    indexes: dict[str, IndexSetting] = {}
    for one in _tables(table.get("source")):
        source_name = str(one["name"])
        url = PUBLIC_INDEX if source_name.lower() == "pypi" else str(one["url"])
        priority = str(one.get("priority", "primary"))
        if priority == "explicit":
            indexes[source_name] = IndexSetting(url, explicit=True)
        else:
            kind = "primary" if priority in {"primary", "default"} else "supplemental"
            ranked[kind].append((source_name, url))
    ordered = [*ranked["primary"], *ranked["supplemental"]]
    indexes = {name: IndexSetting(url) for name, url in ordered} | indexes
    pins: dict[NormalizedName, str] = {}
    addresses: dict[NormalizedName, str] = {}
    dependencies = [table_at(table, "dependencies"), table_at(table, "dev-dependencies")]
    dependencies += (
        table_at(table, "group", one, "dependencies") for one in table_at(table, "group")
    )
    for project, value in (item for one in dependencies for item in one.items()):
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, Mapping) and (source := entry.get("source")):
                pins[canonicalize_name(project)] = str(source)
            elif isinstance(entry, Mapping) and (address := source_url(entry)):
                name = canonicalize_name(project)
                addresses[name] = address if addresses.get(name, address) == address else ""
    # With a source of its own, Poetry does not look for projects on PyPI.
    default = ordered[-1][1] if ranked["primary"] else None
    return ToolTables(
        settings=Settings(default_index=default, indexes=indexes, sources=pins),
        addresses=addresses,
        remarks=tuple(_unread(table, _UNREAD_POETRY, place, ours)),
    )


_READERS: dict[str, Callable[[Mapping[str, Any], str, Settings], ToolTables]] = {
    "uv": _read_uv,
    "pdm": _read_pdm,
    "poetry": _read_poetry,
}


def _unread(
    table: Mapping[str, Any], keys: Mapping[str, str], place: str, ours: Settings
) -> Iterator[str]:
    for key, instead in keys.items():
        name = instead.replace("-", "_")
        if key in table and getattr(ours, name, None) in (None, (), {}):
            advice = f"set {instead} in [tool.lockstream]" if hasattr(ours, name) else instead
            yield f"{place} {key} is not read; {advice or '[tool.lockstream] has nothing like it'}"


def _tables(value: object) -> list[Mapping[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise TypeError("a list of tables was expected")
    return value


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError("a list of strings was expected")
    return value
