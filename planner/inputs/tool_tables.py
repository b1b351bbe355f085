"""The tables of uv, PDM, Poetry and pixi that say which index or address a project comes from.

Sources: https://docs.astral.sh/uv/reference/settings/,
https://pdm-project.org/en/latest/reference/configuration/ and
https://python-poetry.org/docs/repositories/. They are read because a public index could have
another project under the name of a private one. What is not read is named in a warning.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from packaging.utils import NormalizedName, canonicalize_name

from executor import read_input
from planner.index.indexes import Pin
from planner.inputs.pip_config import PUBLIC_INDEX
from planner.inputs.poetry_sources import read_poetry_sources
from planner.inputs.project_document import read_document
from planner.inputs.settings import IndexSetting, Settings
from planner.inputs.tool_values import (
    ToolTables,
    refuse_repeated_names,
    table_at,
    tables_of,
    texts_of,
    unread,
)
from planner.inputs.uv_table import read_uv
from schemas.toml import parse_toml

__all__ = ["read_tool_tables", "settings_document"]


_UNREAD_PDM = {"allow-prereleases": "prerelease", "respect-source-order": "index-strategy"}


_UNREAD_POETRY = {"requires-plugins": ""}


_UNREAD_PIXI = {
    "dependencies": "they are packages of conda; list what is needed from PyPI under [project]",
    "pypi-dependencies": "list them under [project]",
    "feature": "list what is needed from PyPI under [dependency-groups]",
    "pypi-options": "name its indexes in [tool.lockstream]",
}


_UNREAD_RYE = {"sources": "name its indexes in [tool.lockstream]"}


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
    pixi = unread(_without_itself(document), _UNREAD_PIXI, f"{path}: [tool.pixi]", ours)
    rye = unread(table_at(document, "tool", "rye"), _UNREAD_RYE, f"{path}: [tool.rye]", ours)
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
        addresses={
            name: tuple(replace(one, url=_absolute(one.url, folder)) for one in each)
            for name, each in found.addresses.items()
        },
        remarks=(*found.remarks, *pixi, *rye),
    )


def _without_itself(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the table of pixi; without its packages if the only one is the project itself."""
    table = table_at(document, "tool", "pixi")
    others = [
        one
        for one in table_at(table, "pypi-dependencies").values()
        if not isinstance(one, Mapping) or one.get("path") != "."
    ]
    return {key: value for key, value in table.items() if key != "pypi-dependencies" or others}


def settings_document(folder: str) -> tuple[str, Mapping[str, Any]] | None:
    """Return the path and the content of the ``pyproject.toml`` in a folder if it has a table that
    is read here, or there is a ``uv.toml``, beside which it may be absent; otherwise None.

    Raise UnreadableInput or InvalidProject.
    """
    path = os.path.join(folder, "pyproject.toml")
    document: Mapping[str, Any] = {}
    if os.path.isfile(path):
        path, document = read_document(folder)
    has_tables = not {"lockstream", *_READERS}.isdisjoint(table_at(document, "tool"))
    is_there = has_tables or os.path.isfile(os.path.join(folder, "uv.toml"))
    return (path, document) if is_there else None


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


def _read_pdm(table: Mapping[str, Any], place: str, ours: Settings) -> ToolTables:
    indexes: dict[str, IndexSetting] = {}
    pins: dict[NormalizedName, tuple[Pin, ...]] = {}
    links: list[str] = []
    trusted: list[str] = []
    default = None
    tables = tables_of(table.get("source"))
    refuse_repeated_names(tables, "tool.pdm.source")
    for number, one in enumerate(tables):
        name, url = str(one.get("name") or f"pdm-{number}"), str(one["url"])
        included = texts_of(one.get("include_packages"))
        if any("*" in pattern and pattern != "*" for pattern in included):
            if name in ours.indexes:
                continue
            raise ValueError(f"[[tool.pdm.source]] {name} selects projects by patterns")
        if texts_of(one.get("exclude_packages")) and name not in ours.indexes:
            raise ValueError(f"[[tool.pdm.source]] {name} is for all projects but some")
        if one.get("type") == "find_links":
            links.append(url)
        elif name == "pypi":
            default = url
        else:
            indexes[name] = IndexSetting(url, explicit=bool(included) and "*" not in included)
        pins.update((canonicalize_name(one), (Pin(name),)) for one in included if one != "*")
        if one.get("verify_ssl") is False and (host := urlsplit(url).netloc):
            trusted.append(host.rpartition("@")[2])
    resolution = table_at(table, "resolution")
    return ToolTables(
        settings=Settings(
            overrides=tuple(_pdm_overrides(table_at(resolution, "overrides"))),
            excludes=tuple(texts_of(resolution.get("excludes"))),
            find_links=tuple(links),
            default_index=default,
            indexes=indexes,
            sources=pins,
        ),
        trusted_hosts=tuple(trusted),
        remarks=(
            *unread(resolution, _UNREAD_PDM, f"{place} resolution", ours),
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
    tables = tables_of(table.get("source"))
    refuse_repeated_names(tables, "tool.poetry.source")
    for one in tables:
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
    dependencies = [table_at(table, "dependencies"), table_at(table, "dev-dependencies")]
    dependencies += (
        table_at(table, "group", one, "dependencies") for one in table_at(table, "group")
    )
    found = read_poetry_sources(dependencies, ours.sources)
    for source in {pin.index for each in found.pins.values() for pin in each} - indexes.keys():
        if source.lower() == "pypi":
            # Poetry knows it without a table.
            indexes[source] = IndexSetting(PUBLIC_INDEX, explicit=True)
    # With a source of its own, Poetry does not look for projects on PyPI.
    default = ordered[-1][1] if ranked["primary"] else None
    return ToolTables(
        settings=Settings(
            default_index=default,
            indexes=indexes,
            sources=found.pins,
            conflicts=found.conflicts,
        ),
        addresses=found.addresses,
        remarks=(
            *unread(table, _UNREAD_POETRY, place, ours),
            *(_prereleases(dependencies, place) if ours.prerelease is None else ()),
        ),
    )


def _prereleases(tables: Iterable[Mapping[str, Any]], place: str) -> Iterator[str]:
    """Yield a remark for each dependency of which Poetry allows pre-releases."""
    for project, value in (item for one in tables for item in one.items()):
        entries = value if isinstance(value, list) else [value]
        if any(
            isinstance(one, Mapping) and one.get("allow-prereleases") is True for one in entries
        ):
            yield (
                f"{place} {project}: allow-prereleases is not read; set prerelease in "
                "[tool.lockstream], or name a pre-release in the version"
            )


_READERS: dict[str, Callable[[Mapping[str, Any], str, Settings], ToolTables]] = {
    "uv": read_uv,
    "pdm": _read_pdm,
    "poetry": _read_poetry,
}
