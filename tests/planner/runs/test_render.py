"""A page is one file, asks no host for anything, and shows texts as texts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from helpers.run_logs import beginning, event, whole_log, write_log
from planner.runs.render import render_runs, treemap_cells
from planner.runs.run import read_run


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.addresses += (value or "" for name, value in attributes if name in {"src", "href"})

    def handle_data(self, data: str) -> None:
        self.cells.append(data.strip())


def test_it_names_no_address_but_an_empty_icon(tmp_path: Path) -> None:
    text = render_runs([read_run(str(write_log(tmp_path / "log", whole_log(3))))], {})
    assert Page(text).addresses == ["data:,"]
    assert not re.search(r"url\(|@import|fetch\(|XMLHttpRequest", text)


def test_figures_are_those_of_the_log(tmp_path: Path) -> None:
    text = render_runs(
        [read_run(str(write_log(tmp_path / "log", whole_log(3))))], {"package-1": ["package-2"]}
    )
    cells = Page(text).cells
    for figure in ("6.0 MiB", "15.0 MiB", "60.0 MiB", "80.0 MiB for one more", "package-2"):
        assert figure in cells, figure


def test_nothing_of_a_log_becomes_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><b>"
    log = [*beginning(environment=evil), event("warning", 1.0, text=evil)]
    text = render_runs([read_run(str(write_log(tmp_path / "log", log)))], {})
    assert evil not in text
    assert text.count("<script") == 3


def test_runs_are_compared_with_the_first(tmp_path: Path) -> None:
    runs = [read_run(str(write_log(tmp_path / f"log{n}", whole_log(n)))) for n in (2, 4)]
    cells = Page(render_runs(runs, {})).cells
    assert "8.0 MiB (+100%)" in cells


def test_small_cells_are_one(tmp_path: Path) -> None:
    cells = treemap_cells([("large", 10_000_000, ""), *((f"s{n}", 10, "") for n in range(50))])
    assert [cell["name"] for cell in cells] == ["large", "50 more"]
    assert json.dumps(cells)
