"""Markdown for a job: short enough, and nothing of a log becomes markup."""

from __future__ import annotations

from pathlib import Path

from helpers.run_logs import beginning, event, whole_log, write_log
from planner.runs.markdown import MAX_SIZE, to_markdown
from planner.runs.reading import read_run


def test_figures_are_those_of_the_log(tmp_path: Path) -> None:
    text = to_markdown([read_run(str(write_log(tmp_path / "log", whole_log(3))))])
    assert text.startswith("## ✅ lockstream execute: Installed 3 packages in ")
    assert "| 3 of 3 | 6.0 MiB | 15.0 MiB | 60.0 MiB | 64.0 MiB | 2 |" in text


def test_it_is_never_too_long(tmp_path: Path) -> None:
    warnings = [event("warning", 1.0, text="w" * 900) for _ in range(20)]
    path = write_log(tmp_path / "log", [*beginning(), *warnings])
    text = to_markdown([read_run(str(path))] * 10)
    assert len(text.encode()) <= MAX_SIZE
    assert text.endswith("*The rest is left out: it would be too long.*\n")


def test_what_a_log_says_is_text(tmp_path: Path) -> None:
    bad = event("warning", 1.0, text="<img src=x> [x](http://example.com) | `y`\nz")
    text = to_markdown([read_run(str(write_log(tmp_path / "log", [*beginning(), bad])))])
    assert "- \\<img src=x\\> \\[x\\](http://example.com) \\| \\`y\\` z" in text


def test_what_is_not_printable_is_replaced_before_its_length_counts(tmp_path: Path) -> None:
    warnings = [event("warning", 1.0, text="\x1b" * 900) for _ in range(20)]
    path = write_log(tmp_path / "log", [*beginning(), *warnings])
    text = to_markdown([read_run(str(path))] * 3)
    assert "\x1b" not in text
    assert len(text.encode()) <= MAX_SIZE
