"""A file that takes its place all at once, such as a wheel in a wheelhouse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["replaced"]


@contextmanager
def replaced(path: str) -> Iterator[str]:
    """Yield a path for what takes the place of the file at ``path`` when the body is done. If that
    fails, nothing is left of it. Raise OSError, which names ``path``.
    """
    part = f"{path}.{os.getpid()}.part"
    try:
        yield part
        os.replace(part, path)
    except OSError as error:
        # A copy that fails names its source, which is not the one without space.
        raise OSError(error.errno, error.strerror, path) from None
    finally:
        with suppress(OSError):  # it may not exist, or have no folder
            os.unlink(part)
