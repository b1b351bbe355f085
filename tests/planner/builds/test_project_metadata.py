"""The build backend of a project says what no table does, if --build allows it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel

BACKEND = """\
import os

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    place = os.path.join(folder, "demo-1.0.dist-info")
    os.mkdir(place)
    with open(os.path.join(place, "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: demo\\nVersion: 1.0\\nRequires-Dist: app\\n"
                   "Provides-Extra: x\\nRequires-Dist: base; extra == 'x'\\n")
    return "demo-1.0.dist-info"

def build_wheel(*_):
    raise SystemExit("only metadata is needed")
"""
SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
DYNAMIC = (
    '[project]\nname = "demo"\ndynamic = ["version", "dependencies", "optional-dependencies"]\n'
)


@pytest.fixture(autouse=True)
def _project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("app"), build_wheel("base"))
    Path("backend.py").write_text(BACKEND)


def plan(index: Index, *words: str) -> int:
    return lockstream.main(["plan", "-q", "-i", index.url, *words])


def locked() -> list[str]:
    return [one["name"] for one in tomllib.loads(Path("pylock.toml").read_text())["packages"]]


@pytest.mark.parametrize("text", [SYSTEM, DYNAMIC + SYSTEM])
def test_a_project_is_planned_by_the_metadata_of_its_backend(
    index: Index, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    Path("pyproject.toml").write_text(text)
    assert plan(index, "--build", "missing", "--no-all-extras") == 0
    assert locked() == ["app"]
    assert plan(index, "--build", "missing", "--all-extras") == 0
    assert locked() == ["app", "base"]
    assert not list(Path().glob("pylock.build-*"))
    assert lockstream.main(["check"]) == 3
    assert "a check runs none" in capsys.readouterr().err


def test_a_backend_that_is_not_allowed_is_not_run(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text(DYNAMIC + SYSTEM)
    assert plan(index) == 3
    assert "only its build backend knows them" in capsys.readouterr().err
    assert plan(index, "--build", "other") == 2
    assert "add --build demo" in capsys.readouterr().err
    assert plan(index, "--build", "demo") == 0


def test_a_backend_that_fails_ends_the_plan(index: Index) -> None:
    Path("pyproject.toml").write_text(SYSTEM)
    Path("backend.py").write_text("raise SystemExit(1)\n")
    assert plan(index, "--build", "missing") == 8
    assert not Path("pylock.toml").exists()
