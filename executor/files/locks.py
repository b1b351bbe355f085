"""Locks of folders, which guard an environment against two executions at once."""

from __future__ import annotations

import errno
import fcntl

__all__ = ["try_lock"]


_REFUSED = frozenset({
    errno.EPERM, errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL,
})  # fmt: skip
"""Errors of seccomp filters and of file systems without locks (NFS without a lock daemon)."""


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; return False if another process holds it.

    If the system cannot lock it, that counts as locked: the user has to start one execution at a
    time there. Raises OSError.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in _REFUSED:
            raise
    return True
