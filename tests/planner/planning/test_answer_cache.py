"""What was answered once is answered again without a search, as long as nothing has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.planning import plan_here
from helpers.wheels import build_wheel
from planner.index.cache import Cache, PageSeen
from planner.planning.answer_cache import AnswerCache, Remembered
from planner.resolver.solve import solve

PAGE = PageSeen("https://index.example/simple", "app", "ab", 100.0)  # type: ignore[arg-type]
ANSWER = Remembered("[lock]\n", (("yanked", ("app-1.0.whl", "broken")),), (PAGE,))


@pytest.fixture(autouse=True)
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", requires=["base"]), build_wheel("base"))
    index.headers["Cache-Control"] = "max-age=600"
    Path("requirements.in").write_text("app\n")


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows whenever a plan searches."""
    begun: list[object] = []

    def begin(*arguments: object) -> object:
        begun.append(arguments)
        return solve(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("planner.planning.plan.solve", begin)
    return begun


def plan(index: Index, *arguments: str) -> str:
    """Return the lock."""
    assert plan_here(index, "-U", *arguments) == 0
    return Path("pylock.toml").read_text()


def test_the_same_question_is_searched_once(index: Index, searches: list[object]) -> None:
    first = plan(index)
    Path("pylock.toml").unlink()
    assert plan(index) == first
    assert len(searches) == 1


def test_pages_that_are_asked_about_and_unchanged_give_the_same_answer(
    index: Index, searches: list[object]
) -> None:
    index.headers["Cache-Control"] = "max-age=0"
    first = plan(index)
    index.asked.clear()
    assert plan(index) == first
    assert sorted(index.paths()) == ["/simple/app/", "/simple/base/"]
    assert plan(index, "--refresh") == first
    assert len(searches) == 1


def test_a_page_that_changed_is_asked_for_once_and_searched(
    index: Index, searches: list[object]
) -> None:
    index.headers["Cache-Control"] = "max-age=0"
    plan(index)
    index.add(build_wheel("base", "2.0"))
    index.asked.clear()
    assert "base-2.0" in plan(index)
    assert index.paths().count("/simple/base/") == 1
    assert len(searches) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--resolution", "lowest"], id="policy"),
        pytest.param(["--exclude", "other"], id="inputs"),
        pytest.param(["--python-version", "3.13"], id="targets"),
        pytest.param(["-o", "pylock.other.toml", "--constraint", "limits.txt"], id="constraints"),
    ],
)
def test_another_question_is_searched(
    index: Index, searches: list[object], arguments: list[str]
) -> None:
    Path("limits.txt").write_text("base<9\n")
    plan(index)
    plan(index, *arguments)
    assert len(searches) == 2


def test_what_is_wrong_in_a_file_that_is_named_is_another_question(
    index: Index, searches: list[object]
) -> None:
    Path("limits.txt").write_text("base<9\n")
    plan(index, "-c", "limits.txt")
    Path("limits.txt").write_text("base<8\n")
    plan(index, "-c", "limits.txt")
    assert len(searches) == 2


def test_warnings_are_told_again(
    index: Index, searches: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("requirements.in").write_text("app[nothing]\n")
    plan(index)
    told = capsys.readouterr().err
    assert "has no extra 'nothing'" in told
    plan(index)
    assert capsys.readouterr().err == told
    assert len(searches) == 1


@pytest.mark.parametrize("place", ["folder", "address"])
def test_what_files_elsewhere_have_a_say_in_is_searched_again(
    index: Index, searches: list[object], place: str
) -> None:
    Path("wheels").mkdir()
    path = build_wheel("extra").write(Path("wheels"))
    if place == "address":
        Path("requirements.in").write_text(f"app\nextra @ {path.absolute().as_uri()}\n")
    for _ in range(2):
        plan(index, *(["-f", "wheels"] if place == "folder" else []))
    assert len(searches) == 2


def test_files_without_hashes_are_searched_again(index: Index, searches: list[object]) -> None:
    index.add(build_wheel("base"), hashes={})
    for _ in range(2):
        plan(index)
    assert len(searches) == 2


def test_an_answer_is_recalled_until_a_page_has_to_be_asked_about(tmp_path: Path) -> None:
    clock = [0.0]
    memo = AnswerCache(Cache(str(tmp_path)), ["why"], now=lambda: clock[0])
    assert memo.recall() is None
    memo.keep(ANSWER)
    assert memo.recall() == ANSWER
    clock[0] = 100.0
    assert memo.recall() is None
    assert AnswerCache(Cache(str(tmp_path)), ["how"]).recall() is None


def test_sets_are_the_same_question_in_every_process(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    names = [f"name{number}" for number in range(20)]
    AnswerCache(cache, [frozenset(names)], now=lambda: 0).keep(ANSWER)
    assert AnswerCache(cache, [frozenset(reversed(names))], now=lambda: 0).recall() == ANSWER


def test_what_is_no_answer_counts_as_none(tmp_path: Path) -> None:
    assert Remembered.from_bytes(ANSWER.to_bytes()) == ANSWER
    for damaged in (
        *(b"", b"{}\n", b"[]\nlock", b"[" * 100_000, b'{"remarks": [], "pages": [{}]}\nlock'),
        *(b'{"remarks": [["__init__", []]], "pages": []}\n', b'{"remarks": [], "pages": []}\n\xff'),
        b'{"remarks": [["yanked", ["only the file"]]], "pages": []}\nlock',
    ):
        assert Remembered.from_bytes(damaged) is None


def test_what_is_remembered_is_told_and_has_to_fit_as_anything_else(
    index: Index, searches: list[object], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["plan", "-U", "-r", "requirements.in", "-i", index.url, *LINUX]
    assert lockstream.main([*words, "--json"]) == 0
    told = capsys.readouterr().out
    Path("pylock.toml").unlink()
    assert lockstream.main([*words, "--json"]) == 0
    assert capsys.readouterr().out == told
    Path("pylock.toml").unlink()
    assert lockstream.main([*words, "-q", "--fit", "1KiB"]) == 1
    assert not Path("pylock.toml").exists()
    assert len(searches) == 1


def test_files_of_the_lock_that_is_there_are_held_to_what_it_says(
    index: Index, searches: list[object]
) -> None:
    text = plan(index)
    other = text.replace(build_wheel("base").sha256, "0" * 64)
    assert other != text
    Path("pylock.toml").write_text(other)
    words = ["plan", "-q", "-P", "app", "-r", "requirements.in", "-i", index.url, *LINUX]
    assert lockstream.main(words) == 6
    assert lockstream.main(words) == 6
    assert len(searches) == 2
