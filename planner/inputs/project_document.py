"""The document of a project: its ``pyproject.toml``, or the metadata in a script."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.pylock import is_valid_pylock_path
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from executor import read_input
from planner.inputs.errors import InvalidRequirementLine, UnreadableInput
from planner.inputs.requirements_text import decode
from planner.inputs.script import SCRIPT, parse_script
from schemas.data_class import with_fields
from schemas.errors import InvalidInput, SubjectProblem
from schemas.text import MERGE_CONFLICT, conflict_line, enumerate_some, lock_command
from schemas.toml import parse_toml

__all__ = [
    "InvalidProject",
    "by_name",
    "hint_for_folder",
    "is_legacy",
    "is_project",
    "is_script",
    "listed",
    "read_document",
    "refuse_conflict",
    "refuse_project",
    "strings",
    "valid_name",
]


MAX_LISTED = 20
"""Names that a message shows."""


_FILES = ("requirements.in", "requirements.txt")
"""Requirements files, the one that people write first."""


_ENDINGS = (".py", ".toml", ".txt", ".in", ".cfg", ".lock", ".yml", ".yaml", ".whl", ".gz")
"""Of files that users name."""


_LEGACY = ("setup.py", "setup.cfg")
"""Files of setuptools from before ``pyproject.toml``."""


_CONDA = "write its requirements from PyPI into a requirements file"


_FOREIGN = {
    "Pipfile": "write its requirements into a [project] table of a pyproject.toml, or plan what "
    "pipenv requirements prints, with -r",
    "environment.yml": _CONDA,
    "environment.yaml": _CONDA,
    "pixi.toml": _CONDA,
}
"""Files of other tools that are not read, and what to do instead."""


_LOCKS = {
    "Pipfile.lock": "plan what pipenv requirements prints, with -r",
    "conda-lock.yml": _CONDA,
    "pdm.lock": "pdm export --format pylock -o pylock.toml keeps its versions; then lockstream "
    "plan",
    "pixi.lock": _CONDA,
    "poetry.lock": "plan the folder of the project: lockstream plan",
    "uv.lock": "uv export --format pylock.toml -o pylock.toml keeps its versions; then lockstream "
    "plan",
}
"""Locks, which are not inputs, and what to do instead."""


@with_fields
class InvalidProject(SubjectProblem, InvalidInput):
    """A ``pyproject.toml`` lacks what planning needs, or holds it in the wrong form."""

    path: str
    problem: str
    hint: str = "correct it in this file, then run the command again"


def is_project(place: str) -> bool:
    """Return if ``place`` is a script, a ``pyproject.toml`` or a folder that has a project."""
    return (
        os.path.isfile(place)
        or os.path.isfile(os.path.join(place, "pyproject.toml"))
        or is_legacy(place)
    )


def is_script(place: str) -> bool:
    """Return if ``place`` is the path of a script."""
    is_file = place.endswith(".py") or os.path.isfile(place)
    return is_file and os.path.basename(place) != "pyproject.toml"


def is_legacy(folder: str) -> bool:
    """Return if ``folder`` has the files of setuptools from before ``pyproject.toml``."""
    return any(os.path.isfile(os.path.join(folder, one)) for one in _LEGACY)


def read_document(place: str) -> tuple[str, Mapping[str, Any]]:
    """Return the path and the content of the ``pyproject.toml`` in ``place``, or of the metadata of
    a script if ``place`` is the path of one.

    A folder without a ``pyproject.toml`` has an empty document if it has a ``setup.py``. Raise
    UnreadableInput or InvalidProject.
    """
    is_toml = os.path.basename(place) == "pyproject.toml"
    path = os.path.normpath(
        place if is_script(place) or is_toml else os.path.join(place, "pyproject.toml")
    )
    if not os.path.exists(path) and is_legacy(place):
        return path, {}
    try:
        content = read_input(path)
        # Python reads a script in the encoding that its first lines name.
        text = decode(content) if is_script(place) else content.decode()
        return path, parse_script(text) if is_script(place) else parse_toml(text)
    except OSError as error:
        raise UnreadableInput.because(path, error) from None
    except tomllib.TOMLDecodeError as error:
        refuse_conflict(path, content.decode(errors="replace"))
        raise InvalidProject(path, f"not valid TOML: {error}") from None
    except UnicodeDecodeError as error:
        problem = f"byte {error.start} is not UTF-8 text"
        raise InvalidProject(path, problem, hint="save it as UTF-8") from None
    except ValueError as error:
        raise InvalidProject(path, str(error), hint=_hint_for(place, str(error))) from None


def valid_name(path: str, text: str, place: str) -> NormalizedName:
    """Return the normalized name of an extra or a group, which stands at ``place`` in the document
    at ``path``. Raise InvalidProject for another text.
    """
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName:
        raise InvalidProject(
            path,
            f"{place} has the name {text!r}",
            hint="a name has letters, digits, and - _ . between them",
        ) from None


def by_name(path: str, table: Mapping[str, Any], place: str) -> dict[NormalizedName, Any]:
    """Return the entries of ``table`` by their normalized names, of which there may be no two
    (PEP 685). Raise InvalidProject.
    """
    found: dict[NormalizedName, Any] = {}
    for text, value in table.items():
        name = valid_name(path, text, f"[{place}]")
        if name in found:
            raise InvalidProject(
                path,
                f"[{place}] has two spellings of {name}",
                hint="give one of them another name, or merge them",
            )
        found[name] = value
    return found


def strings(path: str, value: object, place: str) -> list[str]:
    """Return ``value``, which is a list of strings. Raise InvalidProject if it is not."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InvalidProject(path, f"{place} is not a list of strings")
    return value


