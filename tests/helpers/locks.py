"""Locks on disk: of wheels next to them, or as the planner writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomli_w

import lockstream
from helpers.index import Index
from helpers.servers import Server, file
from helpers.wheels import Wheel, lock_of

__all__ = ["LINUX", "WINDOWS", "foreign_lock", "listed", "plan_into", "serve_lock", "write_lock"]

LINUX = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")
WINDOWS = ("--platform", "win_amd64")


def write_lock(folder: Path, wheels: Iterable[Wheel], **options: Any) -> str:
    """Write ``wheels`` and a lock of them into ``folder``; return the path of the lock.

    ``options`` are those of ``lock_of``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    listed = list(wheels)
    for wheel in listed:
        wheel.write(folder)
    lock = folder / "pylock.toml"
    lock.write_text(lock_of(listed, **options))
    return str(lock)


def serve_lock(server: Server, wheels: Iterable[Wheel]) -> None:
    """Write a lock of ``wheels``, which ``server`` sends, into the working folder."""
    listed = list(wheels)
    for wheel in listed:
        server.script(f"/{wheel.filename}", file(wheel.content))
    Path("pylock.toml").write_text(lock_of(listed, base_url=server.origin))


def plan_into(
    index: Index,
    folder: Path,
    lines: Sequence[str],
    *arguments: str,
    name: str = "pylock.toml",
    targets: Sequence[str] = LINUX,
) -> Path:
    """Plan these lines of a requirements file next to the lock; return the path of the lock."""
    requirements, lock = folder / "requirements.in", folder / name
    requirements.write_text("".join(f"{line}\n" for line in lines))
    words = ["plan", "-q", "-r", str(requirements), "-o", str(lock), "-i", index.url, *targets]
    assert lockstream.main([*words, *arguments]) == 0
    return lock


def foreign_lock(path: Path, packages: Iterable[dict[str, Any]], **header: Any) -> str:
    """Write a lock as another tool does, and return its path. A package of which no file is named
    gets a pure wheel of version 1.0, or of its version.
    """
    blocks = []
    for package in packages:
        block = {"version": "1.0", **package}
        if not {"wheels", "sdist", "archive", "directory", "vcs"} & block.keys():
            name = f"{block['name'].replace('-', '_')}-{block['version']}-py3-none-any.whl"
            block["wheels"] = [listed(name)]
        blocks.append(block)
    head = {"lock-version": "1.0", "created-by": "other", **header}
    path.write_text(tomli_w.dumps({**head, "packages": blocks}))
    return str(path)


def listed(filename: str) -> dict[str, Any]:
    """Return the entry of a file that nothing serves."""
    return {
        "url": f"https://files.example/{filename}",
        "hashes": {"sha256": sha256(filename.encode()).hexdigest()},
    }
