"""RunLog: what a run is at, for the next one to tell if this one ends without a word.

A few lines in the staging folder, which goes when all is well. They are written by all lanes and
not synced: a kill does not lose them, and after the loss of power nobody asks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from schemas.errors import Interrupted, LockstreamError

__all__ = ["RunLog"]


_NAME = "run"


_MAX_SIZE = 1 << 20
"""Bytes of a log that are read; a run of 3,000 wheels writes 300 kB."""


_SHOWN = 3
"""Wheels that are named."""


class RunLog:
    """The log in ``folder``, which must exist when something is noted."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, _NAME)

    def begin(self, wheels: int) -> None:
        """A run begins that unpacks so many wheels; what an earlier one has noted is dropped."""
        with suppress(FileNotFoundError):
            os.unlink(self.path)
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        self.note("began", f"{began}, process {os.getpid()}")
        self.note("wheels", str(wheels))

    def note(self, what: str, detail: str = "") -> None:
        """Add a line: ``begins`` or ``staged`` with a file name, ``commits``. Raises OSError."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o666)
        try:
            os.write(descriptor, os.fsencode(f"{what} {detail}\n"))
        finally:
            os.close(descriptor)

    def ended(self, end: Interrupted | LockstreamError) -> None:
        """The run ends in order, with something left for the next one. Raises OSError."""
        if isinstance(end, Interrupted):
            self.note("ended", f"was stopped by {end.name}")
        else:
            reason = str(end).partition("\n")[0]
            self.note("ended", f"failed ({reason})")

    def last(self) -> str | None:
        """What became of the run whose log this is, as a sentence; None where there is none."""
        try:
            with open(self.path, encoding="utf-8", errors="replace") as file:
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
            where = f"while it was unpacking {_listed(at_work)}"
        else:
            where = "before it changed anything"
        how = first.get("ended", "was killed, by the kernel if memory ran out,")
        return (
            f"the last run ({first.get('began', 'at an unknown time')}) {how} {where}; "
            f"{len(staged)} of {first.get('wheels', 'unknown')} wheels were complete"
        )


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
