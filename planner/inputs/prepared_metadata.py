"""What only the build backend of a project knows: the core metadata that it prepares.

Source: https://packaging.python.org/specifications/core-metadata/.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.project_document import InvalidProject, valid_name

if TYPE_CHECKING:
    from email.message import Message

__all__ = ["PreparedMetadata"]


_EXTRA = re.compile(r'extra == "([^"]+)"')


class PreparedMetadata:
    """The core metadata of the project at ``path``, which ``prepare`` returns as text. That is
    called once, when the first field is read, and what it raises is raised by each of them.
    """

    def __init__(self, path: str, prepare: Callable[[], str]) -> None:
        self._path = path
        self._prepare = prepare

    @property
    def name(self) -> str | None:
        """Return the name of the project."""
        return self._fields.get("Name")

    @property
    def requires_python(self) -> str | None:
        """Return the specifier of the Pythons that the project supports."""
        return self._fields.get("Requires-Python")

    def extras(self) -> set[NormalizedName]:
        """Return the extras of the project. Raises InvalidProject for a name that is none."""
        names = self._fields.get_all("Provides-Extra", ())
        return {valid_name(self._path, one, "its metadata") for one in names}

    def lines(self, extra: NormalizedName | None) -> Iterator[str]:
        """Yield the requirements that apply always, or because of ``extra``. Raises
        InvalidProject.
        """
        for line in self._fields.get_all("Requires-Dist", ()):
            try:
                requirement = Requirement(line)
            except InvalidRequirement as error:
                problem = str(error).partition("\n")[0]
                raise InvalidProject(self._path, f"its metadata: {line!r}: {problem}") from None
            text = str(requirement.marker or "")
            extras = {canonicalize_name(one) for one in _EXTRA.findall(text)}
            if extra in extras or (extra is None and not extras):
                requirement.marker = _without_extra(text, extra)
                yield str(requirement)

    @cached_property
    def _fields(self) -> Message:
        # Takes as long to load as all the rest, and few projects need it.
        from email.parser import HeaderParser  # noqa: PLC0415

        return HeaderParser().parsestr(self._prepare())


def _without_extra(text: str, extra: NormalizedName | None) -> Marker | None:
    """Return the marker with the conditions on extras decided for ``extra``."""
    if extra is None:
        return Marker(text) if text else None
    shorter = re.sub(r'(?:^| and )extra == "[^"]+"$', "", text)
    if not _EXTRA.search(shorter):
        return Marker(shorter) if shorter else None

    def decided(found: re.Match[str]) -> str:
        is_it = canonicalize_name(found[1]) == extra
        return f'python_version {">=" if is_it else "<"} "0"'

    return Marker(_EXTRA.sub(decided, text))
