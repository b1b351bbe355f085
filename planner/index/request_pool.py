"""The threads that send requests: an interrupted plan does not wait for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import TypeVar

__all__ = ["RequestPool", "result_of"]


_SEEN_SECONDS = 1.0
"""Seconds within which Ctrl-C ends a wait for a server."""


S = TypeVar("S")


T = TypeVar("T")


def result_of(future: Future[T]) -> T:
    """Return the result of a request, or raise its error, as soon as it has one.

    A signal that comes just before Python begins to wait is seen when it has waited, so that no
    wait of the main thread may be long.
    """
    while not future.done():
        wait((future,), _SEEN_SECONDS)
    return future.result()


class RequestPool(ThreadPoolExecutor):
    """A pool of threads that send requests; the caller opens it as a context and owns it.

    The end of the context drops the requests that are not begun, and waits for those under way. If
    the program is interrupted, nobody wants their answers any more, and a slow server would hold
    its end: the program then ends with its threads (lockstream.py).
    """

    def ask_all(self, ask: Callable[[S], T], about: Iterable[S]) -> Iterator[T]:
        """Begin all requests at once; yield their results in order, or raise their errors."""
        return map(result_of, [self.submit(ask, one) for one in about])

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown(wait=False, cancel_futures=True)
        if kind is None or issubclass(kind, Exception):
            for thread in self._threads:
                while thread.is_alive():
                    thread.join(_SEEN_SECONDS)
