"""File systems that are as small as one likes. Mounting takes the rights of root."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["mounted_btrfs", "mounted_tmpfs"]


@contextmanager
def mounted_tmpfs(place: Path, options: str) -> Iterator[Callable[[str], None]]:
    """A tmpfs at ``place``, which is made; yields what changes its options, such as its size.

    Raises CalledProcessError if nothing can be mounted.
    """
    place.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place))
    try:
        yield lambda changed: _run("mount", "-o", f"remount,{changed}", str(place))
    finally:
        _run("umount", str(place))
        place.rmdir()


@contextmanager
def mounted_btrfs(place: Path, image: Path) -> Iterator[None]:
    """A new btrfs at ``place``, which is made, in the file ``image``.

    Raises CalledProcessError if nothing can be mounted, and FileNotFoundError without btrfs-progs.
    """
    place.mkdir(parents=True, exist_ok=True)
    with image.open("wb") as file:
        file.truncate(256 << 20)
    _run("mkfs.btrfs", "--quiet", str(image))
    _run("mount", "-o", "loop", str(image), str(place))
    try:
        yield
    finally:
        _run("umount", str(place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
