"""The threads that send requests: an interrupted plan does not wait for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

__all__ = ["RequestPool"]


class RequestPool(ThreadPoolExecutor):
    """A pool of threads that send requests; whoever opens it as a context owns it.

    The end of the context drops the requests that are not begun, and waits for those under way. If
    the program is interrupted, nobody wants their answers any more, and a slow server would hold
    its end: the program then ends with its threads (lockstream.py).
    """

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_interrupted = kind is not None and not issubclass(kind, Exception)
        self.shutdown(wait=not is_interrupted, cancel_futures=True)
