"""Events of a plan, for a front end to show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from executor import Recorder
from schemas.builds import BuildRecord

__all__ = ["Remark", "Reporter", "tell"]


Remark = tuple[str, tuple[Any, ...]]
"""The name of a method of ``Reporter``, and its arguments: texts, and lists of texts."""


class Reporter:
    """Receives the events of one plan; the front end owns it.

    Every method does nothing until a subclass overrides it. All are called from the thread that
    plans.
    """

    recorder = Recorder()
    """Writes the log of the plan, from many threads. This one writes nothing."""

    def input_remark(self, text: str) -> None:
        """Report a part of an input that has no effect, or that is a risk."""

    def watch(self, requests: Callable[[], int]) -> AbstractContextManager[None]:
        """Return a context that lasts while indexes are asked and sources are built; ``requests``
        counts requests, and the listener of the recorder hears what goes on.
        """
        return nullcontext()

    def passed_over(self, name: str, version: str, reason: str) -> None:
        """Report a version newer than the chosen one that no choice of others makes usable."""

    def unknown_extra(self, name: str, version: str, extra: str) -> None:
        """Report a required extra that this version does not have."""

    def project_status(self, name: str, status: str, reason: str) -> None:
        """Report that a chosen project is archived, deprecated or quarantined (PEP 792)."""

    def newer_api(self, index: str, version: str) -> None:
        """Report an index whose API has a newer minor version than lockstream reads."""

    def forbidden(self, index: str, names: Sequence[str]) -> None:
        """Report projects that an index answers 403 for, and is believed not to have."""

    def broken_links(self, page: str, links: Sequence[str]) -> None:
        """Report links of a page, or names in a folder, that are skipped: they lead nowhere."""

    def collision(self, first: str, second: str, places: Sequence[str]) -> None:
        """Report two wheels of one target that have different files of the same path."""

    def unportable(self, filename: str, names: Sequence[str]) -> None:
        """Report a wheel with names that some system does not take; an execution refuses it."""

    def inconsistent(
        self, first: str, second: str, of_first: Sequence[str], of_second: Sequence[str]
    ) -> None:
        """Report two wheels of one release, with what only one of them requires."""

    def building(self, filename: str, what: str) -> None:
        """Report that a source is about to be built, or its metadata prepared."""

    def prepared(self, filename: str, demand: int | None = None) -> None:
        """Report that a step of a build has ended, and the bytes it held if it was measured."""

    def built(self, filename: str, record: BuildRecord) -> None:
        """Report that a source was built and measured."""

    def yanked(self, filename: str, reason: str) -> None:
        """Report a yanked file that is used because a requirement pins its version."""


def tell(remarks: Iterable[Remark], reporter: Reporter) -> None:
    """Call the methods of ``reporter`` that ``remarks`` name."""
    for hook, facts in remarks:
        getattr(reporter, hook)(*facts)
