"""The difference of two locks as a page, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from planner.review.cost import Cost
from planner.review.cost_change import disk_change, fetched_change, files, unpacked_change
from planner.review.diff import Change
from planner.runs.markdown import cell, joined
from planner.runs.render import template, treemap_cells
from schemas.sizes import format_size
from schemas.text import counted

__all__ = ["diff_to_markdown", "render_diff"]


Pairs = Sequence[tuple[Cost, Cost]]
"""The cost of the old and of the new lock, for each target."""


def render_diff(names: tuple[str, str], changes: Sequence[Change], pairs: Pairs) -> str:
    """Return the page of what differs between two locks, which are called ``names``."""
    grown = _grown(pairs)
    cells = treemap_cells(
        [
            (name, abs(size), f"{name}: {_signed(size)} unpacked{_whom(changes, name)}")
            for name, size in grown.items()
        ]
    )
    for one in cells:
        size = grown.get(one["name"], 0)
        one["tone"] = "grew" if size >= 0 else "shrank"
        one["size"] = _signed(size) if size else one["size"]  # colours do not say it to all
    text: str = template("diff.html").render(
        names=names,
        count=counted(len(changes), "change"),
        changes=[(one, _kind(one), _notes(one)) for one in changes],
        rows=[_row(old, new) for old, new in pairs],
        cells=cells,
        css=template("page.css").render(),
    )
    return text


def diff_to_markdown(names: tuple[str, str], changes: Sequence[Change], pairs: Pairs) -> str:
    """Return what differs between two locks as Markdown of at most 60 KiB."""
    return joined(_lines(names, changes, pairs))


def _lines(names: tuple[str, str], changes: Sequence[Change], pairs: Pairs) -> Iterator[str]:
    yield f"### {cell(names[0])} → {cell(names[1])}: {counted(len(changes), 'change')}"
    yield ""
    if pairs:
        yield "| target | packages | to fetch | unpacked | files | disk |"
        yield "|---|--:|--:|--:|--:|--:|"
        for old, new in pairs:
            yield "| " + " | ".join(cell(text) for text in _row(old, new)) + " |"
        yield ""
    if changes:
        yield "| package | old | new | |"
        yield "|---|---|---|---|"
        for one in changes:
            texts = one.name, " and ".join(one.old), " and ".join(one.new), "; ".join(_notes(one))
            yield "| " + " | ".join(cell(text) for text in texts) + " |"


def _row(old: Cost, new: Cost) -> tuple[str, ...]:
    return (
        str(new.target),
        f"{len(old.packages)} → {len(new.packages)}",
        fetched_change(old, new),
        unpacked_change(old, new),
        f"{files(old)} → {files(new)}",
        disk_change(old, new),
    )


def _signed(size: int) -> str:
    return f"{'-' if size < 0 else '+'}{format_size(abs(size))}"


def _kind(change: Change) -> str:
    if not change.old:
        return "bad"
    return "good" if not change.new else ""


def _notes(change: Change) -> list[str]:
    """Return what is to be said of ``change`` in addition to its versions."""
    return [*([] if change.old else ["new"]), *([] if change.new else ["removed"]), *change.notes]


def _grown(pairs: Pairs) -> dict[str, int]:
    """Return by how many unpacked bytes each package has grown, on the target where most."""
    grown: dict[str, int] = {}
    for old, new in pairs:
        before = {one.name: one.unpacked_size for one in old.packages}
        after = {one.name: one.unpacked_size for one in new.packages}
        unknown = {one.name for one in (*old.packages, *new.packages) if one.hints is None}
        for name in (before.keys() | after.keys()) - unknown:
            size = after.get(name, 0) - before.get(name, 0)
            if abs(size) > abs(grown.get(name, 0)):
                grown[name] = size
    return grown


def _whom(changes: Sequence[Change], name: str) -> Any:
    return next((f" ({one})" for one in changes if one.name == name), "")
