"""New file systems on a loop device, whose image is written past the page cache. Linux, as root."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

__all__ = ["file_system", "loop_device"]

# Without the lazy work that the kernel would do in the background, while something is measured.
FORMAT = ("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0")


@contextlib.contextmanager
def loop_device(image: Path, capacity: int) -> Iterator[str]:
    """A loop device of ``capacity`` bytes, whose sparse ``image`` is removed at the end."""
    with image.open("wb") as file:
        file.truncate(capacity)
    try:
        device = command("losetup", "--direct-io=on", "--find", "--show", image).strip()
        try:
            yield device
        finally:
            command("losetup", "--detach", device)
    finally:
        image.unlink()


@contextlib.contextmanager
def file_system(device: str, root: Path) -> Iterator[Path]:
    """A new file system on ``device``, mounted on ``root``."""
    command(*FORMAT, device)
    root.mkdir(exist_ok=True)
    command("mount", device, root)
    try:
        yield root
    finally:
        command("umount", root)


def command(*words: str | Path) -> str:
    """Run a program and return its output. Stops if it fails."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done.stdout
