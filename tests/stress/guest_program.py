"""What runs in the virtual machine of guest.py: executions in control groups of version 2.

Prints a line of JSON for each execution to the console, and powers the machine off. Only the
standard library is there.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

GROUPS = Path("/sys/fs/cgroup")
FOLDER = Path(__file__).parent
NAMED = re.compile(r"give it at least (\d+) MiB: a larger limit")

INSIDE = """
umount -l /sys/fs/cgroup
mount -t cgroup2 -o ro cgroup2 /sys/fs/cgroup
exec "$@"
"""
"""What Docker and Podman do for a container: it sees its own group as the root, read-only."""


def main() -> None:
    order = json.loads((FOLDER / "order.json").read_text())
    for command in order["setup"]:
        subprocess.run(["sh", "-ec", command], check=True)
    (GROUPS / "cgroup.subtree_control").write_text("+memory")
    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "8000", "-d", "/locks"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(5)
    for number, (place, kind, lock, limit) in enumerate(order["runs"]):
        result = run(f"{place}/env{number}", kind, lock, limit)
        if (found := NAMED.search(result["output"])) and result["status"] == 7:
            again = run(f"{place}/again{number}", kind, lock, int(found[1]))
            result["again"] = {"limit": int(found[1]), **again}
        result |= {"place": place, "kind": kind, "lock": lock, "limit": limit}
        print("\nRESULT " + json.dumps(result), flush=True)
    server.kill()


def run(environment: str, kind: str, lock: str, limit: int) -> dict[str, Any]:
    """Execute a lock in a group of ``limit`` MiB; return how it ended."""
    subprocess.run(["sh", "-c", "sync; echo 3 > /proc/sys/vm/drop_caches"], check=True)
    command = [
        "lockstream", "execute", f"/locks/{lock}/served.toml", "--venv", environment,
        "--progress", "none",
    ]  # fmt: skip
    group = None
    if kind == "scope":
        command = ["systemd-run", "--scope", "--quiet", "-p", f"MemoryMax={limit}M", *command]
    else:
        group = GROUPS / f"limited.{time.monotonic_ns()}"
        group.mkdir()
        (group / "memory.max").write_text(str(limit << 20))
        enter = f'echo $$ > {group}/cgroup.procs; exec unshare -C -m sh -ec "$INSIDE" sh "$@"'
        command = ["sh", "-ec", enter, "sh", *command]
    began = time.monotonic()
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env=os.environ | {"INSIDE": INSIDE},
    )
    try:
        output, _ = process.communicate(timeout=1800)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = process.communicate()[0] + "\nit did not end in time"
    seconds = time.monotonic() - began
    kills = int(process.returncode in {137, -9})
    peak = 0
    if group is not None:
        events = dict(line.split() for line in (group / "memory.events").read_text().splitlines())
        kills = int(events["oom_kill"])
        if (group / "memory.peak").exists():
            peak = int((group / "memory.peak").read_text())
        time.sleep(0.2)
        group.rmdir()
    return {
        "status": process.returncode,
        "kills": kills,
        "seconds": round(seconds, 1),
        "peak": peak >> 20,
        "output": output[-600:],
    }


if __name__ == "__main__":
    try:
        main()
    finally:
        print("\nEND", flush=True)
        subprocess.run(["sync"], check=False)
        subprocess.run(["systemctl", "poweroff", "--force", "--force"], check=False)
