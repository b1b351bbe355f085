"""The beginning and the end of a run in its log, with samples of the memory between them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from executor.budget.processors import usable_processors
from executor.report.recorder import Recorder
from executor.report.sampler import Sampler
from schemas.errors import Interrupted, LockstreamError

__all__ = ["run_recorded"]


_INTERRUPTED = 130
"""128 + SIGINT, as shells report it."""


@contextmanager
def run_recorded(recorder: Recorder, command: str, **facts: object) -> Iterator[dict[str, object]]:
    """Write the first event of a run of ``command``, samples while the body runs, and its end: the
    error that it raises, or the facts that it puts into the table that is yielded.
    """
    end: dict[str, object] = {}
    if not recorder.is_on:
        yield end
        return
    recorder.begin(
        command,
        **facts,
        python=".".join(map(str, sys.version_info[:3])),
        system=" ".join(os.uname()[::2]),
        processors=usable_processors(),
    )
    try:
        with Sampler(recorder):
            yield end
    except BaseException as error:
        recorder.event(
            "end",
            ok=False,
            status=_status_of(error),
            error=str(error)
            or ("interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__),
            kind=type(error).__name__,
            hint=getattr(error, "hint", None) or None,
            left=getattr(error, "left", None) or None,
        )
        raise
    recorder.event("end", ok=True, status=0, **end)


def _status_of(error: BaseException) -> int | None:
    """Return the exit status with which the program ends; None if the error is a defect."""
    if isinstance(error, LockstreamError):
        return error.exit_code
    if isinstance(error, Interrupted):
        return error.exit_status
    return _INTERRUPTED if isinstance(error, KeyboardInterrupt) else None
