"""A page is one file, asks no host for anything, and shows texts as texts."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from helpers.run_logs import MIB, beginning, event, sample, whole_log, write_log
from planner.runs import render
from planner.runs.reading import read_run
from planner.runs.render import render_runs, treemap_cells


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


@pytest.mark.parametrize(("has_end", "word"), [(True, "installed"), (False, "complete")])
def test_a_wheel_is_installed_only_if_the_run_is_done(
    tmp_path: Path, has_end: bool, word: str
) -> None:
    log = whole_log(1)
    path = write_log(tmp_path / "log", log if has_end else log[:-1])
    cells = Page(render_runs([read_run(str(path))], {})).cells
    assert {"installed", "complete", "staged"} & set(cells) == {word}


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
    assert [(cell["name"], cell["is_rest"]) for cell in cells] == [
        ("large", False), ("50 more", True),
    ]  # fmt: skip
    assert json.dumps(cells)


@pytest.mark.parametrize(("place", "drawn"), [(0, 264 * MIB), (1, 64 * MIB)])
def test_a_limit_is_drawn_where_the_samples_reach_it(
    tmp_path: Path, place: int, drawn: int
) -> None:
    """Samples of a group that others are in count what they hold, too."""
    log = [*beginning(), sample(0.3, 250 * MIB)]
    log[1]["found"][0]["others"] = 200 * MIB
    log[2]["source"] = log[1]["found"][0]["source"]
    log[3]["group"]["place"] = place
    text = render_runs([read_run(str(write_log(tmp_path / "log", log)))], {})
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found
    (data,) = json.loads(found[1])
    assert data["limit"] == drawn
    assert data["limits"] == [["/sys/fs/cgroup/memory.max", drawn]]


def test_a_run_of_hours_has_a_page_of_limited_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "_MOST_INTERVALS", 10)
    run = read_run(str(write_log(tmp_path / "log", whole_log(30))))
    found = re.search(r'id="data">(.*?)</script>', render_runs([run], {}))
    assert found
    wheels = json.loads(found[1])[0]["wheels"]
    assert sum(len(wheel[6]) for wheel in wheels) == 30
    for wheel, one in zip(wheels, run.wheels.values(), strict=True):
        assert len(one.intervals) == 3
        assert sum(wheel[6][0][2:]) == pytest.approx(
            one.waiting + one.unpacking + one.writing, abs=1e-3
        )


def test_keys_reach_all_of_a_page_in_few_steps(tmp_path: Path) -> None:
    """Each table that can be scrolled has the focus, and the map is one stop of the tab key."""
    runs = [read_run(str(write_log(tmp_path / f"log{n}", whole_log(n)))) for n in (20, 30)]
    text = render_runs(runs, {})
    scrolls = re.findall(r'<div class="scroll"([^>]*)><table([^>]*)>', text)
    assert len(scrolls) >= 5
    for about, table in scrolls:
        assert 'tabindex="0"' in about or "packages" in table, "its heads are buttons"
    for cells in re.findall(r'<div class="map".*?</div>', text, re.DOTALL):
        stops = re.findall(r'<button type="button" tabindex="(\S+)"', cells)
        assert stops == ["0", *["-1"] * (len(stops) - 1)]


def test_what_is_written_in_a_cell_is_how_its_name_begins(tmp_path: Path) -> None:
    """Who speaks to a browser says what is seen."""
    text = render_runs([read_run(str(write_log(tmp_path / "log", whole_log(3))))], {})
    cells = re.findall(r'aria-label="([^"]*)" style=[^>]*><span>(.*?)</span> <small>(.*?)<', text)
    assert len(cells) == 3
    for name, package, size in cells:
        assert name.startswith(f"{package}: {size}")


def test_no_two_landmarks_of_a_page_have_one_name(tmp_path: Path) -> None:
    run = read_run(str(write_log(tmp_path / "log", whole_log(3))))
    text = render_runs([run, run], {})
    names = re.findall(r'<(?:section|article)[^>]* aria-labelledby="([^"]*)"', text)
    assert names == ["beside", "title0", "title1"]
