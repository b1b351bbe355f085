"""What a folder holds, and how two folders differ.

    python tests/helpers/trees.py A B [--ignore PATTERN ...]

prints one line per difference, then how much it compared; exits with 1 if the trees differ.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["IN_MEMORY", "Entry", "differences", "snapshot"]

IN_MEMORY = "/dev/shm" if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK) else None
"""A folder for many small files that live for milliseconds, if the system has one, and ``TMPDIR``
names no other."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree, without owner and times."""

    kind: str
    """``file``, ``directory``, ``link`` or ``other``."""
    mode: int
    """Permission bits; 0 for links, which have none of their own."""
    size: int = 0
    """In bytes, of a file."""
    content: str = ""
    """The SHA-256 of a file, the target of a link."""


def snapshot(root: Path, ignore: Iterable[str] = ()) -> dict[str, Entry]:
    """All paths below ``root``, relative to it, in order.

    ``ignore`` are shell patterns for whole relative paths, in which ``*`` passes slashes; what
    is below a directory that matches is ignored with it.
    """
    ignored = tuple(ignore)
    return dict(sorted(_walk(root, "", ignored)))


def differences(left: Mapping[str, Entry], right: Mapping[str, Entry]) -> list[str]:
    """One line per path that only one of the trees has, or that differs, and in what."""
    lines = []
    for path in sorted(left.keys() | right.keys()):
        if path not in right:
            lines.append(f"only left: {path}")
        elif path not in left:
            lines.append(f"only right: {path}")
        elif left[path] != right[path]:
            lines.append(f"{path}: {_difference(left[path], right[path])}")
    return lines


def _walk(root: Path, folder: str, ignored: Sequence[str]) -> Iterator[tuple[str, Entry]]:
    with os.scandir(root / folder) as entries:
        for entry in entries:
            path = f"{folder}{entry.name}"
            if any(fnmatch.fnmatchcase(path, pattern) for pattern in ignored):
                continue
            yield path, _read(Path(entry.path))
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(root, f"{path}/", ignored)


def _read(path: Path) -> Entry:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Entry("link", 0, content=str(path.readlink()))
    if stat.S_ISDIR(status.st_mode):
        return Entry("directory", mode)
    if stat.S_ISREG(status.st_mode):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Entry("file", mode, status.st_size, digest)
    return Entry("other", mode)


def _difference(left: Entry, right: Entry) -> str:
    return ", ".join(
        f"{field.name} {_shown(field.name, left)} | {_shown(field.name, right)}"
        for field in fields(Entry)
        if getattr(left, field.name) != getattr(right, field.name)
    )


def _shown(name: str, entry: Entry) -> str:
    return f"{entry.mode:#o}" if name == "mode" else str(getattr(entry, name))[:12]


def main() -> int:
    parser = argparse.ArgumentParser(description="How two folders differ.")
    parser.add_argument("left", type=Path)
    parser.add_argument("right", type=Path)
    parser.add_argument("--ignore", metavar="PATTERN", action="append", default=[])
    options = parser.parse_args()
    left, right = (snapshot(root, options.ignore) for root in (options.left, options.right))
    lines = differences(left, right)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.write(f"{len(left.keys() | right.keys())} paths compared, {len(lines)} differ\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
