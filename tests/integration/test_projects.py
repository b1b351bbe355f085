"""The project at hand: planned where memory is, built and installed without its dependencies."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel

Planned = Callable[..., None]


@pytest.fixture(name="planned")
def _planned(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Planned:
    """A project in the working folder, whose lock is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))

    def planned(*options: str, before_wheel: str = "pass") -> None:
        index.add(build_wheel("tool", "2.0"), build_wheel("other"))
        build_sdist(requires=["other"], build_requires=["tool"], before_wheel=before_wheel).spread(
            tmp_path
        )
        told = ("plan", "-q", "-i", index.url, "--build-project", *options)
        assert lockstream.main(list(told)) == 0

    return planned


def direct_url(environment: Path) -> dict[str, object]:
    (path,) = environment.glob("demo-1.0.dist-info/direct_url.json")
    content: dict[str, object] = json.loads(path.read_text())
    return content


def test_what_it_is_built_with_is_locked_and_measured(planned: Planned) -> None:
    planned()
    lock = tomllib.loads(Path("pylock.build-demo.toml").read_text())
    assert [package["name"] for package in lock["packages"]] == ["tool"]
    (record,) = lock["tool"]["lockstream"]["build"].values()
    assert record["demand"]["1"] > 0


def test_alone_it_is_installed_without_its_dependencies(planned: Planned) -> None:
    planned(before_wheel="import tool")
    assert lockstream.main(["execute", "--no-deps", ".", "--target", "env"]) == 0
    assert Path("env/demo/__init__.py").exists()
    assert not Path("env/other").exists()
    assert direct_url(Path("env")) == {"url": Path().absolute().as_uri(), "dir_info": {}}


def test_alone_it_is_installed_from_a_folder_above(
    planned: Planned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of its build is where ``plan --build-project`` is run, or in its folder."""
    planned()
    monkeypatch.chdir(tmp_path.parent)
    command = ["execute", "--no-deps", tmp_path.name, "--target"]
    assert lockstream.main([*command, str(tmp_path / "one")]) == 0
    above = tmp_path.parent / "pylock.build-demo.toml"
    (tmp_path / "pylock.build-demo.toml").rename(above)
    assert lockstream.main([*command, str(tmp_path / "two")]) == 0


def test_with_its_lock_it_is_installed_beside_its_dependencies(planned: Planned) -> None:
    planned()
    assert lockstream.main(["execute", "--project", ".", "--target", "env"]) == 0
    assert Path("env/demo/__init__.py").exists()
    assert Path("env/other/__init__.py").exists()
    assert lockstream.main(["verify", "--target", "env"]) == 1
    assert lockstream.main(["verify", "--project", ".", "--target", "env"]) == 0
    Path("env/demo/__init__.py").unlink()
    assert lockstream.main(["verify", "--project", ".", "--target", "env"]) == 1


def test_a_change_of_it_is_installed_the_next_time(planned: Planned) -> None:
    planned()
    command = ["execute", "--no-deps", ".", "--target", "env"]
    assert lockstream.main(command) == 0
    build_sdist(build_requires=["tool"], module="CHANGED = 1\n").spread(Path())
    assert lockstream.main(command) == 0
    assert "CHANGED" in Path("env/demo/__init__.py").read_text()


def test_an_editable_one_leads_to_its_folder(planned: Planned, tmp_path: Path) -> None:
    planned()
    command = ["execute", "--no-deps", ".", "--editable", "--venv", "env"]
    assert lockstream.main(command) == 0
    shown = subprocess.run(
        ["env/bin/python", "-c", "import demo; print(demo.__file__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(shown.stdout.strip()) == tmp_path / "src" / "demo" / "__init__.py"
    packages = Path(f"env/lib/python{sys.version_info.major}.{sys.version_info.minor}")
    assert direct_url(packages / "site-packages")["dir_info"] == {"editable": True}


def test_what_it_takes_is_foreseen(planned: Planned, capsys: pytest.CaptureFixture[str]) -> None:
    planned(before_wheel="x = bytearray(64 << 20); import time; time.sleep(0.2)")
    command = ["execute", "--no-deps", ".", "--target", "env", "--memory", "90MiB"]
    assert lockstream.main(command) == 7
    assert "demo: its build needs" in capsys.readouterr().err
    assert not Path("env").exists()


def test_without_its_lock_it_is_refused_with_advice(
    planned: Planned, capsys: pytest.CaptureFixture[str]
) -> None:
    planned()
    Path("pylock.build-demo.toml").unlink()
    assert lockstream.main(["execute", "--no-deps", ".", "--target", "env"]) == 4
    assert "lockstream plan --build-project" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--no-deps", "pylock.toml"), "is not a folder"),
        (("--editable",), "--editable is for projects"),
        (("--project", "nowhere"), "nowhere/pyproject.toml cannot be read"),
    ],
)
def test_what_is_no_project_is_refused(
    planned: Planned, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    planned()
    assert lockstream.main(["execute", "--target", "env", *words]) == 2
    assert told in capsys.readouterr().err
