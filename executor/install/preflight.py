"""Check every file system that an execution writes to, and count what it takes, before the first
byte.
"""

from __future__ import annotations

from collections.abc import Sequence

from executor.budget.budget import Surface
from executor.environment.schemes import Schemes
from executor.files.allowance import memory_of_file, memory_of_folder
from executor.files.disk_space import Need, check_space
from executor.files.mounts import device_of, file_system, has_journal, is_in_memory
from executor.lock.step import Step
from schemas.demand import BASE_DISK, BLOCK_SIZE

__all__ = ["check_disk", "surface_of"]


_LARGEST_RATIO = 7
"""Unpacked size over wheel size if the lock has no hint, on a file system that is memory, where too
little is a kill: the largest of 994 real wheels is 6.7. The mean is 3.4, and that of libraries and
data is less than 2: on a disk only the size of the wheel counts, lest a guess refuse what fits."""


_GUESSED_FILE = 2 << 10
"""Bytes of a wheel for each of its files, if the lock has no hint: ci-tools has 34,000 files in
65.8 MiB."""


_BYTE_CODE = {True: 1.0, False: 0.25}
"""Bytes of byte code for each unpacked byte, by whether a wheel is for any platform: byte code of a
module is about as large as its source, and most bytes of the other wheels are libraries."""


_FOLDERS = 3
"""Files per folder: ci-tools has 9,800 folders for 34,000 files."""


_RESERVED_INODES = 50
"""For the staging folder itself: manifests, journal, log."""


def surface_of(
    schemes: Schemes,
    steps: Sequence[Step] = (),
    *,
    compiles: bool = False,
    is_secured: bool = False,
    counted: int | None = None,
) -> Surface:
    """Return what the execution of ``steps`` writes to; ``compiles`` if it makes byte code, too.

    ``is_secured``: files come over TLS. ``counted`` are the bytes that their files take in memory,
    if they were counted.
    """
    is_memory = is_in_memory(schemes.purelib)
    held = _in_memory(steps, compiles=compiles) if counted is None else BASE_DISK + counted
    return Surface(
        file_system=file_system(schemes.purelib),
        has_journal=has_journal(schemes.purelib),
        held=held if is_memory and steps else 0,
        is_memory=is_memory,
        is_secured=is_secured,
        compiles=compiles,
        is_guessed=any(step.hints is None for step in steps),
        is_counted=counted is not None,
    )


def _in_memory(steps: Sequence[Step], *, compiles: bool) -> int:
    """Return the bytes that the files of ``steps`` take on a file system that is memory.

    Each file takes whole pages, and memory of the kernel.
    """
    size, files = BASE_DISK, 0
    for step in steps:
        unpacked, count = _unpacked(step, _LARGEST_RATIO)
        size, files = size + unpacked, files + count
        if compiles:
            size, files = size + _byte_code(step, unpacked), files + count
    each = BLOCK_SIZE + memory_of_file("", 0)
    return size + files * each + files // _FOLDERS * memory_of_folder()


def _unpacked(step: Step, ratio: int) -> tuple[int, int]:
    """Return the bytes of a wheel on disk and the number of its files, guessed if unknown."""
    if step.hints is not None:
        return _unpacked_size(step), step.hints.files
    size = step.size or 0
    return size * ratio, size // _GUESSED_FILE


def _byte_code(step: Step, unpacked: int) -> int:
    return int(unpacked * _BYTE_CODE[step.filename.endswith("-any.whl")])


def check_disk(steps: Sequence[Step], schemes: Schemes, *, compiles: bool = False) -> int:
    """Return the bytes that staging the steps, and their byte code if it is made, take on the file
    system of purelib.

    If platlib is on another file system, its wheels are checked there too; scripts, data and
    headers are checked when they are unpacked, by ``disk_check.check_moves``. Raises NotEnoughDisk
    if a file system has less space, and NotEnoughInodes if it has fewer inodes than the hints say.
    A wheel without hints takes as much as it has itself, or more.
    """
    whole = _need_of(steps, compiles=compiles)
    check_space(schemes.purelib, whole, "nothing was written; ")
    if device_of(schemes.platlib) != device_of(schemes.purelib):
        wheels = [step for step in steps if not step.filename.endswith("-any.whl")]
        binary = _need_of(wheels, compiles=compiles)
        check_space(schemes.platlib, binary, "nothing was written; ")
    return whole.bytes


def _need_of(steps: Sequence[Step], *, compiles: bool) -> Need:
    files = sum(step.hints.files for step in steps if step.hints is not None)
    folders = files // _FOLDERS
    if compiles:
        files, folders = 2 * files, 2 * folders
    inodes = _RESERVED_INODES + files + folders if files else 0
    size = BASE_DISK
    for step in steps:
        unpacked = _unpacked_size(step)
        size += unpacked + (_byte_code(step, unpacked) if compiles else 0)
    return Need(size, inodes)


def _unpacked_size(step: Step) -> int:
    if step.hints is not None:
        spool = 0 if step.hints.streamable else step.size or 0
        return step.hints.unpacked_size + spool
    return step.size or 0
