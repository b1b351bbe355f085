"""Check space and inodes of every file system that staging writes to, before the first byte."""

from __future__ import annotations

from collections.abc import Sequence

from executor.environment.schemes import Schemes
from executor.files.disk_space import Need, check_space
from executor.files.mounts import device_of
from executor.lock.step import Step
from schemas.demand import BASE_DISK

__all__ = ["check_disk"]


_GUESSED_RATIO = 4
"""Unpacked size over wheel size if the lock has no hint: the mean of 994 real wheels is 3.4."""


_FOLDERS = 3
"""Files per folder: ci-tools has 9,800 folders for 34,000 files."""


_RESERVED_INODES = 50
"""For the staging folder itself: manifests, journal, log."""


def check_disk(steps: Sequence[Step], schemes: Schemes) -> int:
    """Return the bytes that staging the steps takes on the file system of purelib.

    If platlib is on another file system, its wheels are checked there too; scripts, data and
    headers are checked when they are unpacked, by ``disk_check.check_moves``. Raises NotEnoughDisk
    if a file system has less space, and NotEnoughInodes if it has fewer inodes than the hints say.
    """
    whole = _need_of(steps)
    check_space(schemes.purelib, whole, "nothing was written; ")
    if device_of(schemes.platlib) != device_of(schemes.purelib):
        binary = _need_of([step for step in steps if not step.filename.endswith("-any.whl")])
        check_space(schemes.platlib, binary, "nothing was written; ")
    return whole.bytes


def _need_of(steps: Sequence[Step]) -> Need:
    files = sum(step.hints.files for step in steps if step.hints is not None)
    inodes = _RESERVED_INODES + files + files // _FOLDERS if files else 0
    return Need(BASE_DISK + sum(map(_unpacked_size, steps)), inodes)


def _unpacked_size(step: Step) -> int:
    if step.hints is not None:
        spool = 0 if step.hints.streamable else step.size or 0
        return step.hints.unpacked_size + spool
    return (step.size or 0) * _GUESSED_RATIO
