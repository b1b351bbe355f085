"""A program that gives up what a build must not do, and then becomes the build.

``python -I -S -c SOURCE SETTINGS COMMAND...``, with SETTINGS as JSON. It enters the control group
before anything is charged, and gives up writing outside of the named folders, signalling other
processes, and possibly the network. What the kernel supports is reported through the descriptor
``report`` before the build begins.

Sources: https://docs.kernel.org/userspace-api/landlock.html and, for namespaces,
https://man7.org/linux/man-pages/man2/unshare.2.html.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import struct
import sys
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls; all machines have the same numbers since Linux 5.13."""


_PR_SET_PDEATHSIG = 1


_PR_SET_NO_NEW_PRIVS = 38


_CLONE_NEWNET = 0x40000000


_RULE_PATH_BENEATH = 1


_WRITE_FILE = 1 << 1


_WRITES_V1 = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
"""Write, remove, make of every kind."""


_REFER, _TRUNCATE = 1 << 13, 1 << 14


_NETWORK = 0b11
"""Bind and connect TCP."""


_SIGNALS = 0b10


def main() -> None:
    """Give up what the settings forbid, report it, and execute the command."""
    settings: dict[str, Any] = json.loads(sys.argv[1])
    command = sys.argv[2:]
    for path in settings["groups"]:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        # If the kernel has to kill a process of the container, it chooses this one.
        file.write("1000")
    if settings["data_limit"]:
        resource.setrlimit(resource.RLIMIT_DATA, (settings["data_limit"], settings["data_limit"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if settings["processors"]:
        os.sched_setaffinity(0, settings["processors"])
    libc = ctypes.CDLL(None, use_errno=True)
    # If lockstream is killed, nothing else would end the build.
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    is_cut_off = not settings["network"] and libc.unshare(_CLONE_NEWNET) == 0
    version = restrict(libc, settings["writable"], network=settings["network"] or is_cut_off)
    lent = {
        "network": "allowed"
        if settings["network"]
        else "none"
        if is_cut_off
        else "no TCP"
        if version >= 4
        else "asked not to",
        "writes": "held to its folders" if version else "anywhere",
    }
    os.write(settings["report"], json.dumps(lent).encode())
    os.close(settings["report"])
    os.execve(command[0], command, settings["environment"])  # noqa: S606


def restrict(libc: Any, writable: list[str], *, network: bool) -> int:
    """Restrict this process by Landlock; return the version in force, or 0 without Landlock."""
    version: int = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return 0
    writes = _WRITES_V1 | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    attributes = struct.pack(
        "=QQQ",
        writes,
        0 if network or version < 4 else _NETWORK,
        _SIGNALS if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules: int = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if rules < 0:
        return 0
    for path in writable:
        _allow(libc, rules, path, writes)
    # multiprocessing makes its semaphores there; it is memory, and measured.
    _allow(libc, rules, "/dev/shm", writes)  # noqa: S108
    for device in ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx"):
        _allow(libc, rules, device, _WRITE_FILE | (writes & _TRUNCATE))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: int = libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)
    return version if done == 0 else 0


def _allow(libc: Any, rules: int, path: str, access: int) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(
            _ADD_RULE, rules, _RULE_PATH_BENEATH, struct.pack("=Qi", access, descriptor), 0
        )
        os.close(descriptor)


main()
