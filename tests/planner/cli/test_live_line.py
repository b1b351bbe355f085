"""The line that changes is on a terminal only, and never in the way of another line."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from planner.cli.console import ConsoleReporter
from planner.cli.live_line import LiveLine

ERASE = "\r\x1b[2K"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def counts() -> Iterator[int]:
    return iter(range(1, 1000))


def test_the_line_is_drawn_anew_where_it_changed(counts: Iterator[int]) -> None:
    stream = io.StringIO()
    told = ["one", "one", "two"]
    line = LiveLine(stream, lambda: told[next(counts) - 1])
    for _ in told:
        line.draw()
    line.clear()
    line.clear()
    assert stream.getvalue() == f"{ERASE}one{ERASE}two{ERASE}"


def test_the_line_ends_with_what_it_tells_of(counts: Iterator[int]) -> None:
    stream = Terminal()
    with LiveLine(stream, lambda: f"{next(counts)}") as line:
        line.draw()
    assert stream.getvalue().startswith(f"{ERASE}1")
    assert stream.getvalue().endswith(ERASE)


def test_files_and_pipes_get_no_line(counts: Iterator[int]) -> None:
    stream = io.StringIO()
    with LiveLine(stream, lambda: f"{next(counts)}"):
        pass
    assert stream.getvalue() == ""


@pytest.mark.parametrize("how", [{"quiet": True}, {"quiet": False, "as_json": True}])
def test_who_wants_silence_gets_no_line(
    how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with ConsoleReporter(**how).watch(lambda: 1):
        pass
    assert terminal.getvalue() == ""


def test_a_message_takes_the_place_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    reporter = ConsoleReporter(quiet=False)
    with reporter.watch(lambda: 3):
        assert reporter._live is not None
        reporter._live.draw()
        reporter.passed_over("app", "2.0", "it needs Python >=3.14")
    drawn = f"{ERASE}planning: 3 requests{ERASE}"
    assert terminal.getvalue().startswith(f"{drawn}passed over app 2.0: it needs Python >=3.14\n")
