"""Spent: where the time of an execution went, so that a user sees what was the limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

from executor.files.writer import PageCache
from executor.lanes.lanes import Work
from executor.lock.step import Step
from executor.sources.client import HttpClient

__all__ = ["Spent", "timed"]


R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds; those of all lanes are added up."""

    network: float = 0.0
    """Waiting for bytes, and receiving them."""
    writing: float = 0.0
    """Making and writing files, and waiting for the disk meanwhile."""
    unpacking: float = 0.0
    """All else that lanes do: hashing, inflating, checking."""
    committing: float = 0.0
    """From the last verified byte on, without any lane: waiting for the disk, moving into place."""

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.network + other.network,
            self.writing + other.writing,
            self.unpacking + other.unpacking,
            self.committing + other.committing,
        )


def timed(work: Work[R], cache: PageCache) -> Work[tuple[R, Spent]]:
    """``work`` of a lane that writes through ``cache``, with the time it took."""

    def call(
        number: int, step: Step, client: HttpClient, wrote: Callable[[int], None]
    ) -> tuple[R, Spent]:
        began, waited, written = perf_counter(), client.waited, cache.seconds
        result = work(number, step, client, wrote)
        network, writing = client.waited - waited, cache.seconds - written
        return result, Spent(network, writing, perf_counter() - began - network - writing)

    return call
