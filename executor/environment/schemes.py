"""Schemes: the folders of an environment, and which file of a wheel goes into which.

Source: https://packaging.python.org/specifications/binary-distribution-format/#installing-a-wheel-distribution-1-0-py32-none-any-whl
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.wheel import SCHEME_NAMES, Scheme

__all__ = ["STAGING", "Schemes", "record_prefixes"]


STAGING = ".lockstream"
"""The folder beside the packages that wheels are staged in. A name that begins with a dot cannot be
imported, and one that does not end in ``.dist-info`` is not seen by ``importlib.metadata``."""


@dataclass(frozen=True, slots=True)
class Schemes:
    """Where an environment keeps what; absolute paths."""

    purelib: str
    platlib: str
    scripts: str
    data: str
    headers: str
    """Each distribution has its own folder below it."""
    executable: str
    """The interpreter, as scripts name it in their first line."""
    launcher: str | None = None
    """The kind of launcher that commands need, such as ``win-amd64``; None where the first line of
    a script is enough."""

    @property
    def roots(self) -> tuple[str, ...]:
        """The folders that an installation may write below, and that are not its own."""
        return (self.purelib, self.platlib, self.scripts, self.data, self.headers)

    def folder(self, scheme: Scheme, distribution: str) -> str:
        """The folder of a scheme for one distribution, named as its wheel file names it."""
        if scheme == "headers":
            return os.path.join(self.headers, distribution)
        path: str = getattr(self, scheme)
        return path


def record_prefixes(schemes: Schemes, root: Scheme, distribution: str) -> Mapping[Scheme, str]:
    """How RECORD, whose paths begin at the root scheme's folder, reaches each scheme's folder."""
    start = schemes.folder(root, distribution)
    prefixes: dict[Scheme, str] = {}
    for scheme in SCHEME_NAMES:
        relative = os.path.relpath(schemes.folder(scheme, distribution), start)
        prefixes[scheme] = "" if relative == "." else relative.replace(os.sep, "/") + "/"
    return prefixes
