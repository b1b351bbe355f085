"""Options of a command line, recorded in the lock so that the next plan keeps them.

Each group of options is a frozen dataclass whose defaults mean "not given". A group becomes a TOML
table of what was given, and a table becomes a group again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, replace
from typing import Any, ClassVar, Protocol, TypeVar

__all__ = ["given_fields", "keep_recorded", "options_from_table", "options_to_table"]


class Options(Protocol):
    """An instance of a dataclass whose defaults mean "not given"."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=Options)


def options_to_table(options: Options) -> dict[str, Any]:
    """Return the options that were given, by their name in TOML."""
    table: dict[str, Any] = {}
    for name in given_fields(options):
        value = getattr(options, name)
        is_list = isinstance(value, Sequence) and not isinstance(value, str)
        table[name.replace("_", "-")] = list(value) if is_list else value
    return table


def options_from_table(kind: type[T], table: object) -> T:
    """Return what ``options_to_table`` recorded. Values of a wrong type count as not given."""
    found: dict[str, Any] = {}
    if isinstance(table, Mapping):
        for field in fields(kind):
            value = table.get(field.name.replace("_", "-"))
            if value is not None and _is_of_type(value, field):
                found[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**found)


def keep_recorded(given: T, recorded: T) -> T:
    """Return the options that are given, and those recorded that ``given`` does not replace."""
    kept = {name: getattr(recorded, name) for name in given_fields(recorded)}
    for name in given_fields(given):
        kept.pop(name, None)
    return replace(given, **kept)


def given_fields(options: Options) -> list[str]:
    """Return the names of the fields that do not have their default."""
    found = []
    for field in fields(options):
        value, default = getattr(options, field.name), _default(field)
        is_empty = isinstance(default, tuple) and not value
        if value != default and not is_empty:
            found.append(field.name)
    return found


def _default(field: Field[Any]) -> object:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _is_of_type(value: object, field: Field[Any]) -> bool:
    """Return whether ``value`` may stand in the field; annotations are texts."""
    if isinstance(value, list):
        of_texts = all(isinstance(one, str) for one in value)
        return of_texts and str(field.type).startswith(("Sequence[str]", "tuple[str"))
    return type(value).__name__ in {part.strip() for part in str(field.type).split("|")}
