"""What happens during planning, told to whom it concerns; by default to nobody."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from schemas.builds import BuildRecord

__all__ = ["Remark", "Reporter", "tell"]


Remark = tuple[str, tuple[Any, ...]]
"""A hook of ``Reporter``, and what to tell it: texts, and rows of them."""


class Reporter:
    """Events of planning. Every hook does nothing until a front end overrides it; all are
    called from the thread that plans.
    """

    def watch(self, requests: Callable[[], int]) -> AbstractContextManager[None]:
        """Surrounds what asks indexes; ``requests`` tells how often they have been asked."""
        return nullcontext()

    def passed_over(self, name: str, version: str, reason: str) -> None:
        """A version newer than the chosen one cannot be used, whatever else is chosen."""

    def unknown_extra(self, name: str, version: str, extra: str) -> None:
        """A requirement asks for an extra that this version does not have."""

    def project_status(self, name: str, status: str, reason: str) -> None:
        """A chosen project is archived, deprecated or quarantined (PEP 792)."""

    def newer_api(self, index: str, version: str) -> None:
        """An index speaks a newer minor version of its API than is understood here."""

    def collision(self, first: str, second: str, places: Sequence[str]) -> None:
        """Two wheels of one target have files of different contents in the same places."""

    def inconsistent(
        self, first: str, second: str, of_first: Sequence[str], of_second: Sequence[str]
    ) -> None:
        """Two wheels of one release do not ask for the same: what only one of them asks for."""

    def building(self, filename: str, what: str) -> None:
        """A source is about to be built, or asked for its metadata."""

    def built(self, filename: str, record: BuildRecord) -> None:
        """A source was built and measured."""

    def yanked(self, filename: str, reason: str) -> None:
        """A withdrawn file is used since a requirement pins its version."""


def tell(remarks: Iterable[Remark], reporter: Reporter) -> None:
    """Tell ``reporter`` each of ``remarks``."""
    for hook, facts in remarks:
        getattr(reporter, hook)(*facts)
