"""Facts of the inputs that decide about one package and that the rest of a lock does not show.

A plan records them in the package's own block, and a check computes them again. They are digests:
which hashes the inputs allow, which address they give, what is at a local address, and which files
a local folder of wheels has. In a block of their own, changes of two branches merge.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from urllib.parse import unquote, urldefrag, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    NormalizedName,
    parse_sdist_filename,
    parse_wheel_filename,
)

from executor import digest_file
from planner.index.indexes import Links
from planner.inputs.inputs import InputRequirement
from planner.inputs.question import Question
from planner.lock.markers import Conditions
from planner.model.environments import MarkerEnvironment
from planner.model.paths import relative_path
from planner.resolver.applicable import applicable
from schemas.urls import without_credentials

__all__ = ["Decisions"]


DIGITS = 16
"""Hexadecimal digits of a digest that is recorded: enough that no change goes unnoticed by chance,
and short in a diff."""

Lines = Mapping[NormalizedName, Sequence[InputRequirement]]

Value = str | list[str]
"""A fact that holds in all environments, or several, each with the marker of its environments."""


class Decisions:
    """The facts of one question, by project; made once for a plan or a check."""

    def __init__(self, question: Question, conditions: Conditions) -> None:
        self._question = question
        self._cases = question.cases
        self._conditions = conditions
        inputs = question.inputs
        lines = (*inputs.requirements, *inputs.constraints, *inputs.overrides)
        self._hashes = _by_name(line for line in lines if line.hashes)
        # An override takes the place of a requirement, with or without an address.
        overridden = {line.name for line in inputs.overrides}
        required = (line for line in inputs.requirements if line.name not in overridden)
        lines = (*required, *inputs.constraints, *inputs.overrides)
        self._addresses = _by_name(line for line in lines if line.requirement.url)
        self._links = _files_of_links(question)

    def of(self, name: NormalizedName) -> dict[str, Value]:
        """Return the facts about the project ``name``, by the key that the lock has for each."""
        found: dict[str, Value] = {}
        if files := self._links.get(name):
            found["find-links"] = _digest(sorted(files))
        facts: tuple[tuple[str, Lines, Callable[[InputRequirement], str | None]], ...] = (
            ("hashes", self._hashes, _spell_hashes),
            ("address", self._addresses, self._spell_address),
            ("content", self._addresses, _digest_content),
        )
        for key, lines, fact in facts:
            values = {
                position: _digest(sorted(texts))
                for position, environment in enumerate(self._cases)
                if (texts := _texts(lines.get(name, ()), environment, fact))
            }
            if values:
                found[key] = self._limited(values)
        return found

    def _spell_address(self, line: InputRequirement) -> str | None:
        url = line.requirement.url
        if url is None:
            return None
        path = _local_path(url)
        if path is None:
            return without_credentials(url)
        return f"{relative_path(path, self._question.folder)}#{urldefrag(url).fragment}"

    def _limited(self, values: Mapping[int, str]) -> Value:
        """Return one value if it holds everywhere, else each with the marker of its places."""
        places: dict[str, list[int]] = {}
        for position, value in values.items():
            places.setdefault(value, []).append(position)
        found = []
        for value, positions in sorted(places.items()):
            marker = self._conditions.marker({None: positions})
            if marker is None:
                return value
            found.append(f"{value}; {marker}")
        return found


def _by_name(lines: Iterable[InputRequirement]) -> Lines:
    found: dict[NormalizedName, list[InputRequirement]] = {}
    for line in lines:
        found.setdefault(line.name, []).append(line)
    return found


def _texts(
    lines: Iterable[InputRequirement],
    environment: MarkerEnvironment,
    fact: Callable[[InputRequirement], str | None],
) -> set[str]:
    return {text for line in applicable(lines, environment) if (text := fact(line))}


def _spell_hashes(line: InputRequirement) -> str | None:
    return " ".join(sorted(line.hashes)) or None


def _local_path(url: str) -> str | None:
    """Return the path that a ``file:`` URL names, without the revision of a repository."""
    parts = urlsplit(url.removeprefix("git+"))
    return os.path.normpath(unquote(parts.path)) if parts.scheme == "file" else None


def _digest_content(line: InputRequirement) -> str | None:
    """Return the digest of a file or folder of this machine; None for everything else."""
    url = line.requirement.url or ""
    path = _local_path(url)
    return None if path is None or url.startswith("git+") else _digest_path(path)


def _digest_path(path: str) -> str | None:
    with suppress(OSError):
        if os.path.isdir(path):
            # Loads the executor's rules of what a build reads; few inputs name a folder.
            from planner.lock.tree_digest import digest_of_tree  # noqa: PLC0415

            return digest_of_tree(path)
        return digest_file(path).hex()
    return None


def _files_of_links(question: Question) -> dict[NormalizedName, list[str]]:
    """Return the names of the distributions in local folders of wheels, by project."""
    found: dict[NormalizedName, list[str]] = {}
    for place in question.indexes.places:
        if isinstance(place, Links) and not place.is_page:
            with suppress(OSError):
                for filename in sorted(os.listdir(place.place)):
                    if name := _project_of(filename):
                        found.setdefault(name, []).append(filename)
    return found


@cache
def _project_of(filename: str) -> NormalizedName | None:
    with suppress(InvalidWheelFilename):
        return parse_wheel_filename(filename)[0]
    with suppress(InvalidSdistFilename):
        return parse_sdist_filename(filename)[0]
    return None


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:DIGITS]
