"""A file that a command writes beside its results must not be one that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from schemas.errors import UsageError

__all__ = ["check_output_file"]


def check_output_file(option: str, path: str, inputs: Iterable[str]) -> None:
    """Raise UsageError if the ``path`` that ``option`` names is one of ``inputs``, which need not
    be files.
    """
    for one in inputs:
        with suppress(OSError, ValueError):
            if os.path.samefile(path, one):
                raise UsageError(
                    f"{option} {path}: this file is read, and would be replaced",
                    hint="name another file",
                )
