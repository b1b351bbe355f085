"""Rules: what the user lets pass of what wheels are refused for."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["STRICT", "Rules"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The strictest there are, unless the user says otherwise."""

    lenient: bool = False
    """Install a wheel whose RECORD is wrong, or that holds the same file twice, and warn of it:
    some old wheels are so (selenium 4.1.0, zeroconf 0.47.1)."""
    verify_record: bool = True
    """Hold the contents of each file to the hash that RECORD states, as the standard of wheels
    demands. Else it is believed, and goes into the new RECORD: hashing is a fifth of the processor
    time that a large wheel takes."""
    startup: frozenset[str] = frozenset()
    """Normalized names of packages that may bring a sitecustomize or usercustomize module."""


STRICT = Rules()
