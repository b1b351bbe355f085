"""Requirements come from the table that has them, or from the build backend; never from nowhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from planner.inputs.inputs import Inputs
from planner.inputs.project_document import InvalidProject
from planner.inputs.project_tables import Backend, ProjectTables, refuse_backend

X = canonicalize_name("x")
METADATA = """\
Metadata-Version: 2.1
Name: Their_Name
Version: 1
Requires-Python: >=3.9
Provides-Extra: X
Requires-Dist: app>1
Requires-Dist: base ; extra == "x"
Requires-Dist: other ; os_name == "nt" and extra == "X"
Requires-Dist: odd ; extra == "y" or extra == "x"
"""


def prepared(_folder: str, _name: str, _inputs: Inputs) -> str:
    return METADATA


def tables(folder: Path, text: str, backend: Backend | None = None) -> ProjectTables:
    return ProjectTables(str(folder / "pyproject.toml"), tomllib.loads(text), backend)


def test_poetry_before_2_has_a_table_of_its_own(tmp_path: Path) -> None:
    project = tables(
        tmp_path,
        "[tool.poetry]\nname = 'A'\n[tool.poetry.dependencies]\npython = '^3.9'\napp = '^1.0'\n"
        "base = { version = '*', optional = true }\n[tool.poetry.extras]\nx = ['base']\n"
        "[tool.poetry.group.test.dependencies]\ntool = '1.0'\n"
        "[tool.poetry.dev-dependencies]\nd = '2'\n",
    )
    assert project.name == "a"
    assert project.dependencies()[1] == ["app>=1.0,<2"]
    assert project.extra_lines(X)[1] == ["base"]
    assert project.groups == {"test", "dev"}
    assert project.group(canonicalize_name("test"))[1] == ["tool==1.0"]
    assert project.requires_python == SpecifierSet(">=3.9,<4")


def test_poetry_has_the_dependencies_that_the_standard_table_calls_dynamic(tmp_path: Path) -> None:
    project = tables(
        tmp_path,
        "[project]\nname = 'a'\ndynamic = ['dependencies']\n"
        "[tool.poetry.dependencies]\napp = '1'\n",
    )
    assert project.dependencies() == ("[tool.poetry.dependencies]", ["app==1"])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("requires-python = '>=3.10'\n", "<3.13,>=3.10,>=3.9"),
        ("dynamic = ['requires-python']\n", "<3.13,>=3.9"),
        ("", "<3.13,>=3.9"),
    ],
)
def test_the_pythons_of_poetry_count_beside_the_standard_table(
    tmp_path: Path, said: str, expected: str
) -> None:
    poetry = "[tool.poetry.dependencies]\npython = '>=3.9,<3.13'\n"
    project = tables(tmp_path, f"[project]\nname = 'a'\n{said}{poetry}")
    assert str(project.requires_python) == expected


def test_alternatives_of_poetry_that_no_specifier_says_are_named(tmp_path: Path) -> None:
    project = tables(tmp_path, "[tool.poetry.dependencies]\napp = '^1.2 || ^3.4'\n")
    with pytest.raises(InvalidProject, match=r"\[tool.poetry.dependencies\] app: .*alternatives"):
        project.dependencies()


def test_setuptools_reads_dynamic_dependencies_from_files(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# all\napp>1 # why\n\n")
    project = tables(
        tmp_path,
        "[project]\nname = 'a'\ndynamic = ['dependencies', 'optional-dependencies']\n"
        "[tool.setuptools.dynamic]\ndependencies = { file = ['requirements.txt'] }\n"
        "[tool.setuptools.dynamic.optional-dependencies]\nx = { file = 'requirements.txt' }\n",
    )
    assert project.dependencies()[1] == ["app>1"]
    assert project.extra_names(are_required=True) == {"x"}
    assert project.extra_lines(X)[1] == ["app>1"]


def test_a_file_of_setuptools_that_is_missing_is_named(tmp_path: Path) -> None:
    project = tables(
        tmp_path,
        "[project]\nname = 'a'\ndynamic = ['dependencies']\n"
        "[tool.setuptools.dynamic]\ndependencies = { file = 'none.txt' }\n",
    )
    with pytest.raises(InvalidProject, match=r"none.txt: No such file"):
        project.dependencies()


@pytest.mark.parametrize(
    "text",
    [
        "[build-system]\nrequires = ['setuptools']\n",
        "[project]\nname = 'a'\ndynamic = ['dependencies', 'optional-dependencies']\n",
    ],
)
def test_the_backend_knows_what_no_table_has(tmp_path: Path, text: str) -> None:
    project = tables(tmp_path, text, prepared)
    assert project.dependencies()[1] == ["app>1"]
    assert project.extra_names(are_required=True) == {"x"}
    assert project.extra_names(are_required=False) == set()
    assert project.extra_lines(X)[1] == [
        "base",
        'other; os_name == "nt"',
        'odd; python_version < "0" or python_version >= "0"',
    ]


def test_a_legacy_project_has_the_name_and_the_python_of_its_metadata(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    project = tables(tmp_path, "", prepared)
    assert project.name == "their-name"
    assert project.requires_python == SpecifierSet(">=3.9")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[build-system]\n", "only its build backend knows its requirements"),
        ("[project]\nname = 'a'\ndynamic = ['dependencies']\n", "its dependencies are dynamic"),
    ],
)
def test_without_a_backend_that_is_an_error_with_the_way(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(InvalidProject, match=problem) as raised:
        tables(tmp_path, text).dependencies()
    assert "--build" in raised.value.hint


def test_a_project_without_pyproject_toml_is_named_by_the_file_that_it_has(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("")
    project = ProjectTables(str(tmp_path / "pyproject.toml"), {}, None)
    with pytest.raises(InvalidProject, match=r"setup\.py: only its build backend"):
        project.dependencies()


def test_a_setup_cfg_alone_is_refused_before_a_build_that_would_fail(tmp_path: Path) -> None:
    (tmp_path / "setup.cfg").write_text("[options]\ninstall_requires = app\n")
    project = ProjectTables(str(tmp_path / "pyproject.toml"), {}, prepared)
    with pytest.raises(InvalidProject, match=r"needs a pyproject\.toml or a setup\.py") as raised:
        project.dependencies()
    assert "[project]" in raised.value.hint
    (tmp_path / "setup.py").touch()
    assert project.dependencies()[1] == ["app>1"]


@pytest.mark.parametrize("place", ["project.optional-dependencies", "tool.poetry.extras"])
def test_two_spellings_of_one_extra_are_refused(tmp_path: Path, place: str) -> None:
    text = f"[tool.poetry]\nname = 'a'\n[{place}]\nweb_ui = []\nWeb-UI = []\n"
    with pytest.raises(InvalidProject, match=rf"\[{place}\] has two spellings of web-ui"):
        tables(tmp_path, text)


def test_a_document_without_a_project_is_empty(tmp_path: Path) -> None:
    assert tables(tmp_path, "[tool.ruff]\nline-length = 100\n").is_empty
    assert not tables(tmp_path, "[project]\nname = 'a'\n").is_empty


def test_groups_of_uv_rye_and_pdm_from_before_the_standard_are_read(tmp_path: Path) -> None:
    project = tables(
        tmp_path,
        "[project]\nname = 'a'\n[dependency-groups]\ndev = ['one']\n"
        "[tool.uv]\ndev-dependencies = ['two']\n[tool.pdm.dev-dependencies]\nlint = ['three']\n"
        "[tool.rye]\ndev-dependencies = ['four']\n",
    )
    assert project.group(canonicalize_name("dev"))[1] == ["one", "two", "four"]
    assert project.group(canonicalize_name("lint"))[1] == ["three"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            '[project.optional-dependencies]\n"x\\u001b[2J" = []\n',
            "[project.optional-dependencies]",
        ),
        ('[project.optional-dependencies]\n"" = []\n', "[project.optional-dependencies]"),
        ('[tool.poetry]\nname = "a"\n[tool.poetry.extras]\n"a b" = []\n', "[tool.poetry.extras]"),
        (
            '[tool.setuptools.dynamic.optional-dependencies]\n"-" = {file = "x"}\n',
            "[tool.setuptools.dynamic] optional-dependencies",
        ),
    ],
)
def test_an_extra_has_a_name(tmp_path: Path, text: str, place: str) -> None:
    """A lock with another one could not be written."""
    with pytest.raises(InvalidProject) as caught:
        tables(tmp_path, text)
    assert f"{place} has the name " in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("name", ["pyproject.toml", "setup.py", "setup.cfg"])
def test_a_check_names_the_file_whose_backend_it_does_not_run(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(InvalidProject) as raised:
        refuse_backend(str(tmp_path), "", Inputs())
    assert str(raised.value).startswith(f"{tmp_path / name}: only its build backend")
