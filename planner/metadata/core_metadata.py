"""The fields of core metadata that planning needs.

Source: https://packaging.python.org/specifications/core-metadata/.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from planner.metadata.requirements_by_extra import RequirementsByExtra
from planner.model.dependencies import Dependency, MarkerEvaluator, expand_required
from planner.model.specifiers import read_requirement
from schemas.numbers import has_huge_number

__all__ = [
    "InvalidMetadata",
    "WheelMetadata",
    "parse_metadata",
    "parse_requirement",
    "read_fields",
    "select",
    "split_headers",
]


_FIELDS = ("name", "version", "requires-dist", "requires-python", "provides-extra")


# Almost all METADATA files are plain, and the parser of emails takes ten times as long.
_PLAIN = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\n(?:[\t ][^\r\n]*\n)*)+")


_FIELD = re.compile(
    rb"^(%s):[\t ]*([^\n]*)" % "|".join(_FIELDS).encode(), re.MULTILINE | re.IGNORECASE
)


_CONTINUED = re.compile(
    rb"^(?:%s):(?:[^\n]*\n[\t ]|[^\n]*[\x80-\xff])" % "|".join(_FIELDS).encode(),
    re.MULTILINE | re.IGNORECASE,
)
"""A field of several lines, or not of ASCII."""


class InvalidMetadata(ValueError):
    """A METADATA file breaks a rule that planning relies on."""


@dataclass(frozen=True, kw_only=True)
class WheelMetadata:
    """The fields of core metadata that planning needs
    (https://packaging.python.org/specifications/core-metadata/).
    """

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...]
    requires_python: str | None
    extras: frozenset[NormalizedName]

    @cached_property
    def requires_of(self) -> RequirementsByExtra:
        """Return its requirements, by the extra that can add them."""
        return RequirementsByExtra(self.requires)


def select(
    requirements: Iterable[Requirement],
    markers: MarkerEvaluator,
    extra: NormalizedName | None,
) -> Iterator[Dependency]:
    """Yield the requirements that apply in the environment of ``markers``; for ``extra``, those
    that apply because of it.

    Raises InvalidMetadata if a marker cannot be evaluated.
    """
    for requirement in requirements:
        try:
            applies_here = markers.applies(requirement.marker, extra)
            is_added = extra is None or not markers.applies(requirement.marker)
        except (UndefinedComparison, UndefinedEnvironmentName) as error:
            raise InvalidMetadata(f"the marker of {requirement} is invalid: {error}") from None
        if applies_here and is_added:
            yield from expand_required(requirement)


def split_headers(content: bytes) -> bytes:
    """Return a METADATA file without its long description."""
    ends = [at for blank in (b"\n\n", b"\n\r\n") if (at := content.find(blank)) >= 0]
    return content[: min(ends)].removesuffix(b"\r") if ends else content


def parse_metadata(content: bytes) -> WheelMetadata:
    """Return the fields in the headers of a METADATA file.

    Raises InvalidMetadata for faults that would make planning guess. Other faults, of which old
    distributions have many, are ignored.
    """
    fields = read_fields(split_headers(content))
    name, version = (next(iter(fields[one]), None) for one in ("name", "version"))
    python = next(iter(fields["requires-python"]), None)
    if version and has_huge_number(version):
        raise InvalidMetadata("its metadata has a version of 1,000 digits or more")
    if not name or not version:
        raise InvalidMetadata("its metadata has no name or no version")
    try:
        return WheelMetadata(
            name=canonicalize_name(name.strip()),
            version=Version(version),
            requires=tuple(map(parse_requirement, fields["requires-dist"])),
            requires_python=python,
            extras=frozenset(canonicalize_name(one.strip()) for one in fields["provides-extra"]),
        )
    except InvalidVersion:
        raise InvalidMetadata(f"its metadata has the version {version!r}") from None
    except InvalidRequirement as error:
        line = str(error).partition("\n")[0]
        raise InvalidMetadata(f"its metadata has an invalid requirement: {line}") from None


def read_fields(headers: bytes) -> Mapping[str, Sequence[str]]:
    """Return the values of the fields that planning needs, by their names in lower case."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    lines = headers.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    if _PLAIN.fullmatch(lines) and not _CONTINUED.search(lines):
        for name, value in _FIELD.findall(lines):
            found[name.decode().lower()].append(value.decode("ascii"))
        return found
    import email.parser  # noqa: PLC0415  # few need it, and it takes as long as this module

    message = email.parser.BytesHeaderParser().parsebytes(headers)
    for name in _FIELDS:
        # Only the line ends of a folded field are none of its text (RFC 5322, section 2.2.3).
        values = (str(value) for value in message.get_all(name, ()))
        found[name].extend(value.replace("\r", "").replace("\n", "") for value in values)
    return found


@lru_cache(maxsize=1 << 16)
def parse_requirement(line: str) -> Requirement:
    """Return a dependency specifier, from a cache: the versions of one project have mostly the same
    requirements, and parsing them costs most. Raises InvalidRequirement.
    """
    return read_requirement(line)
