"""A program that gives up what a build must not do, and then becomes the build.

``python -I -S -c SOURCE COMMAND...``, with its settings as JSON on standard input: every user can
read the arguments of a process, and the settings hold environment variables. The program enters the
control group before anything is charged, and gives up writing outside of the named folders,
signalling other processes, the capabilities of root that builds do not need, the sockets of other
programs, and possibly the network. What the kernel supports is reported through the descriptor
``report`` before the build begins.

Sources: https://docs.kernel.org/userspace-api/landlock.html,
https://docs.kernel.org/userspace-api/seccomp_filter.html and, for namespaces,
https://man7.org/linux/man-pages/man2/unshare.2.html.
"""

from __future__ import annotations

import _socket  # not socket: 1 MiB more, in a process that is measured
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import stat
import struct
import sys
from typing import Any

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
"""System calls; all machines have the same numbers since Linux 5.13."""


_PR_SET_PDEATHSIG = 1


_PR_SET_NO_NEW_PRIVS = 38


_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000


_SIOCSIFFLAGS, _IFF_UP = 0x8914, 1
"""Set the flags of a network device (https://man7.org/linux/man-pages/man7/netdevice.7.html)."""


_RULE_PATH_BENEATH = 1


_WRITE_FILE = 1 << 1


_WRITES_V1 = _WRITE_FILE | sum(1 << bit for bit in range(4, 13))
"""Write, remove, make of every kind."""


_REFER, _TRUNCATE = 1 << 13, 1 << 14


_MAKE_DEVICE = 1 << 6 | 1 << 11
"""Make character and block devices: no build does."""


_SHARED = ("/dev/shm",)  # noqa: S108
"""multiprocessing makes its semaphores there; it is memory, and measured."""


_CLONE_NEWNS = 0x00020000


_MS_BIND, _MS_REC, _MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18


_MOUNT_SETATTR = 442
"""System call, since Linux 5.12 (https://man7.org/linux/man-pages/man2/mount_setattr.2.html)."""


_MOUNT_ATTR_RDONLY = 1


_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000


_PR_CAPBSET_READ, _PR_CAPBSET_DROP = 23, 24


_KEPT = frozenset({0, 1, 3, 4})
"""CAP_CHOWN, DAC_OVERRIDE, FOWNER and FSETID: root's tar gives files their recorded owner, and
fails without. Without the rest, a build of root reads no other process's environment."""


_MAX_CAPABILITY = 63


_NETWORK = 0b11
"""Bind and connect TCP."""


_SCOPES = 0b11
"""Abstract Unix sockets, and signals: those of the build's own processes alone."""


_NAME_SERVICES = ("nscd", "systemd/resolve", "/sss/")
"""Parts of the paths of sockets that a build with a network needs to find hosts."""


_MAX_SOCKETS = 1000


_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2


_ALLOW, _DENY = 0x7FFF0000, 0x00050000
"""What a filter returns; the second with an error number."""


_LOAD, _AND, _EQUAL, _RETURN = 0x20, 0x54, 0x15, 0x06
"""Instructions of a filter (linux/bpf_common.h): load a word, mask it, compare it, return."""


_IO_URING_SETUP = 425
"""Whoever has a ring makes sockets without the system call. All programs do without it too."""


_X32 = 0x40000000
"""Added to the numbers of system calls by programs of the x32 ABI."""


_SOCKET = {
    "x86_64": (0xC000003E, 41, 0x40000003, (102, 359, _IO_URING_SETUP)),
    "aarch64": (0xC00000B7, 198, 0x40000028, (102, 281, _IO_URING_SETUP)),
}
"""By machine: its AUDIT_ARCH and the number of ``socket``, and for programs of 32 bits their
AUDIT_ARCH and the numbers of the calls that make sockets, whatever their kind."""


_LOCAL_FAMILIES = (1, 16)
"""AF_UNIX and AF_NETLINK, which do not leave the machine."""


