"""A built wheel that is lost is told, by a check and by a plan that keeps the lock."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist

pytestmark = pytest.mark.usefixtures("cache_folder", "single_runs")

LOST = "wheelhouse/demo-1.0-py3-none-any.whl, which was built, is not there"


def test_it_is_told_with_what_builds_it_again(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    sdist = build_sdist()
    index.add_file(sdist.filename, sdist.content)
    Path("requirements.in").write_text("demo\n")
    words = ["plan", "-r", "requirements.in", "-i", index.url, "--build", "missing"]
    assert lockstream.main(words) == 0
    assert lockstream.main(["check"]) == 0
    assert "is not there" not in capsys.readouterr().err
    shutil.rmtree("wheelhouse")

    assert lockstream.main(["check"]) == 0
    assert f"not checked: {LOST}\n" in capsys.readouterr().err
    assert lockstream.main(["plan"]) == 0
    told = capsys.readouterr().err
    assert f"warning: {LOST}; lockstream plan --refresh builds it again\n" in told

    assert lockstream.main(["plan", "--refresh"]) == 0
    assert [path.name for path in Path("wheelhouse").iterdir()] == ["demo-1.0-py3-none-any.whl"]
    capsys.readouterr()
    assert lockstream.main(["check"]) == 0
    assert "is not there" not in capsys.readouterr().err
