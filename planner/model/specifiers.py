"""Version specifiers and requirements, with repairs for malformed ones that were published.

Some hundred releases on PyPI have such specifiers, and requirements may leave no newer release.
Nothing else is guessed: a specifier that no repair makes valid stays invalid. uv repairs the same
ones.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from schemas.numbers import has_huge_number

__all__ = ["read_requirement", "read_specifiers", "with_whole_versions"]


_HUGE = "it has a number of 1,000 digits or more"


_REPAIRS = (
    (re.compile(r"^UNKNOWN$"), ""),  # what setuptools wrote for nothing
    (re.compile(r"['\"]"), ""),  # >='2.7'
    (re.compile(r"!=~\s*(\d+(?:\.\d+)*)"), r"!=\1.*"),  # !=~5.0
    (re.compile(r">\s*dev\b"), ">0.0.dev0"),  # >dev
    (re.compile(r"(?<=\d)\*"), ".*"),  # !=3.0*
    (re.compile(r"([<>]=?)\s*(\d+(?:\.\d+)*)\.\*"), r"\1\2"),  # >=3.6.*
    (re.compile(r"(?<=[\w*])\s*(?=[<>=!~])"), ","),  # >=7.2<8
)


_MARKED_PYTHON = re.compile(
    r"""\b(python(?:_full)?_version\s*[<>]=?\s*)(['"])(\d+(?:\.\d+)*)\.\*\2"""
)
"""A comparison with something that is not a version, which packaging takes for false."""


_QUOTED = re.compile(r"^\s*(['\"])(.*)\1\s*$", re.DOTALL)
"""A requirement in quotes, as a list of Python or TOML has it."""


_PARTS = re.compile(
    r"(?P<project>\s*[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?)\s*"
    r"(?P<open>\()?(?P<specifiers>[^;@()]*)(?(open)\))\s*(?P<marker>;.*)?",
    re.DOTALL,
)


@lru_cache(maxsize=1 << 12)
def read_specifiers(text: str) -> SpecifierSet:
    """Return the version specifiers of ``text``, repaired if need be. Raise InvalidSpecifier."""
    if has_huge_number(text):
        raise InvalidSpecifier(_HUGE)
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as error:
        try:
            return SpecifierSet(_repair(text))
        except InvalidSpecifier:
            raise error from None


def with_whole_versions(line: str) -> str:
    """Return a requirement with ``python_version >= "3.8"`` where it has ``>= "3.8.*"``."""
    return _MARKED_PYTHON.sub(r"\1\2\3\2", line) if ".*" in line else line


def read_requirement(line: str) -> Requirement:
    """Return the requirement of ``line``, repaired if need be. Raise InvalidRequirement."""
    if has_huge_number(line):
        raise InvalidRequirement(_HUGE)
    line = _QUOTED.sub(r"\2", with_whole_versions(line))
    try:
        requirement = Requirement(line)
        if requirement.url:
            _ = urlsplit(requirement.url).port
        return requirement
    except InvalidRequirement as error:
        parts = _PARTS.fullmatch(line)
        if parts is None:
            raise
        try:
            specifiers = _repair(parts["specifiers"])
            return Requirement(f"{parts['project']}{specifiers}{parts['marker'] or ''}")
        except InvalidRequirement:
            raise error from None
    except ValueError:
        raise InvalidRequirement("its URL is malformed") from None


def _repair(specifiers: str) -> str:
    for pattern, meant in _REPAIRS:
        specifiers = pattern.sub(meant, specifiers)
    return specifiers
