"""pip and uv install from an exported requirements file what ``execute`` installs from the lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

import lockstream
from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel

pytestmark = pytest.mark.usefixtures("cache_folder")

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = ("--python-version", HERE, "--platform", "linux", "--platform", "windows")


def names_in(folder: Path) -> set[str]:
    """Names and versions of what is installed."""
    return {path.name.removesuffix(".dist-info") for path in folder.glob("*.dist-info")}


def installed(folder: Path, tool: str, requirements: Path) -> set[str]:
    """What ``tool`` installs from a file, run in another folder than that of the file."""
    programs = {
        "pip": [sys.executable, "-m", "pip", "install", "--no-cache-dir"],
        "uv": [find_uv_bin(), "pip", "install", "--no-config", "--no-cache"],
    }
    words = ["--require-hashes", "--target", str(folder / tool), "-r", str(requirements)]
    if tool == "uv":
        words += ["--python", sys.executable]
    surroundings = {key: value for key, value in os.environ.items() if key != "PIP_CONSTRAINT"}
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    done = subprocess.run(
        [*programs[tool], "--quiet", *words],
        cwd=elsewhere,
        env=surroundings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return names_in(folder / tool)


def same_by_all(folder: Path, lock: Path, *selection: str) -> set[str]:
    """Assert that all three install the same, and return that."""
    requirements = folder / "ci" / "requirements.txt"
    requirements.parent.mkdir()
    assert lockstream.main(["export", str(lock), "-o", str(requirements), *selection]) == 0
    target = str(folder / "ours")
    words = ["execute", "-q", str(lock), "--target", target, "--python", sys.executable]
    assert lockstream.main([*words, *selection]) == 0
    ours = names_in(folder / "ours")
    assert installed(folder, "pip", requirements) == ours
    assert installed(folder, "uv", requirements) == ours
    return ours


def test_markers_extras_and_several_versions(index: Index, tmp_path: Path) -> None:
    index.add(
        build_wheel("app", requires=["base[x]", "win; sys_platform == 'win32'"]),
        build_wheel("base", "1.0", extras={"x": ["more"]}),
        build_wheel("base", "2.0", extras={"x": ["more"]}),
        build_wheel("more"),
        build_wheel("win"),
    )
    lines = ["app", "base<2; sys_platform == 'linux'", "base>=2; sys_platform == 'win32'"]
    lock = plan_into(index, tmp_path, lines, targets=TARGETS)
    assert same_by_all(tmp_path, lock) == {"app-1.0", "base-1.0", "more-1.0"}


def test_extras_and_groups_of_a_project(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.add(build_wheel("app"), build_wheel("cli"), build_wheel("docs"), build_wheel("win"))
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\ndependencies = ["app"]\n'
        'optional-dependencies.cli = ["cli", "win; sys_platform == \'win32\'"]\n'
        '[dependency-groups]\ndocs = ["docs"]\n'
    )
    assert lockstream.main(["plan", "-q", "-i", index.url, *TARGETS]) == 0
    assert same_by_all(tmp_path, Path("pylock.toml"), "--extra", "cli") == {"app-1.0", "cli-1.0"}


def test_packages_of_two_indexes_a_folder_and_an_address(index: Index, tmp_path: Path) -> None:
    far = build_wheel("far")
    with Index() as private:
        private.add(build_wheel("app", files={"app.py": "ours"}))
        # Only the hash tells this one from ours.
        index.add(build_wheel("app", files={"app.py": "theirs"}), build_wheel("base"), far)
        folder = tmp_path / "our wheels"
        folder.mkdir()
        build_wheel("local").write(folder)
        lines = ["app", "base", "local", f"far @ {index.url_of(far.filename)}"]
        places = ("--index", private.url, "--find-links", str(folder))
        lock = plan_into(index, tmp_path, lines, *places, targets=TARGETS)
        found = same_by_all(tmp_path, lock)
    assert found == {"app-1.0", "base-1.0", "far-1.0", "local-1.0"}
    for tool in ("ours", "pip", "uv"):
        assert (tmp_path / tool / "app.py").read_text() == "ours"
