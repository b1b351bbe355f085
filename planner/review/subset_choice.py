"""What a subset of a lock is made of, and how a subset records it, so that it can be made again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from packaging.pylock import Pylock

from executor import SelectOptions
from planner.model.paths import relative_path
from schemas.data_class import frozen
from schemas.hints import tool_value

__all__ = ["PLANNED", "SUBSET", "SubsetChoice", "SubsetOrigin"]


SUBSET = "subset"
"""The table in ``[tool.lockstream]`` of a subset."""

PLANNED = "planned"
"""The key in it that says that a plan recorded what the packages require."""


@frozen(kw_only=True)
class SubsetChoice:
    """What a user selects of a lock, as a command line names it. Folders are relative to the
    working folder.
    """

    extras: tuple[str, ...] = ()
    all_extras: bool = False
    groups: tuple[str, ...] = ()
    all_groups: bool = False
    no_default_groups: bool = False
    packages: tuple[str, ...] = ()
    """Names of packages, which stay with what they require; empty for all."""
    without: tuple[str, ...] = ()
    """Names of packages that are left out with what they require."""
    projects: tuple[str, ...] = ()
    """Folders of projects of which the requirements stay."""
    python_versions: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()

    @property
    def select(self) -> SelectOptions:
        """Return the same choice of extras and groups for an execution."""
        return SelectOptions(
            extras=frozenset(self.extras),
            all_extras=self.all_extras,
            groups=frozenset(self.groups),
            all_groups=self.all_groups,
            default_groups=not self.no_default_groups,
            build=True,
        )

    def to_table(self, folder: str) -> dict[str, Any]:
        """Return the TOML keys for a lock in ``folder``, without those that are not given."""
        table: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "projects":
                value = [relative_path(path, folder) for path in value]
            if value:
                ordered = value if isinstance(value, bool) else sorted(set(value))
                table[field.name.replace("_", "-")] = ordered
        return table

    @classmethod
    def from_table(cls, table: Mapping[str, Any], folder: str) -> SubsetChoice:
        """Return what ``to_table`` recorded; what is malformed counts as not given."""
        known: dict[str, Any] = {}
        for field in fields(cls):
            value = table.get(field.name.replace("_", "-"))
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                if field.name == "projects":
                    value = [os.path.normpath(os.path.join(folder, one)) for one in value]
                known[field.name] = tuple(value)
            elif value is True:
                known[field.name] = True
        flags = {"all_extras", "all_groups", "no_default_groups"}
        return cls(**{key: one for key, one in known.items() if (one is True) == (key in flags)})

    def words(self) -> list[str]:
        """Return the options of the command line."""
        found: list[str] = []
        for field in fields(self):
            value = getattr(self, field.name)
            option = "--" + field.name.replace("_", "-")
            if value is True:
                found.append(option)
            elif value:
                option = option if field.name == "without" else option.removesuffix("s")
                found += (word for one in value for word in (option, one))
        return found


@frozen(kw_only=True)
class SubsetOrigin:
    """The lock that a subset was made of, and the choice."""

    path: str
    """The path of that lock, as it is found from the working folder."""
    choice: SubsetChoice

    @classmethod
    def of(cls, lock: Pylock, path: str) -> SubsetOrigin | None:
        """Return what the ``lock`` at ``path`` records; None if it is not a subset."""
        table = tool_value(lock.tool, SUBSET)
        origin = table.get("of") if isinstance(table, Mapping) else None
        if not isinstance(table, Mapping) or not isinstance(origin, str):
            return None
        folder = os.path.dirname(path)
        return cls(
            path=os.path.normpath(os.path.join(folder, origin)),
            choice=SubsetChoice.from_table(table, folder),
        )

    def to_table(self, folder: str) -> dict[str, Any]:
        """Return the TOML table for a subset in ``folder``."""
        return {"of": relative_path(self.path, folder), **self.choice.to_table(folder)}

    def command(self, output: str) -> str:
        """Return the command that writes the subset to ``output`` again."""
        words = ["lockstream", "subset", self.path, *self.choice.words(), "-o", output]
        return shlex.join(words)
