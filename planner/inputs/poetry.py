"""The dependencies of Poetry's own table, as requirements of the standard.

Source: https://python-poetry.org/docs/dependency-specification/. Before version 2, Poetry had no
``[project]`` table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from packaging.version import InvalidVersion, Version

from planner.inputs.poetry_union import united

__all__ = ["poetry_lines", "poetry_marker", "poetry_specifier", "source_url"]


_COMPARATOR = re.compile(
    r"(?P<operator>\^|~=|~|===|==|!=|<=|>=|<|>|=)?\s*(?P<version>(?:\d+!)?[^\s,<>=!~^]+)"
)


_SUBSTITUTES = {"*", "x", "X"}


def poetry_lines(name: str, value: object) -> Iterator[str]:
    """Yield the requirements of one entry of a table of dependencies.

    Raise ValueError, which says what cannot be read.
    """
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield f"{name}{poetry_specifier(one)}"
        elif isinstance(one, Mapping):
            yield _line(name, one)
        else:
            raise ValueError(f"{name} is neither a version nor a table")  # noqa: TRY004  # the user's


def poetry_specifier(text: str) -> str:
    """Return the version specifier of a constraint such as ``^1.2``.

    Raise ValueError if the standard has none for it.
    """
    if "|" in text:
        alternatives = re.split(r"\|\|?", text)
        if not all(map(str.strip, alternatives)):
            raise ValueError(f"{text!r} has an alternative that is empty")
        try:
            return united(map(poetry_specifier, alternatives))
        except ValueError as error:
            raise ValueError(f"{text!r}: {error}") from None
    close = re.sub(r"([<>=!~^])\s+", r"\1", text.strip())
    parts = [part for part in re.split(r"[,\s]+", close) if part]
    return ",".join(filter(None, map(_comparator, parts)))


def source_url(table: Mapping[str, Any]) -> str | None:
    """Return the address of a table with ``git``, ``url`` or ``path``; None if it has none of them.

    uv's sources have the same keys. Raise ValueError.
    """
    part = table.get("subdirectory")
    fragment = f"#subdirectory={quote(str(part))}" if part else ""
    if git := table.get("git"):
        url = str(git) if "://" in str(git) else re.sub(r"^([^:/]+):", r"ssh://\1/", str(git))
        url = url.removeprefix("git+")
        named = [str(table[key]) for key in ("rev", "tag", "branch") if key in table]
        return f"git+{url}{'@' + named[0] if named else ''}{fragment}"
    if address := table.get("url"):
        return f"{address}{fragment.replace('#', '&') if '#' in str(address) else fragment}"
    if (path := table.get("path")) or (path := table.get("file")):
        return f"file:{path}{fragment}"
    return None


def poetry_marker(table: Mapping[str, Any]) -> str:
    """Return the marker that an entry has; empty if it has none. Raise ValueError."""
    markers: list[str] = []
    if isinstance(python := table.get("python"), str):
        markers += _alternatives(python, _python_markers)
    if isinstance(platform := table.get("platform"), str):
        markers += _alternatives(platform, _platform_markers)
    if isinstance(marker := table.get("markers"), str):
        markers.append(f"({marker})")
    return " and ".join(markers)


def _line(name: str, table: Mapping[str, Any]) -> str:
    extras = table.get("extras") or ()
    if not isinstance(extras, list | tuple) or not all(isinstance(one, str) for one in extras):
        raise ValueError(f"the extras of {name} are not a list of strings")
    marker = poetry_marker(table)
    start = f"{name}[{','.join(extras)}]" if extras else name
    end = f" ; {marker}" if marker else ""
    if url := source_url(table):
        return f"{start} @ {url.replace(' ', '%20')}{end}"
    return f"{start}{poetry_specifier(str(table.get('version', '*')))}{end}"


def _alternatives(text: str, markers_of: Callable[[str], list[str]]) -> list[str]:
    """Return the markers of a constraint that may have alternatives (``linux || win32``)."""
    either = [markers_of(part) for part in re.split(r"\|\|?", text)]
    if len(either) == 1 or not all(either):
        return either[0] if len(either) == 1 else []
    return [f"({' or '.join(' and '.join(markers) for markers in either)})"]


def _platform_markers(text: str) -> list[str]:
    found = re.findall(r"(!=|={0,2})\s*([^\s,=!*]+)", text)
    if re.search(r"!(?!=)", text):
        raise ValueError(f"{text!r} is not a platform; another one than NAME is !=NAME")
    return [
        f'sys_platform {operator if operator == "!=" else "=="} "{name}"'
        for operator, name in found
    ]


def _python_markers(text: str) -> list[str]:
    found = []
    for part in poetry_specifier(text).split(","):
        if comparator := _COMPARATOR.fullmatch(part):
            operator, version = comparator["operator"], comparator["version"]
            parts = version.removesuffix(".*").split(".")
            if operator in {">", "<=", "!="} and parts == version.split("."):
                # Poetry compares the whole version: 3.9.1 is above 3.9.
                parts += ["0"] * (3 - len(parts))
                version = ".".join(parts)
            variable = "python_full_version" if len(parts) > 2 else "python_version"
            found.append(f'{variable} {operator} "{version}"')
    return found


def _comparator(part: str) -> str:
    if part in _SUBSTITUTES:
        return ""
    found = _COMPARATOR.fullmatch(part)
    if found is None:
        raise ValueError(f"{part!r} is not a version constraint")
    operator, version = found["operator"] or "==", found["version"]
    if operator in {"^", "~"}:
        return _range(operator, version)
    if operator == "=":
        operator = "=="
    if operator[0] in "<>":
        version = version.removesuffix(".*")
    return f"{operator}{version}"


def _range(operator: str, text: str) -> str:
    """Return the range of a caret or tilde constraint: up to the next release of the part that the
    operator keeps.
    """
    try:
        version = Version(text.removesuffix(".*"))
    except InvalidVersion:
        raise ValueError(f"{text!r} is not a version") from None
    release = version.release
    if operator == "~":
        kept = min(len(release), 2) - 1
    else:
        kept = next((at for at, part in enumerate(release) if part), len(release) - 1)
    upper = [*release[:kept], release[kept] + 1]
    epoch = f"{version.epoch}!" if version.epoch else ""
    return f">={text.removesuffix('.*')},<{epoch}{'.'.join(map(str, upper))}"
