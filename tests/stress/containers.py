"""Execute a lock in real containers of 32 to 128 MiB: none may be killed.

    python -m stress.containers [--limits 32 48 64 128] [--root FOLDER] [--pyz FILE]

Makes an image of Debian with Python and this program, and executes locks in containers of it, by
Podman and runc: onto the root (an overlay), onto a volume below a read-only root, onto a tmpfs, as
another user. An execution has to be done (exit code 0) or refused (exit code 7); a refused one is
executed again in a container of the size that it named. Linux, as root, with podman, runc and
debootstrap.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from executor.files.folders import remove_tree
from helpers.containers import Ended, Podman, can_run_containers, install_into, make_root
from stress.accepted import LARGER, write_locks

IMAGE = "localhost/lockstream-tested"

USER = 1000


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a container installs to, and as whom."""

    name: str
    place: str
    options: tuple[str, ...] = ()


GROUNDS = (
    Ground("overlay root", "/env"),
    Ground("overlay root, another user", "/home/env", ("--user", f"{USER}:{USER}")),
    Ground("read-only root, volume", "/data/env", ("--read-only", "--volume", "/data")),
    Ground(
        "read-only root, folder of the host, another user", "/shared/env",
        ("--read-only", "--volume", "{shared}:/shared", "--user", f"{USER}:{USER}"),
    ),
    Ground("tmpfs", "/tmp/env", ("--tmpfs", "/tmp:rw,exec,size=1g")),
    Ground(
        "read-only root, tmpfs, another user", "/tmp/env",
        ("--read-only", "--tmpfs", "/tmp:rw,exec,size=1g,mode=1777", "--user", f"{USER}:{USER}"),
    ),
)  # fmt: skip

LOCKS = ("small files", "mixed")


def executed(podman: Podman, ground: Ground, lock: str, limit: int, work: Path) -> Ended:
    """Execute a lock in a container of ``limit`` MiB."""
    shared = work / "shared"
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir()
    shutil.chown(shared, USER, USER)
    options = [option.replace("{shared}", str(shared)) for option in ground.options]
    options += ["--memory", f"{limit}m", "--volume", f"{work}/locks:/locks:ro"]
    command = ("lockstream", "execute", f"/locks/{lock}/pylock.toml", "--venv", ground.place)
    return podman.run(IMAGE, *command, "--progress", "none", options=options)


def described(ended: Ended, seconds: float) -> str:
    """Return a cell of the table."""
    if ended.is_killed:
        return f"KILLED, {seconds:.1f} s"
    if ended.status == 0:
        found = re.search(r"in ([\d.]+) s", ended.output)
        return f"done, {found[1] if found else '?'} s"
    found = LARGER.search(ended.output)
    return f"refused: {found[1]} MiB" if ended.status == 7 and found else f"EXIT {ended.status}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--limits", type=int, nargs="+", default=[32, 48, 64, 128], metavar="MIB")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", help="a root file system with Python"
    )
    parser.add_argument("--pyz", type=Path, metavar="FILE", help="lockstream.pyz, to run that")
    arguments = parser.parse_args()
    if not can_run_containers():
        print("needs root, podman, runc and debootstrap")
        return 2
    bad = 0
    with ExitStack() as stack:
        work = Path(tempfile.mkdtemp(prefix="containers-", dir="/var/tmp"))
        stack.callback(remove_tree, str(work))
        work.chmod(0o755)
        root = work / "root-of-image"
        if arguments.root:
            subprocess.run(["cp", "-a", arguments.root, root], check=True)
        else:
            make_root(root)
        if arguments.pyz:
            shutil.copy(arguments.pyz, root / "usr/local/bin/lockstream")
        else:
            install_into(root)
        (root / "home").chmod(0o777)
        podman = Podman(work)
        stack.callback(podman.close)
        podman.import_image(root, IMAGE)
        write_locks(work / "locks")
        for ground in GROUNDS:
            for lock in LOCKS:
                for limit in arguments.limits:
                    bad += not _tried(podman, ground, lock, limit, work)
    return 1 if bad else 0


def _tried(podman: Podman, ground: Ground, lock: str, limit: int, work: Path) -> bool:
    """Print how an execution ended, and the second one if it is refused; return whether that is
    right.
    """
    began = time.monotonic()
    ended = executed(podman, ground, lock, limit, work)
    cell = described(ended, time.monotonic() - began)
    is_right = ended.status == 0 and not ended.is_killed
    if (named := LARGER.search(ended.output)) and ended.status == 7:
        began = time.monotonic()
        ended = executed(podman, ground, lock, int(named[1]), work)
        is_right = ended.status == 0 and not ended.is_killed
        cell += f"; then {described(ended, time.monotonic() - began)}"
    print(f"{ground.name:48} {lock:12} {limit:4} MiB  {cell}", flush=True)
    if not is_right:
        print(ended.output.strip(), flush=True)
    return is_right


if __name__ == "__main__":
    sys.exit(main())
