"""The built wheels that a lock lists by their paths, and that are not there any more."""

from __future__ import annotations

import os

from packaging.pylock import Pylock

from schemas.builds import build_records

__all__ = ["find_lost_wheels"]


def find_lost_wheels(lock: Pylock, folder: str) -> tuple[str, ...]:
    """Return a sentence for each wheel of ``lock``, which is in ``folder``, that a plan has built
    and that is lost. It need not be where a lock is only checked, so it does not make it stale.
    """
    lost = []
    for package in lock.packages:
        built = {record.wheel for record in build_records(package.tool)}
        for wheel in package.wheels or ():
            path = wheel.path
            is_built = path is not None and not wheel.url and wheel.filename in built
            if is_built and not os.path.exists(os.path.join(folder, path or "")):
                lost.append(f"{path}, which was built, is not there")
    return tuple(lost)
