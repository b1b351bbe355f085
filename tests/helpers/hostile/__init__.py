"""Wheels made to do harm, or made wrong, by kind: what no installer should install."""

from __future__ import annotations

from collections.abc import Iterator

from helpers.hostile.carriers import CARRIERS, Carrier, Case
from helpers.hostile.framing import framing
from helpers.hostile.metadata import metadata
from helpers.hostile.names import names

__all__ = ["CARRIERS", "Carrier", "Case", "cases"]


def cases(carrier: Carrier = CARRIERS[0]) -> Iterator[tuple[str, Case]]:
    """Kind and case, each made of the good wheel of ``carrier``."""
    for table in (framing, names, metadata):
        for kind, found in table(carrier).items():
            yield from ((kind, case) for case in found)
