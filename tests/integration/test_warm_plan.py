"""What was planned once is planned again with few questions, or none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.planning import plan_here
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture(autouse=True)
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", requires=["base"]), build_wheel("base"))
    Path("requirements.in").write_text("app\n")


def plan(index: Index, *arguments: str) -> tuple[int, list[str]]:
    """Return the exit status, and the paths that were requested."""
    index.asked.clear()
    return plan_here(index, "-U", *arguments), sorted(index.paths())


PAGES = ["/simple/app/", "/simple/base/"]


def test_wheels_are_never_read_again(index: Index) -> None:
    index.headers["Cache-Control"] = "max-age=0"
    for index.metadata in (False, True):
        plan(index)
        before = Path("pylock.toml").read_bytes()
        assert plan(index) == (0, PAGES)
        assert Path("pylock.toml").read_bytes() == before


def test_a_page_that_did_not_change_is_not_sent_again(index: Index) -> None:
    index.etags = True
    for _ in range(4):
        status, paths = plan(index)
        assert status == 0
    assert paths == PAGES
    assert all("If-None-Match" in asked.headers for asked in index.asked)
    index.add(build_wheel("base", "2.0"))
    plan(index)
    assert "base-2.0" in Path("pylock.toml").read_text()


def test_a_page_that_is_sent_again_unchanged_is_used_as_it_was_kept(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(index)
    before = Path("pylock.toml").read_bytes()
    with monkeypatch.context() as patch:
        patch.delattr("planner.index.reader.condense_json")
        # Other inputs, so that the answer is not remembered but searched.
        Path("requirements.in").write_text("app\nbase\n")
        assert plan(index) == (0, PAGES)
        Path("requirements.in").write_text("app\n")
        assert plan(index) == (0, PAGES)
    assert Path("pylock.toml").read_bytes() == before
    index.add(build_wheel("base", "2.0"))
    plan(index)
    assert "base-2.0" in Path("pylock.toml").read_text()


def test_a_page_that_is_fresh_is_not_asked_for(index: Index) -> None:
    index.headers["Cache-Control"] = "max-age=600"
    plan(index)
    for _ in range(3):
        assert plan(index) == (0, [])
    index.add(build_wheel("base", "2.0"))
    assert plan(index, "--refresh")[0] == 0
    assert "base-2.0" in Path("pylock.toml").read_text()


def test_no_cache_is_none(index: Index, cache_folder: Path) -> None:
    plan(index, "--no-cache")
    assert not list(cache_folder.iterdir())
    assert len(plan(index, "--no-cache")[1]) == 4


def test_offline_plans_come_from_the_cache(index: Index) -> None:
    index.headers["Cache-Control"] = "max-age=0"
    assert plan(index)[0] == 0
    before = Path("pylock.toml").read_bytes()
    assert plan(index, "--offline") == (0, [])
    assert Path("pylock.toml").read_bytes() == before
    Path("requirements.in").write_text("app\nother\n")
    assert plan(index, "--offline") == (5, [])


def test_offline_says_what_is_missing(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(index, "--offline")[0] == 5
    assert capsys.readouterr().err.startswith(
        f"error: {index.url}app/ is not in the cache, and --offline forbids to fetch it\nhint: "
    )


def test_offline_plans_come_from_a_folder(index: Index) -> None:
    Path("wheels").mkdir()
    for name, requires in (("app", ["base"]), ("base", [])):
        build_wheel(name, requires=requires).write(Path("wheels"))
    assert plan(index, "--offline", "--no-index", "-f", "wheels", "--no-cache") == (0, [])


def test_the_cache_is_looked_at_and_removed(
    index: Index, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(index)
    assert lockstream.main(["cache", "info", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("folder") == str(cache_folder)
    assert {kind: one["entries"] for kind, one in told.items()} == {
        "pages": 2, "plans": 1, "metadata": 2, "sizes": 2,
    }  # fmt: skip
    assert lockstream.main(["cache", "info"]) == 0
    assert capsys.readouterr().out.splitlines()[1].startswith("  pages: 2 entries, ")
    assert lockstream.main(["cache", "prune", "--max-size", "0"]) == 0
    assert len(plan(index)[1]) == 4
    assert lockstream.main(["cache", "clear"]) == 0
    assert len(plan(index)[1]) == 4


def test_a_credential_is_not_kept(index: Index, cache_folder: Path) -> None:
    index.login = ("ada", "correct-horse")
    url = index.url.replace("://", "://ada:correct-horse@")
    words = ["plan", "-q", "-r", "requirements.in", "-i", url, *LINUX]
    assert lockstream.main(words) == 0
    kept = [path for path in cache_folder.rglob("*") if path.is_file()]
    assert kept
    assert not any(b"correct-horse" in path.read_bytes() for path in kept)
