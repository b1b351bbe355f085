"""A terminal gets lines that change, a job a line now and then, and neither gets in the way."""

from __future__ import annotations

import io
import re
import time

import pytest

from planner.cli import live_view
from planner.cli.console import ConsoleReporter
from planner.cli.live_view import JobView, TerminalView, view_of
from planner.cli.plan_progress import PlanProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def a_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let standard error be a terminal of 80 columns; not in a fixture, after which pytest captures
    it again.
    """
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return terminal


def lines_of(text: str) -> list[str]:
    """What was drawn, without the sequences of a terminal."""
    return [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip() for line in re.split(r"[\r\n]+", text)
    ]


def begin(progress: PlanProgress) -> None:
    progress.hear("requesting", {"url": f"https://pypi.example.com/simple/{'x' * 90}/"})
    progress.hear("building", {"package": "one.tar.gz", "what": "metadata"})


def test_a_terminal_sees_requests_and_builds_in_lines_that_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = a_terminal(monkeypatch)
    progress = PlanProgress()
    begin(progress)
    with view_of(progress) as view:
        assert isinstance(view, TerminalView)
        time.sleep(0.25)
    lines = lines_of(terminal.getvalue())
    assert any("planning 0:00  1 request, 0.0 MiB" in line for line in lines)
    assert "building one.tar.gz, metadata" in lines
    assert any(line.startswith("waiting for pypi.example.com/simple/xxx") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_wheels_that_are_sized_fill_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    progress = PlanProgress()
    progress.hear("sizing", {"files": 2})
    progress.hear("sized", {})
    with view_of(progress):
        time.sleep(0.15)
    assert "━━━━━" in terminal.getvalue()
    assert "1 of 2 wheels sized" in terminal.getvalue()


def test_the_lines_are_erased_at_the_end_and_the_cursor_is_never_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = a_terminal(monkeypatch)
    with view_of(PlanProgress()):
        pass
    assert "\x1b[2K" in terminal.getvalue()
    # A plan that is killed could not show it again.
    assert "\x1b[?25l" not in terminal.getvalue()


def test_no_colour_is_shown_if_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    progress = PlanProgress()
    progress.hear("sizing", {"files": 2})
    progress.hear("sized", {})
    with view_of(progress):
        time.sleep(0.15)
    assert not re.search(r"\x1b\[(?:[0-9;]*;)?[349][0-9]", terminal.getvalue())


def test_a_terminal_that_cannot_draw_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(view_of(PlanProgress()), JobView)


def test_a_job_gets_no_line_that_changes(capsys: pytest.CaptureFixture[str]) -> None:
    with view_of(PlanProgress()) as view:
        assert isinstance(view, JobView)
        view.say("one")
    assert capsys.readouterr().err == "one\n"


def test_a_job_that_waits_says_for_what(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_view, "_SILENCE", 0.4)
    progress = PlanProgress()
    progress.hear("requesting", {"url": "https://pypi.example.com/simple/one/"})
    progress.hear("building", {"package": "two.tar.gz", "what": "metadata"})
    with view_of(progress):
        time.sleep(0.9)
    # On a busy machine the line comes later.
    first = re.sub("for [0-9]+ s", "for 0 s", capsys.readouterr().err.splitlines()[0])
    assert first == (
        "  planning for 0 s: 1 request, 0.0 MiB; building two.tar.gz, metadata; "
        "waiting for pypi.example.com/simple/one/"
    )


@pytest.mark.parametrize("how", [{"quiet": True}, {"quiet": False, "as_json": True}])
def test_who_wants_silence_gets_no_line(
    how: dict[str, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = a_terminal(monkeypatch)
    with ConsoleReporter(**how).watch(lambda: 1):
        pass
    assert terminal.getvalue() == ""


def test_a_message_stays_and_the_lines_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    reporter = ConsoleReporter(quiet=False)
    with reporter.watch(lambda: 3):
        time.sleep(0.15)
        reporter.passed_over("app", "2.0", "it needs Python >=3.14 \x1b[31m")
    assert "passed over app 2.0: it needs Python >=3.14 �[31m" in lines_of(terminal.getvalue())


def test_a_build_has_no_line_of_its_own_where_it_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = a_terminal(monkeypatch)
    reporter = ConsoleReporter(quiet=False)
    with reporter.watch(lambda: 3):
        reporter.building("one.tar.gz", "metadata")
        time.sleep(0.25)
        reporter.prepared("one.tar.gz")
    lines = lines_of(terminal.getvalue())
    assert "building one.tar.gz, metadata" in lines
    assert "building one.tar.gz (metadata)" not in lines


def test_the_reporter_listens_only_while_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    a_terminal(monkeypatch)
    reporter = ConsoleReporter(quiet=False)
    with reporter.watch(lambda: 0):
        assert reporter.recorder.listener is not None
    assert reporter.recorder.listener is None


def test_without_threads_a_job_has_no_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", refuse)
    with JobView(PlanProgress()) as view:
        view.say("it goes on")
