"""A source tree says what its backend is, or means setuptools."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.builds.build_system import BuildSystem, read_build_system
from executor.builds.errors import BackendUnusable


def read(folder: Path, text: str | None = None) -> BuildSystem:
    if text is not None:
        (folder / "pyproject.toml").write_text(text)
    return read_build_system("demo", str(folder))


def test_the_table_is_read_as_it_stands(tmp_path: Path) -> None:
    system = read(
        tmp_path,
        '[build-system]\nrequires = ["a>=1"]\nbuild-backend = "a.b:c"\nbackend-path = ["x"]\n',
    )
    assert system == BuildSystem(backend="a.b:c", requires=("a>=1",), path=("x",))


@pytest.mark.parametrize("text", [None, "", "[project]\n"])
def test_a_tree_that_names_no_backend_is_built_by_setuptools(
    tmp_path: Path, text: str | None
) -> None:
    (tmp_path / "setup.py").touch()
    system = read(tmp_path, text)
    assert system.backend == "setuptools.build_meta:__legacy__"
    assert system.requires == ("setuptools>=40.8.0",)


def test_a_tree_with_no_project_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendUnusable, match=r"neither pyproject\.toml nor setup\.py"):
        read(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "[build-system",
        "[build-system]\nrequires = 1\n",
        "[build-system]\nrequires = [1]\n",
        "[build-system]\nrequires = []\nbuild-backend = 1\n",
        '[build-system]\nrequires = []\nbackend-path = "x"\n',
    ],
)
def test_a_malformed_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BackendUnusable, match=r"pyproject\.toml"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("backend", "module"),
    [
        ("flit_core.buildapi", "flit_core"),
        ("setuptools.build_meta:__legacy__", "setuptools.build_meta"),
        ("mesonpy", "mesonpy"),
    ],
)
def test_a_backend_is_known_by_its_module(backend: str, module: str) -> None:
    assert BuildSystem(backend=backend, requires=()).module == module
