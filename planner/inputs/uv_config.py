"""The indexes that a user or a machine has configured for uv, outside of any project.

Source: https://docs.astral.sh/uv/concepts/configuration-files/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from executor import read_input
from planner.inputs.tool_values import refuse_repeated_names, tables_of, text_of, texts_of
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.toml import parse_toml

__all__ = ["UvConfiguration", "uv_configuration"]


_UNREAD = (
    *("build-constraint-dependencies", "constraint-dependencies", "exclude-dependencies"),
    *("exclude-newer", "exclude-newer-package", "fork-strategy", "index-strategy", "no-binary"),
    *("no-binary-package", "no-build", "no-build-package", "no-sources", "override-dependencies"),
    *("prerelease", "resolution", "torch-backend"),
)
"""Keys that change what uv locks. Here the inputs say it, so that a lock does not depend on the
machine."""


@frozen(kw_only=True)
class UvConfiguration:
    """What uv's configuration files say of indexes: first those of the user."""

    default_index: str | None = None
    indexes: tuple[str, ...] = ()
    """``URL`` or ``NAME=URL``; those that are for named projects alone are left out."""
    links: tuple[str, ...] = ()
    no_index: bool = False
    unread: tuple[str, ...] = field(default=())
    """The keys that are set, would change a plan, and are not read; each after its file."""

    def before(self, other: UvConfiguration) -> UvConfiguration:
        """Return these values, and those of ``other`` after them."""
        return UvConfiguration(
            default_index=self.default_index or other.default_index,
            indexes=(*self.indexes, *other.indexes),
            links=(*self.links, *other.links),
            no_index=self.no_index or other.no_index,
            unread=(*self.unread, *other.unread),
        )


def uv_configuration(environment: Mapping[str, str]) -> UvConfiguration:
    """Return what the configuration files of uv say that hold here. Raise UsageError if one cannot
    be read.
    """
    found = UvConfiguration()
    for path in _files(environment):
        found = found.before(_read(path, is_named=path == environment.get("UV_CONFIG_FILE")))
    return found


def _files(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the files that uv reads: one of the user, then one of the machine."""
    if environment.get("UV_NO_CONFIG", "").lower() in {"1", "true", "yes", "y", "t", "on"}:
        return
    if own := environment.get("UV_CONFIG_FILE"):
        yield own
        return
    if folder := environment.get("XDG_CONFIG_HOME"):
        yield os.path.join(folder, "uv", "uv.toml")
    elif home := environment.get("HOME"):
        yield os.path.join(home, ".config", "uv", "uv.toml")
    folders = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    machine = [os.path.join(folder, "uv", "uv.toml") for folder in folders if folder]
    yield from [one for one in (*machine, "/etc/uv/uv.toml") if os.path.isfile(one)][:1]


def _read(path: str, *, is_named: bool) -> UvConfiguration:
    try:
        return _of_document(parse_toml(read_input(path).decode()), path)
    except OSError as error:
        if not is_named:
            return UvConfiguration()
        problem = error.strerror or str(error)
    except (TypeError, ValueError) as error:
        problem = str(error)
    raise UsageError(
        f"{path}: uv's configuration cannot be read: {problem}",
        hint="correct it, or plan without it: UV_NO_CONFIG=1",
    )


def _of_document(document: Mapping[str, Any], path: str) -> UvConfiguration:
    folder = os.path.dirname(os.path.abspath(path))
    default = text_of(document.get("index-url"))
    indexes: list[str] = []
    last: list[str] = []
    links = texts_of(document.get("find-links"))
    tables = tables_of(document.get("index"))
    refuse_repeated_names(tables, "index")
    for number, one in enumerate(tables):
        url, name = text_of(one.get("url")), text_of(one.get("name"))
        if not url:
            raise ValueError(f"[[index]] {name or number} has no url")
        spelled = f"{name}={url}" if name else url
        if one.get("explicit") is True:
            continue
        if one.get("format") == "flat":
            links.append(url)
        elif one.get("default") is True:
            default = url
            last += [spelled] if name else []  # its login has the name
        else:
            indexes.append(spelled)
    return UvConfiguration(
        default_index=default,
        indexes=(*indexes, *texts_of(document.get("extra-index-url")), *last),
        links=tuple(one if "://" in one else os.path.join(folder, one) for one in links),
        no_index=document.get("no-index") is True,
        unread=tuple(f"{path}: {key}" for key in _UNREAD if key in document),
    )
