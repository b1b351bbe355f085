"""Control groups: the folders in which the kernel says what this process may use.

Sources: https://www.kernel.org/doc/html/latest/admin-guide/cgroup-v2.html, its version 1 and, for
mount points, https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

__all__ = ["own_groups", "read_int", "read_words"]


def own_groups(controller: str) -> Iterator[tuple[str, int]]:
    """The folders of our cgroup for ``controller`` (``memory``, ``cpu``) and its visible ancestors,
    the own one first, each with the version of its hierarchy.
    """
    try:
        with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as file:
            memberships = [line.rstrip("\n").split(":", 2) for line in file]
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            mounts = [line.split() for line in file]
    except OSError:
        return
    for _, controllers, path in memberships:
        version = 2 if not controllers else 1
        if version == 1 and controller not in controllers.split(","):
            continue
        mounted = _mount_of(mounts, version, controller)
        if mounted is None:
            continue
        root, mount_point = mounted
        # In a container the mount shows a part of the tree; what is above it cannot be seen.
        below = os.path.relpath(path, root) if path.startswith(root) else "."
        folder = os.path.normpath(os.path.join(mount_point, below))
        while folder.startswith(mount_point):
            yield folder, version
            if folder == mount_point:
                break
            folder = os.path.dirname(folder)


def _mount_of(mounts: list[list[str]], version: int, controller: str) -> tuple[str, str] | None:
    for fields in mounts:
        separator = fields.index("-")
        kind, options = fields[separator + 1], fields[separator + 3].split(",")
        if (version == 2 and kind == "cgroup2") or (
            version == 1 and kind == "cgroup" and controller in options
        ):
            return fields[3], fields[4]
    return None


def read_int(path: str) -> int | None:
    """The number in a file of one; None where it holds another word, such as ``max``."""
    words = read_words(path)
    return int(words[0]) if words and words[0].isdigit() else None


def read_words(path: str) -> list[str]:
    """The words of a small file; none where there is no such file."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().split()
    except OSError:
        return []