def main() -> None:
    """Give up what the settings forbid, report it, and execute the command."""
    settings: dict[str, Any] = json.load(sys.stdin)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    command = sys.argv[1:]
    for path in settings["groups"]:
        with open(path, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        # If the kernel has to kill a process of the container, it chooses this one.
        file.write("1000")
    if settings["data_limit"]:
        limit_to(resource.RLIMIT_DATA, settings["data_limit"])
    limit_to(resource.RLIMIT_CORE, 0)
    if settings["processors"]:
        with contextlib.suppress(OSError):  # a filter of system calls may refuse it
            os.sched_setaffinity(0, settings["processors"])
    libc = ctypes.CDLL(None, use_errno=True)
    # If lockstream is killed, nothing else would end the build.
    libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    writable = settings["writable"]
    sockets = sockets_outside(writable, network=settings["network"])
    is_cut_off = not settings["network"] and leave_network(libc)
    is_read_only = mount_read_only(libc, [*writable, *_SHARED], sockets)
    drop_capabilities(libc)
    version = restrict(libc, writable, network=settings["network"] or is_cut_off)
    if not settings["network"] and not is_cut_off:
        is_cut_off = forbid_internet(libc, os.uname().machine)
    lent = {
        "network": "allowed"
        if settings["network"]
        else "none"
        if is_cut_off
        else "no TCP"
        if version >= 4
        else "asked not to",
        "writes": "held to its folders" if version or is_read_only else "anywhere",
    }
    os.write(settings["report"], json.dumps(lent).encode())
    os.close(settings["report"])
    os.execve(command[0], command, settings["environment"])  # noqa: S606


def limit_to(kind: int, size: int) -> None:
    """Limit a resource, unless a filter of system calls refuses it: Python has ValueError for
    that. The watch over the build remains.
    """
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(kind, (size, size))


def unshare(libc: Any, kind: int) -> bool:
    """Enter a namespace of ``kind``; return whether that was possible.

    Who may not make one may in a user namespace of its own, if the system allows those.
    """
    if libc.unshare(kind) == 0:
        return True
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | kind) != 0:
        return False
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    return True


def leave_network(libc: Any) -> bool:
    """Enter a network of nothing but a loopback device; return whether that was possible.

    Build tools talk to themselves over it (Bazel, Gradle, sccache).
    """
    if not unshare(libc, _CLONE_NEWNET):
        return False
    with contextlib.suppress(OSError), contextlib.closing(_socket.socket()) as device:
        fcntl.ioctl(device, _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _IFF_UP))
    return True


def sockets_outside(writable: list[str], *, network: bool) -> list[bytes]:
    """Return the paths of the Unix sockets that other programs have bound, as far as they can be
    seen: agents of keys and the daemon of containers obey whoever connects to them.

    With a ``network`` those that find hosts are left out.
    """
    paths = set[bytes]()
    with contextlib.suppress(OSError), open("/proc/self/net/unix", "rb") as lines:
        for line in lines:
            # Num RefCount Protocol Flags Type St Inode Path
            paths.update(line.rstrip(b"\n").split(None, 7)[7:])
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as lines:
        # One of the host's may be mounted into a container.
        paths.update(b"".join(line.split()[4:5]) for line in lines)
    own = tuple(os.fsencode(os.path.realpath(path)) + b"/" for path in writable)
    needed = [part.encode() for part in _NAME_SERVICES] if network else []
    found: list[bytes] = []
    for path in sorted(paths):
        if len(found) == _MAX_SOCKETS or path[:1] != b"/" or any(part in path for part in needed):
            continue
        with contextlib.suppress(OSError, ValueError):
            real = os.path.realpath(path)
            if stat.S_ISSOCK(os.lstat(real).st_mode) and not real.startswith(own):
                found.append(real)
    return found


