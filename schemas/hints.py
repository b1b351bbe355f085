"""The sizes of each wheel that a lock records in ``[packages.tool.lockstream]``.

Hints steer buffers, scheduling and preflight, but never what is installed: PEP 751 requires that
tool data is disposable. So a missing or malformed hint is unknown, which is not an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.data_class import frozen

__all__ = ["TOOL_NAME", "WheelHints", "tool_value", "wheel_hints"]

TOOL_NAME = "lockstream"
"""Our table below ``[tool]`` and ``[packages.tool]``, and our name in ``created-by``."""


@frozen(kw_only=True)
class WheelHints:
    """Sizes of one wheel, read from its zip central directory."""

    unpacked_size: int
    """Sum of the sizes of all members, in bytes."""
    files: int
    """Number of members that are files."""
    largest_file: int
    """Size of the largest member, in bytes."""
    streamable: bool = True
    """False if a forward pass cannot unpack it (a stored member with a data descriptor)."""

    def to_table(self) -> dict[str, int | bool]:
        """Return the TOML table of one wheel; ``streamable`` is written only if it is false."""
        table: dict[str, int | bool] = {
            "unpacked-size": self.unpacked_size,
            "files": self.files,
            "largest-file": self.largest_file,
        }
        if not self.streamable:
            table["streamable"] = False
        return table

    @classmethod
    def from_table(cls, table: object) -> WheelHints | None:
        """Return what ``to_table`` wrote; None if the table is not usable as a hint."""
        if not isinstance(table, Mapping):
            return None
        sizes: list[int] = []
        for key in ("unpacked-size", "files", "largest-file"):
            size = table.get(key)
            if type(size) is not int or size < 0:
                return None
            sizes.append(size)
        unpacked_size, files, largest_file = sizes
        return cls(
            unpacked_size=unpacked_size,
            files=files,
            largest_file=largest_file,
            streamable=table.get("streamable") is not False,
        )


def tool_value(tool: Mapping[str, Any] | None, *keys: str) -> object:
    """Return what our table in ``tool``, that of a lock or package, has at ``keys``, or None."""
    value: object = tool
    for key in (TOOL_NAME, *keys):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def wheel_hints(tool: Mapping[str, Any] | None, filename: str) -> WheelHints | None:
    """Return the hints for the wheel ``filename`` in the ``tool`` table of a package, or None."""
    return WheelHints.from_table(tool_value(tool, "wheels", filename))
