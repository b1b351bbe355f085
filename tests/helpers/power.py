"""A disk that loses power: an ext4 or xfs in a file, shut down in the middle of its work.

``FS_IOC_SHUTDOWN`` stops a file system at once, with nothing that is in memory written; mounted
again, it holds what a machine would find after its power came back. It needs root and loop devices.
"""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.faults import interrupted_at

__all__ = ["Disk", "can_lose_power"]

_SHUTDOWN = 0x8004587D
"""FS_IOC_SHUTDOWN of include/uapi/linux/fs.h (formerly EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN)."""
_WITHOUT_FLUSHING = 2
"""Not even the log is written."""

_SIZES = {"ext4": 48 << 20, "xfs": 300 << 20}
"""Bytes of the image, which is sparse; xfs has no smaller ones."""


def can_lose_power(kind: str = "ext4") -> bool:
    """Whether file systems of this kind can be made, mounted and shut down here."""
    return (
        os.geteuid() == 0
        and Path("/dev/loop-control").exists()
        and Path(f"/sbin/mkfs.{kind}").exists()
    )


class Disk:
    """A file system in the file ``image``, mounted at ``place``, an empty folder."""

    def __init__(self, image: Path, place: Path, kind: str = "ext4", *options: str) -> None:
        """``options`` are those of the program that makes it."""
        self.image = image
        self.place = place
        self.kind = kind
        self._options = options
        self._is_cut = False

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """Mount it, made anew if it is absent; the place."""
        if not self.image.exists():
            with self.image.open("wb") as file:
                file.truncate(_SIZES[self.kind])
            force = "-F" if self.kind == "ext4" else "-f"
            _run(f"mkfs.{self.kind}", "-q", force, *self._options, str(self.image))
        if self._is_cut:
            # A mount namespace that another process made meanwhile keeps the file system that was
            # shut down, and mounting its image again would find that one.
            copy = self.image.with_name(f"{self.image.name}-found")
            _run("cp", "--sparse=always", str(self.image), str(copy))
            copy.replace(self.image)
            self._is_cut = False
        _run("mount", "-o", "loop", str(self.image), str(self.place))
        try:
            yield self.place
        finally:
            _run("umount", str(self.place))

    def lose_power_at(self, number: int, work: Callable[[], object], *, busy: bool) -> bool:
        """Do ``work`` in a fork; the mounted disk is shut down, and the fork killed, just before
        its ``number``-th change. Whether it came to that.

        On a ``busy`` disk somebody else has just synced a file, so that names are on disk, and
        contents maybe not.
        """

        def cut() -> None:
            if busy:
                descriptor = os.open(self.place / "other", os.O_WRONLY | os.O_CREAT)
                os.write(descriptor, b"x")
                os.fsync(descriptor)
                os.close(descriptor)
            descriptor = os.open(self.place, os.O_RDONLY)
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", _WITHOUT_FLUSHING))
            os.kill(os.getpid(), signal.SIGKILL)

        self._is_cut = interrupted_at(number, work, cut)
        return self._is_cut


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
