"""Do builds through a real Slurm of one node on this machine.

    python -m stress.slurm [--packages msgpack==1.1.0,docopt==0.6.2]

It starts slurmctld and slurmd (Debian: slurm-wlm; Linux, as root, with a compiler), plans the
packages for two Pythons without building, runs the script of ``lockstream builds --as slurm``,
waits for its arrays, and lists the wheels. The arrays are submitted with too little memory on
purpose: tasks that need more have to submit themselves again.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stress.cluster import PACKAGES, Tally, builds_running, folder_for, plan, records, surroundings

WAIT_SECONDS = 3600.0

MEMORY_MIB = 8000
"""Of the node."""

_CONFIGURATION = """\
ClusterName=lockstream
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/none
CryptoType=crypto/none
SlurmUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """Run a Slurm of one node; yield the environment in which its commands find it."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            host=os.uname().nodename.partition(".")[0],
            folder=folder,
            cpus=os.cpu_count(),
            memory=MEMORY_MIB,
        )
    )
    programs = os.path.dirname(sys.executable)
    found = surroundings()
    path = os.pathsep.join([programs, found["PATH"]])
    environment = {**found, "PATH": path, "SLURM_CONF": str(configuration)}
    servers = [
        subprocess.Popen([name, "-D", "-f", str(configuration)], stderr=subprocess.DEVNULL)
        for name in ("slurmctld", "slurmd")
    ]
    try:
        for _ in range(100):
            state = run(["sinfo", "--noheader", "--format", "%t"], environment).stdout.strip()
            if state == "idle":
                break
            time.sleep(0.5)
        yield environment
    finally:
        for server in reversed(servers):
            server.terminate()
            server.wait()


def run(
    words: list[str], environment: dict[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )


def wait_for_jobs(environment: dict[str, str]) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if not run(["squeue", "--noheader"], environment).stdout.strip():
            return True
        time.sleep(1)
    return False


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds through a Slurm of one node.")
    parser.add_argument("--packages", default=",".join(PACKAGES))
    options = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="lockstream-", dir="/var/tmp") as place:
        root = Path(place)
        folder = folder_for(root, "work", options.packages.split(","))
        found = plan(folder, "--defer-builds")
        tally.check("planned without building", found.returncode == 0, found.stderr[-300:])
        with running(root / "slurm") as environment:
            script = run(["lockstream", "builds", "--as", "slurm"], environment, folder).stdout
            # Too little for any build: the tasks have to submit themselves again.
            script = re.sub(r"--mem=\d+M --cpus", "--mem=64M --cpus", script)
            submitted = run(["sh", "-c", script], environment, folder)
            tally.check("submitted", submitted.returncode == 0, submitted.stdout.split())
            began = time.monotonic()
            tally.check("all jobs ended", wait_for_jobs(environment))
            print(f"{time.monotonic() - began:.0f} s in Slurm", flush=True)
        tally.check("nothing goes on", not builds_running(), builds_running())
        logs = [one.read_text() for one in folder.glob("lockstream-*.log")]
        grown = sum("run it again with at least" in text for text in logs)
        print(f"{len(logs)} tasks, {grown} of them submitted again with more memory", flush=True)
        found = plan(folder, "--fragments", str(folder / "built"))
        tally.check("the wheels are listed", found.returncode == 0, found.stderr[-300:])
        text = run(["lockstream", "builds", str(folder / "pylock.toml")], environment).stdout
        tally.check("nothing is left to build", text.startswith("nothing has to be built"), text)
        tally.check("each wheel has its figures", bool(records(folder)), len(records(folder)))
    print(f"{len(tally.problems)} wrong")
    sys.exit(bool(tally.problems))


if __name__ == "__main__":
    main()
