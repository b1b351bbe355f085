"""Run a short program and return what it prints, of which there may be no end."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["ChildOutput", "NoAnswer", "TooMuchOutput", "output_of"]


_MOST = 1 << 20
"""Bytes of each of both streams."""


_READ = 64 << 10
"""Bytes read at once: what a pipe holds."""


class NoAnswer(Exception):
    """A program did not end in time."""


class TooMuchOutput(Exception):
    """A program printed more than any answer has."""


class ChildOutput(NamedTuple):
    """What a program that has ended printed."""

    status: int
    """As of ``Popen.returncode``."""
    output: bytes
    errors: bytes


def output_of(
    command: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None
) -> ChildOutput:
    """Run ``command`` without input, with our environment variables or the given ones, and return
    what it prints.

    Raises TooMuchOutput if it prints more than 1 MiB, and NoAnswer if it takes longer than
    ``seconds``: it is killed then. Raises OSError if it cannot be run.
    """
    import select  # noqa: PLC0415  # rarely needed, as all of this
    import subprocess  # noqa: PLC0415

    pipe = subprocess.PIPE
    deadline = time.monotonic() + seconds
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        streams = child.stdout.fileno(), child.stderr.fileno()
        printed = {stream: bytearray() for stream in streams}
        poll = select.poll()
        for stream in streams:
            poll.register(stream, select.POLLIN)
        try:
            left = len(streams)
            while left:
                ready = poll.poll(max(0.0, deadline - time.monotonic()) * 1000)
                if not ready:
                    raise NoAnswer
                for stream, _ in ready:
                    data = os.read(stream, _READ)
                    printed[stream] += data
                    if not data:
                        poll.unregister(stream)
                        left -= 1
                    elif len(printed[stream]) > _MOST:
                        raise TooMuchOutput
            child.wait(max(0.0, deadline - time.monotonic()))
        except BaseException as error:
            child.kill()
            if isinstance(error, subprocess.TimeoutExpired):
                raise NoAnswer from None
            raise
    return ChildOutput(child.returncode, *map(bytes, printed.values()))
