"""A log of what a run does, from which the next run reports how that one ended.

It is a few lines in the staging folder, and is removed with it when all is well. All lanes write
it, through one descriptor, so that each line comes after the one before. It is not synced: a kill
does not lose it, and the loss of power needs no report.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from io import TextIOWrapper

from executor.files.held_folder import HeldFolder
from schemas.errors import Interrupted, LockstreamError
from schemas.text import enumerate_some

__all__ = ["RunLog"]


_NAME = "run"


_MAX_SIZE = 1 << 20
"""Bytes of a log that are read; a run of 3,000 wheels writes 300 kB."""


_SHOWN = 3
"""Number of wheels that a sentence names."""


class RunLog:
    """The log in the staging folder ``folder``, owned by one run at a time."""

    name = _NAME

    def __init__(self, folder: HeldFolder) -> None:
        self._folder = folder
        self._descriptor = -1

    def begin(self, wheels: int) -> None:
        """Begin the log of a run that unpacks ``wheels`` wheels, in place of an earlier one."""
        with suppress(FileNotFoundError):
            self._folder.unlink(_NAME)
        with self._folder.create(_NAME) as file:
            self._descriptor = os.dup(file.fileno())
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        self.note("began", f"{began}, process {os.getpid()}")
        self.note("wheels", str(wheels))

    def note(self, what: str, detail: str = "") -> None:
        """Add a line: ``begins`` or ``staged`` with a file name, ``commits``. Raises OSError."""
        os.write(self._descriptor, os.fsencode(f"{what} {detail}\n"))

    def close(self) -> None:
        """Write nothing from now on."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            # The loss of its last lines needs no report.
            with suppress(OSError):
                os.close(descriptor)

    def ended(self, end: Interrupted | LockstreamError | OSError) -> None:
        """Note how the run ends, with something left for the next one. Raises OSError."""
        if isinstance(end, Interrupted):
            self.note("ended", f"was stopped by {end.name}")
        else:
            reason = str(end).partition("\n")[0]
            self.note("ended", f"failed ({reason})")

    def last(self) -> str | None:
        """Return how the run of this log ended, as a sentence; None if there is no log."""
        try:
            # A checkout may have brought a pipe of this name, which would never end.
            with TextIOWrapper(self._folder.open(_NAME), "utf-8", "replace") as file:
                notes = [
                    line.rstrip("\n").partition(" ")[::2] for line in file.readlines(_MAX_SIZE)
                ]
        except OSError:
            return None
        first = dict(reversed(notes))
        begun = [detail for what, detail in notes if what == "begins"]
        staged = {detail for what, detail in notes if what == "staged"}
        if "commits" in first:
            where = "while it was changing the environment, which is finished now"
        elif at_work := [name for name in begun if name not in staged]:
            where = f"while it was unpacking {enumerate_some(at_work, _SHOWN)}"
        else:
            where = "before it changed anything"
        how = first.get("ended", "was killed or lost power")
        return (
            f"the last run ({first.get('began', 'at an unknown time')}) {how} {where}; "
            f"{len(staged)} of {first.get('wheels', 'unknown')} wheels were complete"
        )
