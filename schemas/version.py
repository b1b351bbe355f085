"""The version of this program; the build of the wheel reads it here."""

from __future__ import annotations

__all__ = ["USER_AGENT", "VERSION"]

VERSION = "0.2.0"

USER_AGENT = f"lockstream/{VERSION}"
"""How both phases introduce themselves to indexes."""
