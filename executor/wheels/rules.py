"""Which checks on a wheel the user has waived."""

from __future__ import annotations

from schemas.data_class import frozen

__all__ = ["STRICT", "Rules"]


@frozen(kw_only=True)
class Rules:
    """How strictly the wheels of one execution are checked. Defaults are the strictest."""

    lenient: bool = False
    """Install, with a warning, a wheel whose RECORD is wrong, that holds the same file twice
    (selenium 4.1.0, zeroconf 0.47.1), that holds links (nodejs-bin), or, on Linux, that has names
    which only other systems refuse (pysentimiento 0.4.0)."""
    verify_record: bool = True
    """Compare each file with the hash that RECORD states, as the wheel standard requires. Otherwise
    the stated hash is copied into the new RECORD unchecked: hashing is a fifth of the processor
    time that a large wheel takes."""
    startup: frozenset[str] = frozenset()
    """Normalized names of packages that may bring a sitecustomize or usercustomize module."""


STRICT = Rules()
