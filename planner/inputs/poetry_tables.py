"""The tables of Poetry in a ``pyproject.toml``: its dependencies, extras and groups, as lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.poetry import poetry_lines, poetry_specifier
from planner.inputs.project_document import InvalidProject, by_name, strings
from planner.inputs.tool_values import table_at

__all__ = ["PoetryTables"]


class PoetryTables:
    """What Poetry's tables in the ``document`` at ``path`` require. They are optional."""

    def __init__(self, document: Mapping[str, Any], path: str) -> None:
        self._path = path
        self._table = table_at(document, "tool", "poetry")

    def __bool__(self) -> bool:
        return bool(self._table)

    @property
    def name(self) -> object:
        """Return the name of the project, as it stands there; None if there is none."""
        return self._table.get("name")

    @property
    def requires_python(self) -> str | None:
        """Return the specifier of the Pythons that the project supports; None if it says nothing,
        or names alternatives, which a specifier cannot express.
        """
        python = table_at(self._table, "dependencies").get("python")
        try:
            return poetry_specifier(python) if isinstance(python, str) else None
        except ValueError:
            return None

    def dependencies(self) -> tuple[str, list[str]]:
        """Return the place and the lines of the requirements that always apply.

        Raises InvalidProject, as ``extras`` and ``groups`` do.
        """
        place = "[tool.poetry.dependencies]"
        required = (
            (name, _required(value))
            for name, value in table_at(self._table, "dependencies").items()
            if name != "python"
        )
        return place, list(self._lines(required, place))

    def extras(self) -> dict[NormalizedName, list[str]]:
        """Return the lines of the requirements of each extra."""
        found = {}
        extras = by_name(self._path, table_at(self._table, "extras"), "tool.poetry.extras")
        for extra, members in extras.items():
            place = f"[tool.poetry.extras] {extra}"
            found[extra] = list(self._lines(self._members(members, place), place))
        return found

    def groups(self) -> Iterator[tuple[str, list[Any]]]:
        """Yield the name of each dependency group, which may come twice, and its lines and the
        groups that it includes, as PEP 735 has them.
        """
        if legacy := table_at(self._table, "dev-dependencies"):
            yield "dev", list(self._lines(legacy.items(), "[tool.poetry.dev-dependencies]"))
        for name, table in table_at(self._table, "group").items():
            place = f"[tool.poetry.group.{name}"
            lines = self._lines(table_at(table, "dependencies").items(), f"{place}.dependencies]")
            included = table_at(table).get("include-groups", [])
            groups = strings(self._path, included, f"{place}] include-groups")
            yield name, [*lines, *({"include-group": one} for one in groups)]

    def _members(self, names: object, place: str) -> Iterator[tuple[str, object]]:
        """Yield the entries of the dependencies that an extra names."""
        table = table_at(self._table, "dependencies")
        known = {canonicalize_name(name): (name, value) for name, value in table.items()}
        for text in strings(self._path, names, place):
            name = canonicalize_name(text.partition("[")[0])
            if name not in known:
                problem = f"{place} names {name}, which it does not require"
                raise InvalidProject(self._path, problem)
            yield known[name]

    def _lines(self, items: Iterable[tuple[str, object]], place: str) -> Iterator[str]:
        for name, value in items:
            try:
                yield from poetry_lines(name, value)
            except ValueError as error:
                raise InvalidProject(
                    self._path,
                    f"{place} {name}: {error}",
                    hint="list it under [project] dependencies",
                ) from None


def _required(value: object) -> object:
    """Return what of an entry is required without an extra."""
    entries = value if isinstance(value, list) else [value]
    return [
        one for one in entries if not (isinstance(one, Mapping) and one.get("optional") is True)
    ]
