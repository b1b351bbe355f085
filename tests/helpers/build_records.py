"""Records of builds as a plan notes them, for tests of locks that list built wheels."""

from __future__ import annotations

from typing import Any

from schemas.builds import BuildFlags, BuildRecord

__all__ = ["build_record"]


def build_record(**changes: Any) -> BuildRecord:
    """Return the record of a small build of ``demo`` 1.0, with ``changes`` of its fields."""
    fields: dict[str, Any] = {
        "key": "a" * 64,
        "wheel": "demo-1.0-py3-none-any.whl",
        "backend": "backend",
        "flags": BuildFlags(),
        "lock": None,
        "demand": {1: 1 << 20},
        "charged_peak": None,
        "seconds": 1.0,
        "native": (),
        "measured_on": {},
    }
    return BuildRecord(**{**fields, **changes})
