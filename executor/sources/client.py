"""The HTTP client of the executor: fetches a file in as many attempts as it takes.

A download that breaks off is resumed; the rest of a large one that comes slowly is divided.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from functools import partial
from urllib.parse import SplitResult

from executor.sources.body import is_encoded, not_a_page, page_type, read_body
from executor.sources.download import Download, Progress
from executor.sources.errors import Unreachable
from executor.sources.http1 import PARTIAL, range_headers
from executor.sources.keychain import Keychain
from executor.sources.pending import PendingResponse
from executor.sources.prefetch import (
    MAX_REQUESTS,
    Coming,
    Prefetch,
    Server,
    Upcoming,
)
from executor.sources.redirects import led_to, split
from executor.sources.response import PacedResponse
from executor.sources.retries import MAX_REQUESTED_SECONDS, Pace, Retries, Retryable, Timeouts
from executor.sources.sender import OK, Sender
from schemas.urls import redacted

__all__ = ["HttpClient"]


_DIVISIBLE = 16 << 20
"""Bytes that must be to come of a file to be worth further connections."""


_LATER = "run it again after that time, or fetch from another host with --mirror FROM=TO"
"""What to do about a server that asks to be left alone for long."""


class HttpClient:
    """Fetches files for one lane, over one connection to each server. Not for several threads."""

    def __init__(
        self,
        keychain: Keychain | None = None,
        requests: int = MAX_REQUESTS,
        *,
        is_roomy: bool = False,
    ) -> None:
        """``keychain`` has the credentials that are not part of URLs; ``requests`` are how many
        files may be requested ahead at once. ``is_roomy``: memory is not short, and a slow file may
        come over several connections.
        """
        self.waited = 0.0
        """Seconds spent on waiting for bytes and receiving them, over all files."""
        self._received = 0
        self._response: PacedResponse | None = None
        self._timeouts: dict[str, Timeouts] = {}
        self._prefetch = Prefetch(requests)
        self._sender = Sender(keychain or Keychain(), self._prefetch)
        self._is_roomy = is_roomy
        self._has_ranges: dict[Server, bool] = {}
        """Of servers that were slow: whether they sent the ranges that were requested."""

    @property
    def received(self) -> int:
        """Bytes of bodies as they came over the network so far, over all files and attempts."""
        return self._received + (self._response.arrived if self._response else 0)

    def look_ahead(self, upcoming: Upcoming, coming: Coming | None = None) -> None:
        """From now on, request the files that ``upcoming`` returns before they are needed, over
        connections that are opened while a large file comes if ``coming`` says how many.
        """
        self._prefetch.upcoming, self._prefetch.coming = upcoming, coming

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()

    def fetch(self, url: str, size: int | None) -> Download:
        """Return the bytes at ``url``, which are requested when the first is read.

        ``size`` is the expected number of bytes, if it is known: a shorter body is resumed. Reading
        raises Unreachable.
        """
        progress = Progress(url, size)
        return Download(progress, self._read(progress))

    def _read(self, progress: Progress) -> Generator[bytes]:
        began = time.monotonic()
        for chunk in self._all_attempts(progress):
            if progress.size is not None:
                self._prefetch.fill(progress.size - progress.received, self._sender.begin)
            self.waited += time.monotonic() - began
            yield chunk
            began = time.monotonic()

    def _all_attempts(self, progress: Progress) -> Iterator[bytes]:
        url = progress.url
        server = split(url, url).netloc.rpartition("@")[2]
        timeouts = self._timeouts.setdefault(server, Timeouts())
        if timeouts.is_over:
            raise Unreachable(redacted(url), "its server was too slow before and was given up")
        retries = Retries(timeouts)
        while True:
            before, pace = progress.received, retries.begin()
            try:
                yield from self._attempt(progress, pace)
            except Retryable as problem:
                has_brought = progress.received > before
                if not retries.fail(has_brought=has_brought, requested=problem.pause):
                    reason = led_to(url, progress.at, str(problem))
                    unreachable = Unreachable(redacted(url), reason, retries.in_a_row)
                    if (problem.pause or 0.0) > MAX_REQUESTED_SECONDS:
                        unreachable.hint = _LATER
                    raise unreachable from None
                if retries.has_hung and not has_brought:
                    self._prefetch.hold_back()
                time.sleep(retries.pause(problem.pause))
            else:
                retries.succeed()
                return

    def _attempt(self, progress: Progress, pace: Pace) -> Iterator[bytes]:
        """Yield the next bytes of the file. Raises Retryable, or Unreachable for good."""
        progress.is_doubtful = progress.is_doubtful or progress.received > 0
        response, parts = self._sender.request(progress, pace)
        server = (parts.scheme, parts.netloc)
        complete = False
        self._response = response
        try:
            decode = is_encoded(response, progress.url, progress.size)
            skip = progress.resume_at(response.headers, is_partial=response.status == PARTIAL)
            if decode:
                # Positions in an encoded body are not positions in the file.
                progress.can_resume = False
                if response.status == PARTIAL:
                    raise Retryable("the server sent a part of an encoded file")
            body = progress.size and progress.size - progress.received + skip
            chunks = read_body(response, decode=decode, size=None if decode else body)
            if (kind := page_type(response)) and response.status == OK:
                chunks = not_a_page(chunks, kind, progress.url)
            if self._may_divide(response, progress, server):
                chunks = self._divided(chunks, response, parts, progress, pace)
            for chunk in chunks:
                if skip >= len(chunk):
                    skip -= len(chunk)
                    continue
                progress.received += len(chunk) - skip
                yield chunk[skip:] if skip else chunk
                skip = 0
                if progress.received == progress.size and response.length is None:
                    # Whatever follows may have no end.
                    end = None if decode else response.end()
                    if end:
                        yield end
                    complete = end == b""
                    return
            size, received = progress.size, progress.received
            if size is not None and received < size:
                raise Retryable(f"the body ended after {received} of {size} bytes")
            progress.is_doubtful |= size is None and response.ends_anywhere
            complete = True
        finally:
            self._received, self._response = self.received, None
            if not complete or response.will_close or self._prefetch.is_alone:
                self._sender.drop(server)

    def _may_divide(self, response: PacedResponse, progress: Progress, server: Server) -> bool:
        """Return whether the rest of a file may be requested in ranges while it comes."""
        left = (progress.size or 0) - progress.received
        # What is encoded, or skipped, or has an unknown end, has another length.
        return (
            self._is_roomy
            and left >= _DIVISIBLE
            and response.length == left
            and progress.can_resume
            and self._has_ranges.get(server, not self._prefetch.is_alone)
        )

    def _divided(
        self,
        chunks: Iterator[bytes],
        response: PacedResponse,
        parts: SplitResult,
        progress: Progress,
        pace: Pace,
    ) -> Iterator[bytes]:
        """Yield the rest of a file, in ranges over more connections if ``chunks`` come slowly."""
        from executor.sources.ranges import Ranges  # noqa: PLC0415  # only large files pay for it

        server = (parts.scheme, parts.netloc)

        def ask(start: int, stop: int) -> PendingResponse | None:
            progress.is_doubtful = True
            return self._sender.ask(parts, range_headers(start, stop, progress.etag))

        ranges = Ranges(ask, partial(self._prefetch.keep, server), pace, response)
        try:
            yield from ranges.divide(
                chunks,
                progress.received,
                progress.size or 0,
                partial(self._sender.leave, server),
                was_slow=server in self._has_ranges,
            )
        finally:
            if ranges.have_come is not None:
                self._has_ranges[server] = ranges.have_come
        self._sender.take_spare(server)
