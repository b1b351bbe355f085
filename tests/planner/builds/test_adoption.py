"""Wheels that other machines built are taken into the wheelhouse, each once."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist
from planner.builds.adoption import Adoption
from planner.builds.fragment import Fragment
from planner.builds.unit import target_label, units_of
from planner.builds.wheel_store import StoreFolder
from planner.lock.reader import read_lock


@pytest.fixture(name="folder")
def _folder(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lock with two builds of one pure wheel, and a store with the first."""
    monkeypatch.chdir(tmp_path)
    sdist = build_sdist()
    index.add_file(sdist.filename, sdist.content)
    Path("requirements.in").write_text("demo\n")
    words = ["--build", "missing", "--defer-builds", "--platform", "linux", "--platform", "windows"]
    assert lockstream.main(["plan", "-r", "requirements.in", "-i", index.url, *words]) == 0
    first, _ = (target_label(unit.target) for unit in units_of(read_lock("pylock.toml")))
    assert lockstream.main(["build", "demo", "--target", first]) == 0
    return tmp_path


def adoption(folder: Path, url: str | None = None) -> Adoption:
    return Adoption(
        lock=read_lock("pylock.toml"),
        folder=str(folder),
        stores=[StoreFolder("built"), StoreFolder("other")],
        wheelhouse="house",
        wheelhouse_url=url,
    )


def test_a_wheel_is_copied_with_its_hash(folder: Path) -> None:
    (known,) = adoption(folder).take()
    assert known.path == str(folder / "house" / "demo-1.0-py3-none-any.whl")
    assert known.to_built() is not None
    assert [path.name for path in (folder / "house").iterdir()] == ["demo-1.0-py3-none-any.whl"]
    assert known.url is None


def test_a_served_wheelhouse_gives_it_an_address(folder: Path) -> None:
    (known,) = adoption(folder, "https://wheels.example/").take()
    assert known.url == "https://wheels.example/demo-1.0-py3-none-any.whl"


@pytest.mark.usefixtures("folder")
def test_a_pure_wheel_serves_all_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["plan", "--fragments", "built"]) == 0
    lock = tomllib.loads(Path("pylock.toml").read_text())
    assert len(lock["packages"][0]["wheels"]) == 1
    assert lockstream.main(["builds"]) == 0
    assert "nothing has to be built" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_wheels_that_are_not_kept_are_not_taken(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("pylock.toml").read_bytes()
    assert lockstream.main(["plan", "--fragments", "built", "--no-wheelhouse"]) == 2
    assert "--no-wheelhouse keeps no wheels, and --fragments lists them" in capsys.readouterr().err
    assert (Path("pylock.toml").read_bytes(), Path("wheelhouse").exists()) == (before, False)


def test_a_wheelhouse_without_space_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fill(self: StoreFolder, fragment: Fragment, path: str) -> None:
        Path(path).write_text("half")
        raise OSError(28, "No space left on device", f"{self.path}/{fragment.wheel}")

    monkeypatch.setattr(StoreFolder, "fetch", fill)
    assert lockstream.main(["plan", "--fragments", "built"]) == 7
    assert f"{folder}/wheelhouse/demo-1.0-py3-none-any.whl: No space" in capsys.readouterr().err
    assert list((folder / "wheelhouse").iterdir()) == []


@pytest.mark.usefixtures("folder")
def test_a_wheelhouse_that_is_a_file_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["plan", "--fragments", "built", "--wheelhouse", "requirements.in"]
    assert lockstream.main(words) == 2
    error = capsys.readouterr().err
    assert "requirements.in/demo-1.0-py3-none-any.whl: File exists" in error
    assert "something else is in its place" in error
