"""The difference of two locks, for people."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.wheels import build_wheel, lock_of
from lockstream import main
from planner.runs.markdown import MAX_SIZE


@pytest.fixture(name="locks")
def _locks(tmp_path: Path) -> tuple[str, str]:
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(lock_of([build_wheel("one", "1.0"), build_wheel("gone")]))
    new.write_text(lock_of([build_wheel("one", "2.0"), build_wheel("two")]))
    return str(old), str(new)


def test_markdown_has_a_row_for_each_change(
    locks: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *locks, "--markdown"]) == 0
    text = capsys.readouterr().out
    assert "3 changes" in text
    assert "| one | 1.0 | 2.0 |  |" in text
    assert "| gone | 1.0 |  | removed |" in text
    assert len(text.encode()) < MAX_SIZE


def test_the_page_has_them_too(locks: tuple[str, str], tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert main(["diff", *locks, "--html", str(page)]) == 0
    text = page.read_text()
    assert text.startswith("<!doctype html>")
    none = "<td>\u2013</td>"
    assert f'<td class="bad">two</td>{none}<td>1.0</td><td class="text">new</td>' in text
    assert f'<td class="good">gone</td><td>1.0</td>{none}<td class="text">removed</td>' in text
    assert "<script" not in text
    assert "<button" not in text, "there is nothing to press"
    assert text.count('class="scroll" tabindex="0"') == text.count('class="scroll"') == 2
