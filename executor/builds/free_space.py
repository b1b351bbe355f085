"""A lack of space for temporary files, told apart from the faults of a source or its build."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from executor.builds.errors import BackendFailed, WorkspaceFull
from executor.files.errors import NotEnoughDisk, NotEnoughInodes
from executor.transaction.errors import WriteFailed

__all__ = ["is_full", "space_for"]


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


_COMPILER_SAYS = ("No space left on device", "Disk quota exceeded")
"""What tools print in English, which is the language of a build's environment."""


def is_full(error: OSError) -> bool:
    """Return whether ``error`` says that a disk or a quota is full."""
    return error.errno in _FULL


@contextmanager
def space_for(package: str, folder: str) -> Iterator[None]:
    """Raise WorkspaceFull if what is done for ``package`` finds no space below ``folder``."""
    try:
        yield
    except (NotEnoughDisk, NotEnoughInodes):
        raise WorkspaceFull(package, folder) from None
    except WriteFailed as error:
        if not is_full(error.error):
            raise
        raise WorkspaceFull(package, folder) from None
    except OSError as error:
        if not is_full(error):
            raise
        raise WorkspaceFull(package, folder) from None
    except BackendFailed as error:
        if not any(text in error.log for text in _COMPILER_SAYS):
            raise
        raise WorkspaceFull(package, folder, error.log) from None
