"""Apart: work that a fork does for us, and whose memory is given back when that ends.

What reads a lock imports a parser of TOML and the grammar of markers and specifiers, and leaves
holes where its objects were: 1.3 MiB that an execution would hold to its end, and 32 MiB are for
all of it.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import select
import signal
import traceback
from collections.abc import Callable
from typing import NoReturn, TypeVar

from executor.lanes.errors import ForkKilled

__all__ = ["apart", "end_with_parent", "portable"]


R = TypeVar("R")


def apart(work: Callable[[], R]) -> R:
    """What ``work`` returns, or raises; both can be pickled. What else it changes in memory is
    lost.

    Raises ForkKilled where the fork was ended from outside.
    """
    hearing, telling = os.pipe()
    parent_lives, alive = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(hearing)
        os.close(alive)
        _tell(work, telling, parent_lives)
    os.close(telling)
    os.close(parent_lives)
    is_over = False
    try:
        with open(hearing, "rb") as stream:
            # It was written by a fork of ourselves.
            result, error = pickle.load(stream)  # noqa: S301
    except (EOFError, pickle.UnpicklingError):
        _, status = os.waitpid(pid, 0)
        is_over = True
        if os.WIFSIGNALED(status):
            raise ForkKilled(signal.Signals(os.WTERMSIG(status)).name) from None
        raise RuntimeError("a fork has failed; what it said is above") from None
    finally:
        os.close(alive)
        if not is_over:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    if error is not None:
        raise error
    done: R = result
    return done


def _tell(work: Callable[[], object], telling: int, parent_lives: int) -> NoReturn:
    """The life of the fork."""
    status = 1
    try:
        end_with_parent(parent_lives)
        outcome: tuple[object, Exception | None]
        try:
            outcome = work(), None
        except Exception as error:  # noqa: BLE001  # raised again by who waits
            outcome = None, portable(error)
        with open(telling, "wb") as stream:
            pickle.dump(outcome, stream)
        status = 0
    except BrokenPipeError:
        pass  # nobody waits any more
    except BaseException:  # noqa: BLE001  # a fork must never return into its parent's code
        traceback.print_exc()
    finally:
        os._exit(status)


def portable(error: Exception) -> Exception:
    """The error, or where it cannot be pickled, one that tells the same."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # whatever its pickling raises
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def end_with_parent(pipe: int) -> None:
    """Be ended by the kernel when the other end of ``pipe`` closes, which is when the parent ends.

    A signal is sent when the pipe changes (https://man7.org/linux/man-pages/man2/fcntl.2.html,
    F_SETOWN); SIGIO ends a process that has no handler for it.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([pipe], [], [], 0)[0]:
        os._exit(0)
