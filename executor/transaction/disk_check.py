"""Disk check."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from executor.environment.schemes import Schemes
from executor.files.disk_space import Need, check_space
from executor.files.mounts import device_of
from executor.transaction.journal import Move

__all__ = ["check_moves"]


_STAT_BLOCK = 512
"""Bytes of what ``st_blocks`` counts (https://man7.org/linux/man-pages/man3/stat.3type.html)."""


def check_moves(
    moves: Iterable[Move], staging: str, schemes: Schemes, going: Iterable[str]
) -> None:
    """Refuse moves out of the folder ``staging`` to other file systems that have no room for them:
    what cannot be renamed is copied, and a commit must not end in the middle.

    ``going`` are the paths of files that are removed before. Raises NotEnoughDisk, NotEnoughInodes
    and OSError.
    """
    here = device_of(staging)
    if all(device_of(root) == here for root in schemes.roots):
        return
    needs: dict[int, tuple[str, Need]] = {}
    for move in moves:
        if (device := device_of(move.destination)) != here:
            _, need = needs.setdefault(device, (move.destination, Need()))
            need.add_tree(os.path.join(staging, move.source))
    for path in going if needs else ():
        with suppress(FileNotFoundError):
            status = os.lstat(path)
            if status.st_dev in needs:
                _, need = needs[status.st_dev]
                need.bytes -= status.st_blocks * _STAT_BLOCK
                need.inodes -= 1
    for path, need in needs.values():
        check_space(path, need)
