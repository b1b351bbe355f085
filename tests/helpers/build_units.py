"""Builds that a lock leaves to other machines, for tests of what lists and does them."""

from __future__ import annotations

from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.builds.unit import BuildUnit, UnitSource
from schemas.target import Target

__all__ = ["build_unit"]

SOURCE = UnitSource(
    kind="sdist",
    filename="demo-1.0.tar.gz",
    address="https://files.example/demo-1.0.tar.gz",
    sha256="b" * 64,
    size=1000,
)


def build_unit(name: str = "demo", platform: str = "linux", **changes: Any) -> BuildUnit:
    """Return the build of ``name`` 1.0 for Python 3.12, with ``changes`` of its fields."""
    fields: dict[str, Any] = {
        "name": canonicalize_name(name),
        "version": Version("1.0"),
        "target": Target.named("3.12", platform),
        "source": SOURCE,
        "record": None,
        "key": "c" * 64,
        "family": "f" * 64,
    }
    return BuildUnit(**{**fields, **changes})
