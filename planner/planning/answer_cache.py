"""Answers of earlier plans, with the index pages that they follow from.

The same question has the same answer while the index pages are the same: everything else that a
plan reads from an index is named there by its hash. So an answer is stored with the digest of every
page that the plan read, and if all pages are unchanged, nothing has to be read or solved again.
(Build systems call this a verifying trace: Mokhov et al., Build Systems à la Carte, 4.2.2.)
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from hashlib import sha256
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Self

from packaging.utils import NormalizedName

from planner.index.cache import Cache, PageSeen
from planner.index.indexes import Index, Indexes
from planner.index.request_pool import RequestPool
from planner.inputs.inputs import Inputs
from planner.planning.reporter import Remark, Reporter
from schemas.data_class import frozen

__all__ = ["AnswerCache", "Remembered", "follows_from_indexes"]


READERS = 16
"""Pages that are confirmed at once: as many as a client has connections."""


@frozen
class Remembered:
    """An answer, and what it follows from; stored by the cache."""

    text: str
    """The text of the lock."""
    remarks: tuple[Remark, ...]
    """What was reported about it."""
    pages: tuple[PageSeen, ...]

    def to_bytes(self) -> bytes:
        """Return a line of JSON, then the lock."""
        header = {"remarks": self.remarks, "pages": [asdict(page) for page in self.pages]}
        return json.dumps(header).encode() + b"\n" + self.text.encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Read what ``to_bytes`` wrote; return None if it is something else."""
        line, _, text = data.partition(b"\n")
        try:
            header = json.loads(line)
            remarks = tuple((hook, tuple(facts)) for hook, facts in header["remarks"])
            for hook, facts in remarks:
                signature(_HOOKS[hook]).bind(None, *facts)
            pages = tuple(PageSeen(**page) for page in header["pages"])
            is_whole = all(map(_has_its_types, pages))
            return cls(text.decode(), remarks, pages) if is_whole else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None


def _has_its_types(page: PageSeen) -> bool:
    texts = (page.index, page.project, page.digest)
    return all(isinstance(text, str) for text in texts) and isinstance(
        page.fresh_until, int | float
    )


_HOOKS = {name: hook for name, hook in vars(Reporter).items() if name[0] != "_" and name != "watch"}
"""What a remark may call."""


class AnswerCache:
    """The place in ``cache`` for the answer to one question.

    The question holds everything that the answer depends on except the pages of indexes.
    """

    def __init__(
        self, cache: Cache, question: Iterable[object], now: Callable[[], float] = time.time
    ) -> None:
        spelled = json.dumps([*question, *_program()], default=_spell)
        self._cache = cache
        self._key = sha256(spelled.encode()).hexdigest()
        self._now = now

    def recall(self) -> Remembered | None:
        """Return the answer, if all its pages are still fresh; else None."""
        found = self._find()
        now = self._now()
        return found if found and all(now < page.fresh_until for page in found.pages) else None

    def confirm(self, look: Callable[[str, NormalizedName], PageSeen]) -> Remembered | None:
        """Return the answer, if ``look`` finds each page unchanged; else None.

        Raises what ``look`` raises.
        """
        found = self._find()
        if not found:
            return None
        with RequestPool(READERS, thread_name_prefix="confirm") as pool:
            seen = tuple(pool.ask_all(lambda page: look(page.index, page.project), found.pages))
        if any(new.digest != old.digest for new, old in zip(seen, found.pages, strict=True)):
            return None
        self.keep(confirmed := Remembered(found.text, found.remarks, seen))
        return confirmed

    def keep(self, answer: Remembered) -> None:
        """Store ``answer``."""
        self._cache.write("plans", self._key, answer.to_bytes())

    def _find(self) -> Remembered | None:
        data = self._cache.read("plans", self._key)
        return Remembered.from_bytes(data) if data is not None else None


def follows_from_indexes(inputs: Inputs, indexes: Indexes) -> bool:
    """Return whether these and index pages decide a plan alone.

    They do not if local files, pages of links or files at other addresses take part.
    """
    required = (*inputs.requirements, *inputs.constraints, *inputs.overrides)
    remote = (isinstance(place, Index) and place.folder is None for place in indexes.places)
    return all(remote) and not any(one.requirement.url for one in required)


def _spell(value: object) -> Sequence[object] | Mapping[str, object] | str:
    """Return ``value`` in terms of JSON: the same for equal values, in every process."""
    if is_dataclass(value):
        return [getattr(value, field.name) for field in fields(value)]
    if isinstance(value, frozenset | set):
        return sorted(map(str, value))
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _program() -> Iterator[tuple[str, int]]:
    """Yield when each file of the program changed: another version may find another answer."""
    root = Path(__file__).parents[2]
    for path in sorted([*root.glob("planner/**/*.py"), *root.glob("schemas/**/*.py")]):
        yield path.relative_to(root).as_posix(), path.stat().st_mtime_ns
    for library in ("packaging",):
        if (spec := find_spec(library)) and spec.origin:
            yield library, os.stat(spec.origin).st_mtime_ns
