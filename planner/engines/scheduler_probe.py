"""Find out whether a scheduler of Dask is at an address.

Its client waits for ever for another server, such as one of HTTP, to begin. A scheduler sends the
first bytes of a connection.

Source: ``distributed/comm/core.py``, ``Listener.on_connection``.
"""

from __future__ import annotations

import socket

from planner.engines.engine_name import host_and_port
from planner.engines.errors import EngineUnusable

__all__ = ["check_scheduler"]


def check_scheduler(address: str, seconds: float) -> None:
    """Raise EngineUnusable if nothing at ``address`` begins as a scheduler does in ``seconds``.

    An address of TLS, where the client begins, has only to answer. Raises UsageError too.
    """
    try:
        with socket.create_connection(host_and_port(address), seconds) as connection:
            if address.startswith("tls://") or connection.recv(1):
                return
    except (OSError, UnicodeError) as error:
        is_silent = isinstance(error, TimeoutError)
        if not is_silent:
            raise EngineUnusable(address, f"it cannot be reached: {error}") from None
    raise EngineUnusable(
        address, f"what answers there is no scheduler of Dask: it sends nothing in {seconds:.0f} s"
    )
