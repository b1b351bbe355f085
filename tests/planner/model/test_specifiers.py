"""Specifiers of old releases are read as they were meant, and others stay invalid."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel
from planner.model.specifiers import read_requirement, read_specifiers


@pytest.mark.parametrize(
    ("published", "meant"),
    [
        ("pytz (>dev)", "pytz>0.0.dev0"),
        ("graphql-core (>=2.0.*)", "graphql-core>=2.0"),
        ("elasticsearch-dsl (>=7.2.0<8.0.0)", "elasticsearch-dsl>=7.2.0,<8.0.0"),
        ("bar2[x] >=1.0<2 ; python_version < '4'", "bar2[x]>=1.0,<2; python_version < '4'"),
        ("jupyter-core (!=~5.0,>=4.12)", "jupyter-core!=5.0.*,>=4.12"),
        ("numpy (>=1.8,!=1.9*)", "numpy>=1.8,!=1.9.*"),
        ("good>=1.0; python_version > '3.*'", "good>=1.0; python_version > '3'"),
        ("demo; python_version>='3.8.*'", "demo; python_version >= '3.8'"),
        ('demo >=1.* ; python_full_version < "3.8.*"', 'demo >=1; python_full_version < "3.8"'),
        ("demo; python_version == '3.*'", "demo; python_version == '3.*'"),
        ('"demo"', "demo"),
        (" 'demo[x]>=1' ", "demo[x]>=1"),
    ],
)
def test_what_was_meant_is_read(published: str, meant: str) -> None:
    assert read_requirement(published) == Requirement(meant)


@pytest.mark.parametrize(
    ("published", "meant"),
    [
        (">=3.6.*", ">=3.6"),
        (">=2.7,!=3.0*", ">=2.7,!=3.0.*"),
        (">='3.5'", ">=3.5"),
        ("", ""),
        ("UNKNOWN", ""),
    ],
)
def test_the_python_that_was_meant_is_read(published: str, meant: str) -> None:
    assert read_specifiers(published) == SpecifierSet(meant)


@pytest.mark.parametrize("text", ["demo (newest)", "demo ((>=1)", ">=1", "demo >=one"])
def test_what_means_nothing_stays_invalid(text: str) -> None:
    with pytest.raises(InvalidRequirement):
        read_requirement(text)


@pytest.mark.parametrize("text", ["python3", ">=three", "3.6+"])
def test_what_is_no_version_stays_invalid(text: str) -> None:
    with pytest.raises(InvalidSpecifier):
        read_specifiers(text)


def test_a_release_is_planned_with_what_it_meant(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("base", "1.0"), build_wheel("base", "2.0"))
    app = build_wheel("app", requires=["base (>=1.0<2)"], requires_python=">=3.6.*")
    index.add(app, requires_python=">=3.6.*")
    lock = plan_into(index, tmp_path, ["app"]).read_text()
    assert "base-1.0" in lock
    assert 'requires-python = ">=3.6"' in lock
