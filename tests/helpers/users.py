"""Work that is done by another user, in a fork. It takes the rights of root."""

from __future__ import annotations

import os
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Another user may not be allowed to read the folder of the interpreter: what the executor imports
# late is imported before.
import executor.install.decide
import executor.transaction.transaction
from schemas.errors import LockstreamError

__all__ = ["NOBODY", "OTHER", "Ended", "done_as", "open_folder"]

NOBODY = 65534
OTHER = 65533

_LATE = (executor.install.decide, executor.transaction.transaction, shutil)


@dataclass(frozen=True, slots=True)
class Ended:
    """How the work of another user ended."""

    status: int
    """0, the exit code of a LockstreamError, or 99 for any other error."""
    text: str
    """The error, its hint and what it left."""


def done_as(user: int, work: Callable[[], object]) -> Ended:
    """Do ``work`` in a fork that belongs to ``user``, with no other groups."""
    hearing, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hearing)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
        status, text = 0, ""
        try:
            work()
        except LockstreamError as error:
            status, text = int(error.exit_code), f"{error}; {error.hint}; {error.left}"
        except BaseException:  # noqa: BLE001  # the parent sees the exit status
            status, text = 99, traceback.format_exc()
        os.write(telling, text.encode()[-8000:])
        os._exit(status)
    os.close(telling)
    with open(hearing, "rb") as said:
        text = said.read().decode()
    return Ended(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text)


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a new folder that every user may enter; it is removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="open-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
