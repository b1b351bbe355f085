"""The bytes of one file that is being fetched, and how far that has come."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

from executor.sources.errors import Replaced
from executor.sources.http1 import range_in
from executor.sources.retries import Retryable
from schemas.data_class import with_fields
from schemas.urls import redacted

__all__ = ["Download", "Progress"]


@with_fields
class Progress:
    """What the client knows of one file that it fetches, over all attempts."""

    url: str
    size: int | None
    """Expected bytes, if they are known."""
    received: int = 0
    """Bytes so far."""
    etag: str | None = None
    """The tag with which the server distinguishes versions of the file."""
    can_resume: bool = True
    """Whether the next attempt requests only the rest; otherwise it skips what has arrived."""
    at: str = ""
    """The URL of the last request, where redirects led; empty before the first."""
    is_doubtful: bool = False
    """Whether the bytes may be of two files, because they came in several attempts, or of half a
    file, because nothing but the end of the connection ended them."""

    def resume_at(self, headers: Mapping[str, str], *, is_partial: bool) -> int:
        """Return how many bytes of a response with these headers an earlier attempt has received.

        ``is_partial``: the server says that it sends only a part. Raises Replaced if it names
        another version of the file, and Retryable if it sends another part.
        """
        etag = headers.get("etag")
        # Without a tag the server says nothing about the version of the file; the hash will.
        if self.received and etag and self.etag and etag != self.etag:
            raise Replaced(redacted(self.url), "the file was replaced while it was being read")
        self.etag = etag or self.etag
        if not is_partial:
            return self.received
        if not self.received and "content-range" not in headers:
            return 0  # none was requested, and it names none
        found = range_in(headers)
        if found is None or found[0] != self.received:
            self.can_resume = False
            raise Retryable(
                f"the server sent other bytes than those requested, from {self.received} on"
            )
        return 0


class Download:
    """The bytes of one file, in order, each of them once, over as many attempts as they take.

    An iterator of chunks, owned by the caller of ``HttpClient.fetch``, which reads it once.
    """

    def __init__(self, progress: Progress, chunks: Generator[bytes]) -> None:
        # ``chunks`` refers to the progress and not to this object: a circle would keep its
        # connection until the garbage is collected, which the executor never does.
        self._progress = progress
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """End the download; free its connection if it is not complete."""
        self._chunks.close()

    @property
    def is_doubtful(self) -> bool:
        """Whether the bytes so far may be of two files, or of half a file."""
        return self._progress.is_doubtful
