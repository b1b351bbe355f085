"""The option ``-e FOLDER`` of a requirements file: a project in a folder, with extras and a marker.

Source: https://pip.pypa.io/en/stable/topics/local-project-installs/#editable-installs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement

from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine
from planner.inputs.file_places import is_remote, local_path
from planner.inputs.project_document import is_project
from planner.inputs.requirement_line import parse_requirement

__all__ = ["parse_editable"]


_EDITABLE = re.compile(r"([^;\[]*?)\s*(\[[^\]]*\])?\s*(?:;\s*(.*))?")
"""The folder, the extras and the marker of ``-e``."""


def parse_editable(
    value: str, origin: str, *, written: str, file: str, is_allowed: bool
) -> tuple[Requirement, str]:
    """Return the requirement that ``-e`` with this ``value`` makes, and the folder of its project.

    ``written`` is the line in ``file``, whose kind decides whether the option ``is_allowed``.

    Raises InvalidRequirementLine and UnsupportedRequirementLine.
    """
    found = _EDITABLE.fullmatch(value)
    folder, extras, marker = found.groups(default="") if found else (value, "", "")
    # The project says its name, if its backend need not be asked.
    text = f"editable{extras} @ {folder}{marker and f' ; {marker}'}"
    beside = os.curdir if is_remote(file) else os.path.dirname(local_path(file))
    places = [
        parse_requirement(text, origin, written=written, folder=base)
        for base in (os.curdir, beside or os.curdir)
    ]
    if not is_allowed or not (places[0].url or "").startswith("file:"):
        raise UnsupportedRequirementLine(
            origin,
            "-e is only supported for a folder, in a requirements file",
            hint="for a repository, write NAME @ git+https://... without it",
        )
    return _project_at(places, origin)


def _project_at(places: Iterable[Requirement], origin: str) -> tuple[Requirement, str]:
    """Return the one of ``places``, from the working folder and from the file, where a project is,
    and its folder. pip takes the first; a lock is often checked from another folder, though.
    """
    folders = {os.path.relpath(unquote(urlsplit(one.url or "").path)): one for one in places}
    found = [one for one in folders if os.path.isdir(one) and is_project(one)]
    if len(found) > 1:
        raise InvalidRequirementLine(
            origin,
            f"there is a project in {found[0]!r}, from the working folder, and in {found[1]!r}, "
            "from the file",
            hint="go into the folder that it starts from, or write a path that only one has",
        )
    if not found:
        raise InvalidRequirementLine(
            origin,
            f"there is no project in {next(iter(folders))!r}",
            hint="correct the path, which starts from the working folder or from the file",
        )
    return folders[found[0]], found[0]