def listed(names: Iterable[str]) -> str:
    """Return names as a message shows them."""
    return enumerate_some(sorted(names), MAX_LISTED) or "none"


def refuse_conflict(path: str, text: str) -> None:
    """Raise InvalidRequirementLine if an input has both sides of a merge in it."""
    if line := conflict_line(text):
        raise InvalidRequirementLine(
            f"{path}:{line}",
            MERGE_CONFLICT,
            hint="keep the lines that are wanted, remove the marks, and run the command again",
        )


def refuse_project(path: str, text: str) -> None:
    """Raise UnreadableInput if what stands in the place of a requirements file, with this ``text``,
    is a project, a script or a file of another tool. Of a script only comments would be read.
    """
    is_here = path != "-" and "://" not in path
    if SCRIPT.search(text):
        hint = "plan it without -r: lockstream plan " + (path if is_here else "SCRIPT, a file")
        raise UnreadableInput(path, "it is a script, not a requirements file", hint)
    if is_here and (hint := _hint_for_file(path)):
        raise UnreadableInput(path, "it is not a requirements file", hint)


def _hint_for(place: str, problem: str) -> str:
    if "script" not in problem:
        return InvalidProject.hint
    if place.endswith((".txt", ".in")):
        return "name requirements files with -r"
    return _hint_for_file(place) or (
        "name a script with inline metadata (PEP 723), a folder with a pyproject.toml, or a "
        "requirements file with -r"
    )


def _hint_for_file(path: str) -> str:
    folder, name = os.path.split(path)
    if name in {"pyproject.toml", *_LEGACY}:
        return f"plan its folder: lockstream plan {folder or os.curdir}"
    if is_valid_pylock_path(Path(name)):
        return f"{name} is a lock; plan it again: {lock_command('plan', path)}"
    way = _FOREIGN.get(name) or _LOCKS.get(name)
    return f"{name} is not read; {way}" if way else ""


def hint_for_folder(folder: str) -> str:
    """Return what to do with a folder without a project, given the files that it has; or with what
    was meant as a requirement.
    """
    if not os.path.exists(folder) and (name := _required_name(folder)):
        return (
            f"requirements are read from files: write {folder} into requirements.in, then run "
            f"lockstream plan -r requirements.in; for a package of the lock: lockstream plan "
            f"--upgrade-package {name}"
        )
    for name in _FILES:
        if os.path.isfile(path := os.path.normpath(os.path.join(folder, name))):
            return f"plan the requirements file with -r {path}"
    for name, way in _FOREIGN.items():
        if os.path.isfile(os.path.join(folder, name)):
            return f"{name} is not read; {way}"
    return (
        "name what to plan: lockstream plan -r FILE, or lockstream plan FOLDER of a pyproject.toml"
    )


def _required_name(text: str) -> str:
    """Return the name of the project that ``text`` requires; empty if it is not a requirement, or
    the name of a file.
    """
    if text.endswith(_ENDINGS):
        return ""
    try:
        return Requirement(text).name
    except InvalidRequirement:
        return ""