def mount_read_only(libc: Any, writable: list[str], hidden: list[bytes]) -> bool:
    """Mount everything but ``writable`` read-only for this process, which also keeps it from
    changing modes and owners outside, and nothing over the sockets ``hidden``; return whether the
    kernel allowed it, as it does to root and in a user namespace.
    """
    if not unshare(libc, _CLONE_NEWNS):
        return False
    everything = _MS_REC | _MS_PRIVATE
    if libc.mount(b"none", b"/", None, everything, None):
        return False
    paths = [os.fsencode(os.path.abspath(path)) for path in writable if os.path.exists(path)]
    for path in paths:
        if libc.mount(path, path, None, _MS_BIND | _MS_REC, None):
            return False
    for path in hidden:
        libc.mount(b"/dev/null", path, None, _MS_BIND, None)
    read_only = struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY, 0, 0, 0)
    again_writable = struct.pack("=QQQQ", 0, _MOUNT_ATTR_RDONLY, 0, 0)
    # The working folder is below the old mount until it is entered anew.
    here = os.getcwd()
    if libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, b"/", _AT_RECURSIVE, read_only, len(read_only)):
        return False
    for path in paths:
        libc.syscall(_MOUNT_SETATTR, _AT_FDCWD, path, _AT_RECURSIVE, again_writable, 32)
    os.chdir(here)
    return True


def drop_capabilities(libc: Any) -> None:
    """Give up every capability but ``_KEPT``, for this process and all that it executes.

    Without CAP_SETPCAP, as an ordinary user, there is nothing to give up.
    """
    for number in range(_MAX_CAPABILITY + 1):
        if number not in _KEPT and libc.prctl(_PR_CAPBSET_READ, number, 0, 0, 0) == 1:
            libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0)


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
        _SCOPES if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules: int = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if rules < 0:
        return 0
    for path in (*writable, *_SHARED):
        _allow(libc, rules, path, writes & ~_MAKE_DEVICE)
    for device in ("/dev/null", "/dev/zero", "/dev/full", "/dev/tty", "/dev/ptmx"):
        _allow(libc, rules, device, _WRITE_FILE | (writes & _TRUNCATE))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: int = libc.syscall(_RESTRICT_SELF, rules, 0)
    os.close(rules)
    return version if done == 0 else 0


def forbid_internet(libc: Any, machine: str) -> bool:
    """Let no process of the build make a socket that leaves the machine, of TCP, UDP or another
    protocol; return whether the kernel has the filter.
    """
    if machine not in _SOCKET:
        return False
    arch, socket, other_arch, other_calls = _SOCKET[machine]
    families = [(_EQUAL, 0, 1, family) for family in _LOCAL_FAMILIES]
    allowed, denied = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _DENY | errno.EACCES)
    own = [
        (_LOAD, 0, 0, 0),
        (_AND, 0, 0, 0xFFFFFFFF ^ _X32),
        *((_EQUAL, 0, 1, _IO_URING_SETUP), (_RETURN, 0, 0, _DENY | errno.ENOSYS)),
        *((_EQUAL, 1, 0, socket), allowed),
        (_LOAD, 0, 0, 16),  # the first argument
        *(instruction for family in families for instruction in (family, allowed)),
        denied,
    ]
    others = [
        *((_EQUAL, 1, 0, other_arch), allowed),
        (_LOAD, 0, 0, 0),
        *(one for call in other_calls for one in ((_EQUAL, 0, 1, call), denied)),
        allowed,
    ]
    program = [(_LOAD, 0, 0, 4), (_EQUAL, 0, len(own), arch), *own, *others]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in program))
    filter_ = struct.pack("@HP", len(program), ctypes.addressof(code))
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filter_, 0, 0) == 0)


def _allow(libc: Any, rules: int, path: str, access: int) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        libc.syscall(
            _ADD_RULE, rules, _RULE_PATH_BENEATH, struct.pack("=Qi", access, descriptor), 0
        )
        os.close(descriptor)


main()
