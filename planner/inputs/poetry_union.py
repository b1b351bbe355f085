"""Alternatives of versions (``^1.8 || ^2.0``) as one specifier of the standard, which has none.

Ranges that meet are one range, and a gap between two is excluded by prefixes: ``^1 || ^3`` is
``>=1,<4,!=2.*``. Source: https://python-poetry.org/docs/dependency-specification/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

__all__ = ["united"]


MAX_EXCLUDED = 20
"""Prefixes in one gap; more of them are a mistake."""


@dataclass(frozen=True)
class _Range:
    """The versions of one alternative, from ``lower`` to ``upper``; None is without an end."""

    lower: Version | None = None
    upper: Version | None = None
    has_lower: bool = True
    has_upper: bool = False

    def parts(self) -> Iterator[str]:
        """Yield the comparisons that say it."""
        if self.lower is not None and self.lower == self.upper:
            yield f"=={self.lower}"
            return
        if self.lower is not None:
            yield f"{'>=' if self.has_lower else '>'}{self.lower}"
        if self.upper is not None:
            yield f"{'<=' if self.has_upper else '<'}{self.upper}"


def united(alternatives: Iterable[str]) -> str:
    """Return a specifier for what any of ``alternatives`` allows; each is a specifier itself.

    Raise ValueError if there is none.
    """
    try:
        ranges = sorted(map(_range_of, alternatives), key=_start)
    except (InvalidSpecifier, InvalidVersion):
        raise ValueError("one of its alternatives is not a version constraint") from None
    found, *rest = ranges
    excluded: list[str] = []
    for one in rest:
        if not _meet(found, one):
            excluded += _between(found, one)
        if _end(one) > _end(found):
            found = _Range(found.lower, one.upper, found.has_lower, one.has_upper)
    return ",".join([*found.parts(), *excluded])


def _range_of(text: str) -> _Range:
    found = _Range()
    for part in SpecifierSet(text):
        other = _of_part(part)
        if other.lower is not None and _start(other) > _start(found):
            found = _Range(other.lower, found.upper, other.has_lower, found.has_upper)
        if other.upper is not None and _end(other) < _end(found):
            found = _Range(found.lower, other.upper, found.has_lower, other.has_upper)
    return found


def _of_part(part: Specifier) -> _Range:
    prefix = part.version.removesuffix(".*")
    version = Version(prefix)
    match part.operator:
        case ">=":
            return _Range(lower=version)
        case ">":
            return _Range(lower=version, has_lower=False)
        case "<":
            return _Range(upper=version)
        case "<=":
            return _Range(upper=version, has_upper=True)
        case "==" if prefix != part.version:
            return _Range(version, _next(version, len(version.release)))
        case "~=":
            return _Range(version, _next(version, len(version.release) - 1))
        case "==":
            return _Range(version, version, has_upper=True)
    raise ValueError(f"{part} is among alternatives, which a version specifier cannot express")


def _next(version: Version, length: int) -> Version:
    """Return the first version after those with the first ``length`` parts of ``version``."""
    release = [*version.release[: length - 1], version.release[length - 1] + 1]
    return Version(f"{version.epoch}!{'.'.join(map(str, release))}")


def _start(one: _Range) -> tuple[bool, Version, bool]:
    return one.lower is not None, one.lower or Version("0"), not one.has_lower


def _end(one: _Range) -> tuple[bool, Version, bool]:
    return one.upper is None, one.upper or Version("0"), one.has_upper


def _meet(before: _Range, after: _Range) -> bool:
    if before.upper is None or after.lower is None or after.lower < before.upper:
        return True
    return after.lower == before.upper and (after.has_lower or before.has_upper)


def _between(before: _Range, after: _Range) -> list[str]:
    """Return comparisons that exclude what is between two ranges. Raise ValueError."""
    first, end = before.upper, after.lower
    assert first is not None
    assert end is not None
    if first.epoch == end.epoch and not before.has_upper and after.has_lower:
        length = max(len(_significant(first)), len(_significant(end)))
        start, stop = (_padded(one, length) for one in (first, end))
        count = stop[-1] - start[-1]
        plain = not any(
            one.is_prerelease or one.is_postrelease or one.local for one in (first, end)
        )
        if plain and start[:-1] == stop[:-1] and count <= MAX_EXCLUDED:
            epoch = f"{first.epoch}!" if first.epoch else ""
            head = "".join(f"{part}." for part in start[:-1])
            return [f"!={epoch}{head}{start[-1] + step}.*" for step in range(count)]
    raise ValueError(
        f"the versions between {first} and {end} are left out by its alternatives, which a version "
        "specifier cannot express"
    )


def _significant(version: Version) -> tuple[int, ...]:
    release = version.release
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def _padded(version: Version, length: int) -> tuple[int, ...]:
    release = _significant(version)
    return release + (0,) * (length - len(release))
