"""The control groups of this process: the folders in which the kernel states what it may use.

Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html,
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html,
https://man7.org/linux/man-pages/man7/cgroups.7.html (/proc/self/cgroup) and
https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as in start.py
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["own_groups", "processes_of", "read_int", "read_table", "read_words", "write_int"]


_READ = 1 << 14
"""Bytes read at once: more than most of these files have."""


class _Mount:
    """A mounted part of a hierarchy of control groups."""

    __slots__ = ("controllers", "point", "root", "version")

    def __init__(self, version: int, controllers: frozenset[str], root: str, point: str) -> None:
        self.version = version
        self.controllers = controllers
        """Of version 1; a hierarchy of version 2 has all controllers."""
        self.root = root
        """The group that is shown at the mount point."""
        self.point = point


def own_groups(controller: str) -> Iterator[tuple[str, int]]:
    """Yield the folders of our group for ``controller`` (``memory``, ``cpu``) and of its visible
    ancestors, the own one first, each with the version of its hierarchy (1 or 2).
    """
    mounts = list(_mounts())
    for line in _lines("/proc/self/cgroup"):
        fields = line.split(":", 2)
        if len(fields) < 3:
            continue
        _, controllers, path = fields
        version = 1 if controllers else 2
        if version == 1 and controller not in controllers.split(","):
            continue
        suitable = [
            mount
            for mount in mounts
            if mount.version == version and (version == 2 or controller in mount.controllers)
        ]
        if (found := _best(suitable, path)) is None:
            continue
        folder, point = found
        while True:
            yield folder, version
            if folder == point:
                break
            folder = os.path.dirname(folder)


def _best(mounts: list[_Mount], path: str) -> tuple[str, str] | None:
    """Return the folder of the group ``path`` and the mount point above it.

    One hierarchy may be mounted many times, a mount may be covered by another, and a container may
    see groups that are not its own: the first mount that has a folder for ``path`` counts. If none
    has one, a mount point does that lists this process. The last resort is the first mount, whose
    group is an ancestor of ours in every container that mounts only its own part of the tree.
    """
    inside = [
        (os.path.join(mount.point, below) if below else mount.point, mount.point)
        for mount in mounts
        if (below := _below(path, mount.root)) is not None
    ]
    for folder, point in inside:
        if os.path.exists(os.path.join(folder, "cgroup.procs")):
            return folder, point
    for mount in mounts:
        if str(os.getpid()) in read_words(os.path.join(mount.point, "cgroup.procs")):
            return mount.point, mount.point
    if inside:
        return inside[0]
    return (mounts[0].point, mounts[0].point) if mounts else None


def _below(path: str, root: str) -> str | None:
    """Return ``path`` relative to ``root``; None if it is not below it.

    Groups outside of a cgroup namespace begin with ``/..`` in it (cgroup_namespaces(7)).
    """
    parts, above = (list(filter(None, text.split("/"))) for text in (path, root))
    below = parts[len(above) :]
    return "/".join(below) if parts[: len(above)] == above and ".." not in below else None


def _mounts() -> Iterator[_Mount]:
    for line in _lines("/proc/self/mountinfo"):
        # Sources may be empty, and fields are separated by one space each.
        mount, _, mounted = line.partition(" - ")
        before, after = mount.split(" "), mounted.split(" ")
        if len(before) < 5 or after[0] not in {"cgroup", "cgroup2"}:
            continue
        version = 2 if after[0] == "cgroup2" else 1
        options = frozenset(after[-1].split(","))
        yield _Mount(version, options, _unescaped(before[3]), _unescaped(before[4]))


def _unescaped(text: str) -> str:
    r"""Return a path of mountinfo, in which spaces and the like are octal: ``\040``."""
    first, *others = text.split("\\")
    return first + "".join(chr(int(other[:3], 8)) + other[3:] for other in others)


def _lines(path: str) -> list[str]:
    """Return the lines of a file of ``/proc``, whose names may have any bytes; none if absent."""
    return os.fsdecode(_contents(path)).split("\n")


def processes_of(folder: str) -> Iterator[int]:
    """Yield the ids of the processes of a group and of the groups below it.

    The id of a process outside of our PID namespace is 0.
    """
    for place, _, _ in os.walk(folder):
        for word in read_words(os.path.join(place, "cgroup.procs")):
            if word.isdigit():
                yield int(word)


def read_int(path: str) -> int | None:
    """Return the number in a file; None if it is absent or holds another word, such as ``max``."""
    words = read_words(path)
    return int(words[0]) if words and words[0].isdigit() else None


def write_int(path: str, number: int) -> None:
    """Write ``number`` to a file of a group. Raises OSError."""
    with open(path, "w", encoding="ascii") as file:
        file.write(str(number))


def read_table(path: str) -> dict[str, int]:
    """Return the numbers in a file of lines with a key and a number; empty if it is absent."""
    words = read_words(path)
    pairs = zip(words[::2], words[1::2], strict=False)
    return {key: int(number) for key, number in pairs if number.isdigit()}


def read_words(path: str) -> list[str]:
    """Return the words of a small file; none if it is absent."""
    return _contents(path).decode("ascii", "replace").split()


def _contents(path: str) -> bytes:
    """Return the contents of a small file; nothing if it is absent. Some twenty are read for each
    look at the limits, and a file object takes three times as long.
    """
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return b""
    found = b""
    try:
        while part := os.read(file, _READ):
            found += part
    except OSError:
        return b""
    finally:
        os.close(file)
    return found
