"""The fields of core metadata that planning needs.

Source: https://packaging.python.org/specifications/core-metadata/.
"""

from __future__ import annotations

import email.parser
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from planner.model.dependencies import Dependency, applies, expand
from planner.model.specifiers import read_requirement
from schemas.numbers import has_huge_number

__all__ = [
    "InvalidMetadata",
    "WheelMetadata",
    "parse_metadata",
    "parse_requirement",
    "select",
    "split_headers",
]


_END_OF_HEADERS = re.compile(rb"\r?\n\r?\n")


class InvalidMetadata(ValueError):
    """A METADATA file breaks a rule that planning relies on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelMetadata:
    """The fields of core metadata that planning needs
    (https://packaging.python.org/specifications/core-metadata/).
    """

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...]
    requires_python: str | None
    extras: frozenset[NormalizedName]

    def dependencies(
        self, environment: Mapping[str, str], extra: NormalizedName | None
    ) -> tuple[Dependency, ...]:
        """Return the requirements of the distribution in ``environment``; for ``extra``, those that
        the extra adds.

        Raises InvalidMetadata if a marker cannot be evaluated.
        """
        return tuple(select(self.requires, environment, extra))


def select(
    requirements: Iterable[Requirement],
    environment: Mapping[str, str],
    extra: NormalizedName | None,
) -> Iterator[Dependency]:
    """Yield the requirements that apply in ``environment``; for ``extra``, those that apply because
    of it.

    Raises InvalidMetadata if a marker cannot be evaluated.
    """
    for requirement in requirements:
        try:
            applies_here = applies(requirement.marker, environment, extra)
            is_added = extra is None or not applies(requirement.marker, environment)
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise InvalidMetadata(f"the marker of {requirement} is invalid: {error}") from None
        if applies_here and is_added:
            yield from expand(requirement)


def split_headers(content: bytes) -> bytes:
    """Return a METADATA file without its long description."""
    return _END_OF_HEADERS.split(content, maxsplit=1)[0]


def parse_metadata(content: bytes) -> WheelMetadata:
    """Return the fields in the headers of a METADATA file.

    Raises InvalidMetadata for faults that would make planning guess. Other faults, of which old
    distributions have many, are ignored.
    """
    parser = email.parser.BytesHeaderParser()
    headers = parser.parsebytes(split_headers(content))
    name, version = headers.get("Name"), headers.get("Version")
    if version and has_huge_number(str(version)):
        raise InvalidMetadata("its metadata has a version of 1,000 digits or more")
    if not name or not version:
        raise InvalidMetadata("its metadata has no name or no version")
    try:
        return WheelMetadata(
            name=canonicalize_name(str(name).strip()),
            version=Version(str(version)),
            requires=tuple(
                parse_requirement(str(line)) for line in headers.get_all("Requires-Dist", ())
            ),
            requires_python=str(headers["Requires-Python"])
            if "Requires-Python" in headers
            else None,
            extras=frozenset(
                canonicalize_name(str(extra).strip())
                for extra in headers.get_all("Provides-Extra", ())
            ),
        )
    except InvalidVersion:
        raise InvalidMetadata(f"its metadata has the version {version!r}") from None
    except InvalidRequirement as error:
        line = str(error).partition("\n")[0]
        raise InvalidMetadata(f"its metadata has an invalid requirement: {line}") from None


@lru_cache(maxsize=1 << 16)
def parse_requirement(line: str) -> Requirement:
    """Return a dependency specifier, from a cache: the versions of one project have mostly the same
    requirements, and parsing them costs most. Raises InvalidRequirement.
    """
    return read_requirement(line)
