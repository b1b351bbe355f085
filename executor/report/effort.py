"""What one wheel takes, counted while a lane is at work on it, and the events of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING

from executor.files.writer import FileWriter
from executor.lock.step import Step
from executor.report.board import Board
from executor.report.recorder import Recorder
from executor.report.report import PackageFigures
from executor.report.timing import Timing
from executor.wheels.staged_wheel import StagedWheel

if TYPE_CHECKING:
    from executor.sources.client import HttpClient

__all__ = ["Effort"]


_INTERVAL = 0.1
"""Seconds between two events of the bytes of one wheel."""


class Effort:
    """The effort for one wheel, from its making on; the lane that works on it owns it."""

    def __init__(
        self,
        step: Step,
        client: HttpClient,
        writer: FileWriter,
        recorder: Recorder,
        board: Board | None = None,
    ) -> None:
        self._client = client
        self._writer = writer
        self._recorder = recorder
        self._board, self._size = board, step.size
        if board:
            name = f"{step.name} {step.version}"
            # What is built is not waited for, and how far a build is cannot be known.
            if step.source:
                board.put(f"{name} (building)", 1, None)
            else:
                board.put(name, 0, step.size)
        self._name, self._version = step.name, step.version
        self._began = perf_counter()
        self._before = client.waited, writer.seconds, client.received
        recorder.event(
            "begins", package=step.name, version=step.version, file=step.filename, size=step.size
        )

    @property
    def fetched(self) -> int:
        """Bytes that came over the network so far."""
        return self._client.received - self._before[2]

    def timing(self) -> Timing:
        """Return where the time went so far."""
        network = self._client.waited - self._before[0]
        writing = self._writer.seconds - self._before[1]
        return Timing(network, writing, perf_counter() - self._began - network - writing)

    def chunks(self, chunks: Iterable[bytes], source: str) -> Iterator[bytes]:
        """Yield ``chunks``, the bytes of the wheel from ``source``, and write events of them."""
        record = self._recorder
        record.event("waits", package=self._name, source=source)
        read, reported = 0, perf_counter()
        for chunk in chunks:
            read += len(chunk)
            if (now := perf_counter()) - reported >= _INTERVAL:
                reported = now
                if self._board:
                    self._board.put(f"{self._name} {self._version}", read, self._size)
                record.event("bytes", package=self._name, read=read, **self._facts())
            yield chunk
        record.event("unpacked", package=self._name, read=read, **self._facts())

    def written(self, wheel: StagedWheel) -> None:
        """Note that all files of the wheel are written and checked."""
        if self._recorder.is_heard:
            self._recorder.event(
                "written", package=self._name, files=wheel.files, bytes=wheel.bytes, **self._facts()
            )

    def staged(self, wheel: StagedWheel) -> PackageFigures:
        """Note that the wheel is complete; return its figures."""
        if self._board:
            self._board.finish()
        if self._recorder.is_heard:
            self._recorder.event(
                "staged",
                package=self._name,
                files=wheel.files,
                bytes=wheel.bytes,
                reused=wheel.is_reused,
                startup=list(wheel.startup),
                **self._facts(),
            )
        return PackageFigures(
            name=self._name,
            version=self._version,
            fetched=self.fetched,
            files=wheel.files,
            unpacked=wheel.bytes,
            is_reused=wheel.is_reused,
            spent=self.timing(),
        )

    def failed(self, error: Exception) -> None:
        """Note that the wheel cannot be installed."""
        self._recorder.event(
            "failed",
            package=self._name,
            error=str(error) or type(error).__name__,
            kind=type(error).__name__,
            **self._facts(),
        )

    def _facts(self) -> dict[str, float]:
        return {"fetched": self.fetched, **self.timing().of_lanes()}
