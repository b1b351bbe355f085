"""The log of a run: one line of JSON for each event, written as it happens.

Each line is one write to a descriptor that was opened with O_APPEND before the lanes fork, and has
at most PIPE_BUF bytes: the lines of several processes do not mix, in a file or in a pipe
(https://man7.org/linux/man-pages/man7/pipe.7.html), and a run that is killed leaves all it wrote.
The events are those of ``schemas/run-log-1.schema.json``.
"""

from __future__ import annotations

import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from executor.files.regular import open_at_once
from schemas.errors import NotWritten, UsageError
from schemas.urls import hidden_in, may_be_hidden
from schemas.version import VERSION

__all__ = ["FORMAT", "STANDARD_OUTPUT", "Recorder"]


FORMAT = 1
"""Version of the format. Increase it when an event loses a field or a field changes its meaning."""


STANDARD_OUTPUT = "-"
"""Names standard output in place of a file."""


_BEGIN = b'{"event":'
"""What each line begins with."""


_PIPE_BUF = 4096
"""Bytes that Linux writes to a pipe at once."""


_PATIENCE = 10.0
"""Seconds that a named pipe may be full. The run goes on without a log if nothing reads it."""


_LENGTHS = (1000, 200, 40)
"""Characters that remain of each text if a line would be too long."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: ``json.dumps`` with options makes one for each event."""


class Recorder:
    """Writes the events of one run; the opener closes it. This one writes nothing.

    ``Recorder.opened`` returns one that writes. A fork may use the recorder of its parent, and so
    may threads. It never raises and never waits for anything but the write.
    """

    def __init__(self, descriptor: int | None = None) -> None:
        self.listener: Callable[[str, Mapping[str, object]], None] | None = None
        """Hears the name and the facts of every event, written or not, for a view of the run."""
        self._descriptor = descriptor
        self._began = time.monotonic()
        self._failed: Any = None
        self._is_told = False
        if descriptor is not None:
            import mmap  # noqa: PLC0415  # only a run with a log pays for it

            # One page that forks share: what one cannot write, none tries to write any more.
            self._failed = mmap.mmap(-1, mmap.PAGESIZE)

    @classmethod
    def opened(cls, path: str) -> Recorder:
        """Return a recorder that writes to the file at ``path``, in place of an older log.

        ``-`` is standard output. Raises UsageError, also if the file is something else than a log,
        such as the lock.
        """
        if path == STANDARD_OUTPUT:
            return cls(os.dup(1))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = open_at_once(path, flags)
            try:
                if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                    os.set_blocking(descriptor, False)
                _empty(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            return cls(descriptor)
        except OSError as error:
            raise NotWritten(
                f"--log {path}: cannot be written",
                error,
                hint="name a file in a folder that exists and may be written to",
            ) from None

    @property
    def is_on(self) -> bool:
        """Whether events are written."""
        return self._descriptor is not None and not self._failed[0]

    @property
    def is_heard(self) -> bool:
        """Whether anybody hears of events, or they are written."""
        return self.listener is not None or self.is_on

    def event(self, kind: str, /, **facts: object) -> None:
        """Write an event. ``facts`` are texts, numbers, None, and lists or tables of them."""
        if self.listener:
            self.listener(kind, facts)
        if self._descriptor is None or self._failed[0]:
            return
        content = {
            "event": kind,
            "at": round(time.monotonic() - self._began, 4),
            "process": os.getpid(),
            **facts,
        }
        if not _is_written(self._descriptor, _line(content)):
            self._failed[0] = 1

    def note(self, kind: str, /, **facts: object) -> None:
        """Let the listener hear of what is not written: that something begins, or goes on."""
        if self.listener:
            self.listener(kind, facts)

    def begin(self, command: str, **facts: object) -> None:
        """Write the first event of a run of ``command``."""
        if self.is_on:
            started = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            about = {"format": FORMAT, "lockstream": VERSION, "command": command}
            self.event("run", **about, started=started, **facts)

    def failure(self) -> str | None:
        """Return a sentence if the log is not complete; only once."""
        if self._failed is None or not self._failed[0] or self._is_told:
            return None
        self._is_told = True
        return "the log could not be written to its end (is its disk full, or its reader gone?)"

    def close(self) -> None:
        """Write nothing from now on."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _empty(path: str, descriptor: int) -> None:
    """Remove what an older run has logged. Raises UsageError and OSError."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return
    with open(path, "rb") as file:
        begin = file.read(len(_BEGIN))
    # A kill may have torn the first line of the run before.
    if not (begin.startswith(_BEGIN) or _BEGIN.startswith(begin)):
        raise UsageError(
            f"--log {path}: this file is there already, and is no log",
            hint="name a new file, or that of an older log",
        )
    os.ftruncate(descriptor, 0)


def _is_written(descriptor: int, line: bytes) -> bool:
    """Write a line, and return whether all of it was written."""
    while True:
        try:
            return os.write(descriptor, line) == len(line)
        except BlockingIOError:
            import select  # noqa: PLC0415  # only a pipe that is full needs it

            poll = select.poll()
            poll.register(descriptor, select.POLLOUT)
            if not poll.poll(_PATIENCE * 1000):
                return False
        except OSError:
            return False


def _line(content: Mapping[str, object]) -> bytes:
    """Return ``content`` as a line of at most PIPE_BUF bytes, with shorter texts if needed."""
    line = _encoded(content)
    for length in _LENGTHS:
        if len(line) <= _PIPE_BUF:
            break
        line = _encoded({key: _shortened(value, length) for key, value in content.items()})
    return line


def _encoded(content: Mapping[str, object]) -> bytes:
    text = _ENCODER.encode(content)
    # Few events have an address, in which a secret could be.
    if may_be_hidden(text):
        text = _ENCODER.encode(hidden_in(content))
    if not text.isprintable():
        # A terminal obeys some of them. Bytes of a path that are not UTF-8 are among them.
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    if "##" in text:
        # A runner of jobs obeys ##vso[...] wherever it is in what they print.
        text = text.replace("##", "#\\u0023")
    return f"{text}\n".encode()


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1]


def _shortened(value: object, length: int) -> object:
    if isinstance(value, str):
        return value if len(value) <= length else f"{value[: length - 1]}…"
    if isinstance(value, Mapping):
        return {key: _shortened(one, length) for key, one in value.items()}
    if isinstance(value, Iterable):
        return [_shortened(one, length) for one in list(value)[: length // 10]]
    return value
