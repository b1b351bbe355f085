"""Build requirements that a lock does not record are resolved by the planner, if it is there."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import lockstream
from executor.builds import foreign_requirements
from executor.builds.errors import BuildUnlocked, RequirementsUnresolved
from executor.builds.foreign_requirements import RequirementsLocker
from executor.environment.interpreter import probe
from executor.sources.origins import Origins
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from schemas.errors import ExitCode


@pytest.fixture(name="wheels")
def _wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for version in ("1.0", "2.0"):
        build_wheel("tool", version).write(folder)
    return folder


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def locker(folder: Path, wheels: Path, **more: Any) -> RequirementsLocker:
    return RequirementsLocker(
        package="demo",
        folder=str(folder),
        target=probe(sys.executable).target,
        origins=Origins(find_links=(str(wheels),), offline=True),
        **more,
    )


def locked(path: str) -> list[tuple[str, str]]:
    lock = tomllib.loads(Path(path).read_text())
    return [(one["name"], one["version"]) for one in lock["packages"]]


def test_they_are_locked_for_the_build_environment(folder: Path, wheels: Path) -> None:
    path = locker(folder, wheels).lock(["tool>=1"])
    assert locked(path) == [("tool", "2.0")]
    assert Path(path).parent == folder


def test_constraints_limit_them(folder: Path, wheels: Path, tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("tool<2\n")
    path = locker(folder, wheels, constraints=[str(tmp_path / "limits.txt")]).lock(["tool"])
    assert locked(path) == [("tool", "1.0")]


def test_what_cannot_be_resolved_says_what_the_planner_says(folder: Path, wheels: Path) -> None:
    with pytest.raises(RequirementsUnresolved) as caught:
        locker(folder, wheels).lock(["tool>=3"])
    text = str(caught.value)
    assert text.startswith("demo: its build requires tool>=3, which cannot be resolved\n  | ")
    assert "no wheels satisfy the requirements" in text
    assert caught.value.exit_code is ExitCode.BUILD_FAILED


def test_without_the_planner_the_command_to_run_is_named(
    folder: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign_requirements, "find_spec", lambda _: None)
    with pytest.raises(BuildUnlocked) as caught:
        locker(folder, wheels).lock(["tool"])
    assert str(caught.value) == "demo: the lock does not record what its build requires"
    assert "lockstream plan --build demo" in caught.value.hint


@pytest.mark.parametrize("dynamic", [False, True], ids=["static", "dynamic"])
def test_a_lock_of_another_tool_is_executed_with_its_builds(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch, dynamic: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    required: Any = {"dynamic_requires" if dynamic else "build_requires": ["tool"]}
    sdist = build_sdist(before_wheel="import tool", **required)
    sdist.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "other"\n[[packages]]\nname = "demo"\n'
        f'version = "1.0"\nsdist = {{ path = "{sdist.filename}", '
        f'hashes = {{ sha256 = "{sdist.sha256}" }} }}\n'
    )
    words = ["execute", "--target", "env", "--build", "--find-links", str(wheels), "--offline"]
    assert lockstream.main(words) == ExitCode.USAGE  # it was never measured
    assert lockstream.main([*words, "--build-unmeasured"]) == ExitCode.DONE
    assert (tmp_path / "env/demo/__init__.py").is_file()


def test_an_editable_project_gets_what_its_backend_requires_for_that(
    tmp_path: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = build_sdist().spread(tmp_path / "project")
    with (project / "backend.py").open("a") as backend:
        backend.write(
            "\n\ndef get_requires_for_build_editable(config_settings=None):\n    return ['tool']\n"
            "\n\nmake = build_editable\n\n\ndef build_editable(*words):\n"
            "    import tool\n    return make(*words)\n"
        )
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\nname = "demo"\n'
        'directory = { path = "project", editable = true }\n'
    )
    words = ["execute", "--target", "env", "--build", "--find-links", str(wheels), "--offline"]
    assert lockstream.main([*words, "--build-unmeasured"]) == ExitCode.DONE
    assert (tmp_path / "env/_demo.pth").read_text() == str(project / "src")


def test_constraints_decide_though_there_is_a_wheel_of_other_requirements(
    tmp_path: Path,
    wheels: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    sdist = build_sdist(build_requires=["tool"])
    sdist.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "other"\n[[packages]]\nname = "demo"\n'
        f'version = "1.0"\nsdist = {{ path = "{sdist.filename}", '
        f'hashes = {{ sha256 = "{sdist.sha256}" }} }}\n'
    )
    words = ["execute", "--build", "--build-unmeasured", "--find-links", str(wheels), "--offline"]
    assert lockstream.main([*words, "--target", "one"]) == ExitCode.DONE
    (tmp_path / "limits.txt").write_text("tool>=3\n")
    more = ["--build-constraint", "limits.txt", "--target", "two"]
    assert lockstream.main([*words, *more]) == ExitCode.BUILD_FAILED
    (tmp_path / "limits.txt").unlink()
    capsys.readouterr()
    assert lockstream.main([*words, *more]) == ExitCode.USAGE
    assert "--build-constraint limits.txt cannot be read" in capsys.readouterr().err
