"""A lock without sizes takes an unknown amount, and not nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel, lock_of
from lockstream import main


@pytest.fixture(name="locks")
def _locks(tmp_path: Path, index: Index) -> tuple[str, str]:
    """A lock of ours, and one of another tool that records no sizes."""
    index.add(build_wheel("demo", "1.0", files={"demo.py": "x" * 2_000_000}))
    path = plan_into(index, tmp_path, ["demo"])
    bare = tmp_path / "pylock.bare.toml"
    bare.write_text(lock_of([build_wheel("demo", "1.0")]))
    return str(path), str(bare)


@pytest.mark.parametrize("turned", [False, True])
def test_what_a_lock_does_not_record_is_no_difference(
    locks: tuple[str, str], turned: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = locks[::-1] if turned else locks
    assert main(["diff", old, new]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(", 1.9 MiB unpacked" if turned else ", >0.0 MiB unpacked")


def test_nor_is_it_in_markdown_and_in_a_page(
    locks: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", *locks, "--markdown"]) == 0
    text = capsys.readouterr().out
    assert "-1.9 MiB" not in text
    assert "→ \\>0 |" in text
    page = tmp_path / "page.html"
    assert main(["diff", *locks, "--html", str(page)]) == 0
    assert "What grew" not in page.read_text()


def test_what_both_record_is_compared(
    locks: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", locks[0], locks[0]]) == 0
    assert "1.9 MiB (+0.0 MiB) unpacked" in capsys.readouterr().out
