"""Run one build that was ordered from another machine, and end it when it is no longer wanted.

It runs inside the worker of an engine, as a process of its own: a worker is no place for code of a
package, and a build needs the main thread of its process for signals.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from glob import escape, glob

from planner.builds.claimed_folder import claimed_folder
from planner.builds.fragment import FRAGMENT_NAME
from planner.builds.interpreters import Interpreters
from planner.engines.order import BuildOrder, BuildResult
from schemas.errors import UsageError
from schemas.target import Target

__all__ = ["buildable", "run_order"]


PAUSE_SECONDS = 0.2
"""Time between two looks at whether a build is still wanted."""

GRACE_SECONDS = 10.0
"""Time in which a build that is ended removes its folders, before it is killed."""

LAST_LINES = 20

_PR_SET_PDEATHSIG = 1


def buildable(targets: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return those of ``targets``, pairs of Python and platform, that this machine builds for."""
    interpreters = Interpreters()
    found = []
    for python, platform in targets:
        try:
            is_it = interpreters.find(Target.named(python, platform)) is not None
        except UsageError:
            is_it = False  # a newer lockstream knows it
        if is_it:
            found.append((python, platform))
    return found


def run_order(order: BuildOrder, is_wanted: Callable[[], bool]) -> BuildResult:
    """Do the build of ``order`` and return its wheel, or how it failed."""
    with claimed_folder("lockstream-order-") as (folder, claim):
        lock, store = os.path.join(folder, "pylock.toml"), os.path.join(folder, "built")
        with open(lock, "wb") as file:
            file.write(order.lock)
        words = [
            sys.executable,
            "-P",  # the folder that the worker was started in may have modules of the same names
            "-m",
            "lockstream",
            "build",
            order.package,
            lock,
            "--quiet",
            *("--target", order.target),
            *("--into", store),
            *("--memory", str(order.memory)),
        ]
        with open(os.path.join(folder, "output"), "w+b") as output:
            process = subprocess.Popen(
                words,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[claim],
                start_new_session=True,
                preexec_fn=partial(_end_with, os.getpid()),  # noqa: PLW1509  # it calls the kernel only
            )
            status = _wait(process, is_wanted)
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()
        text = "\n".join(lines[-LAST_LINES:])
        if status:
            return BuildResult(status=status, text=text)
        return _read(os.path.join(store, order.key), text)


def _wait(process: subprocess.Popen[bytes], is_wanted: Callable[[], bool]) -> int:
    """Return the status of ``process``, which is ended if its result is no longer wanted."""
    while True:
        try:
            return process.wait(PAUSE_SECONDS)
        except subprocess.TimeoutExpired:
            if is_wanted():
                continue
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(PAUSE_SECONDS)
        process.kill()
        return process.wait()


def _read(place: str, text: str) -> BuildResult:
    (wheel,) = glob(os.path.join(escape(place), "*.whl"))
    with open(os.path.join(place, FRAGMENT_NAME), "rb") as file:
        fragment = file.read()
    with open(wheel, "rb") as file:
        return BuildResult(
            status=0, text=text, fragment=fragment, wheel=file.read(), name=os.path.basename(wheel)
        )


def _end_with(parent: int) -> None:
    """Let the kernel end this process when its parent is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
