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
        status = error.exit_code if isinstance(error, LockstreamError) else None
        recorder.event(
            "end",
            ok=False,
            status=error.exit_status if isinstance(error, Interrupted) else status,
            error=str(error) or type(error).__name__,
            kind=type(error).__name__,
            hint=getattr(error, "hint", None) or None,
            left=getattr(error, "left", None) or None,
        )
        raise
    recorder.event("end", ok=True, status=0, **end)
