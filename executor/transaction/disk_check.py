"""Check before a commit that there is room for what is copied to other file systems: on them, and
in memory if they are memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from executor.budget.budget import Budget, check_files
from executor.files.allowance import memory_of_folder
from executor.files.disk_space import Need, check_space
from executor.files.held_folder import HeldFolder
from executor.files.mounts import device_of, is_in_memory, is_overlay
from executor.transaction.landing import Landing

__all__ = ["check_moves"]


_HIDDEN_FOLDER = 2
"""Inodes that a folder of a lower layer takes when entries go from it: a copy, and a whiteout."""


_STAT_BLOCK = 512
"""Bytes in one unit of ``st_blocks`` (https://man7.org/linux/man-pages/man3/stat.3type.html)."""


def check_moves(
    found: Iterable[Landing], staging: HeldFolder, going: Iterable[str], budget: Budget
) -> None:
    """Raise if a move out of the folder ``staging`` goes to a file system that has no room for it;
    its landings are ``found``.

    Within a file system moves are renames; to another one they are copies, and a commit must not
    end in the middle. ``going`` are the paths of files that are removed first. Of an overlay, what
    goes from a lower layer, which its device tells, takes an inode of the upper one to hide it
    (https://docs.kernel.org/filesystems/overlayfs.html#whiteouts-and-opaque-directories). Raises
    NotEnoughDisk, NotEnoughInodes, BudgetTooSmall and OSError.
    """
    here = device_of(staging.path)
    needs: dict[int, tuple[str, Need]] = {}
    folder, device = "", here
    for landing in found:
        if landing.folder != folder:
            folder, device = landing.folder, device_of(landing.folder)
        if device != here:
            _, need = needs.setdefault(device, (landing.folder, Need()))
            for name in landing.names:
                need.add_entry(os.path.join(staging.path, landing.source, name))
    hidden = Need()
    for status, inodes in _leaving(going) if needs or is_overlay(staging.path) else ():
        if inodes:
            hidden.inodes += inodes
        elif status.st_dev in needs:
            _, need = needs[status.st_dev]
            need.bytes -= status.st_blocks * _STAT_BLOCK
            need.inodes -= 1
    if hidden.inodes:
        check_space(staging.path, hidden)
    for path, need in needs.values():
        check_space(path, need)
    check_files(
        budget,
        sum(
            need.bytes + need.inodes * memory_of_folder()
            for path, need in needs.values()
            if is_in_memory(path)
        ),
    )


def _leaving(paths: Iterable[str]) -> Iterator[tuple[os.stat_result, int]]:
    """Yield the status of each path that exists, and the inodes that are taken when it goes."""
    folder, device, more = "", 0, 0
    for path in paths:
        with suppress(FileNotFoundError, NotADirectoryError):
            status = os.lstat(path)
            if (outer := os.path.dirname(path)) != folder:
                folder, device, more = outer, os.stat(outer).st_dev, _HIDDEN_FOLDER
            if status.st_dev == device:
                yield status, 0
            else:
                yield status, 1 + more
                more = 0
