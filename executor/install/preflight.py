"""Disk: whether each file system that is written to has room and inodes, asked before it is."""

from __future__ import annotations

from collections.abc import Sequence

from executor.environment.schemes import Schemes
from executor.files.disk_space import Need, check_space
from executor.files.mounts import device_of
from executor.lock.step import Step
from schemas.demand import BASE_DISK

__all__ = ["check_disk"]


_GUESSED_RATIO = 4
"""Unpacked size over wheel size where no hint tells: the mean of 994 real wheels is 3.4."""


_FOLDERS = 3
"""Files to a folder: ci-tools has 9,800 folders for 34,000 files."""


_RESERVED_INODES = 50


def check_disk(steps: Sequence[Step], schemes: Schemes) -> int:
    """Bytes that the steps will take where they are staged, beside the pure packages.

    Of other file systems the platform's packages are counted; what else goes there is known when
    it is unpacked, see ``check_moves``. Raises NotEnoughDisk where a file system has less room, and
    NotEnoughInodes where the files are more, as far as hints tell.
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
