"""A project is a folder, its pyproject.toml, or a script of any name."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.inputs.errors import InvalidRequirementLine, UnreadableInput
from planner.inputs.project_document import (
    InvalidProject,
    hint_for_folder,
    is_legacy,
    is_project,
    listed,
    read_document,
    refuse_project,
)

SCRIPT = "#!/usr/bin/env python\n# /// script\n# dependencies = ['app']\n# ///\n"


def test_a_folder_and_its_file_are_one_project(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'a'\n")
    assert is_project(str(tmp_path))
    assert read_document(str(tmp_path)) == read_document(str(path))


@pytest.mark.parametrize("name", ["script.py", "script", "tool.pyw"])
def test_a_script_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(SCRIPT)
    assert is_project(str(path))
    _, document = read_document(str(path))
    assert document["project"] == {"dependencies": ["app"]}


def test_a_script_is_read_in_its_own_encoding(tmp_path: Path) -> None:
    path = tmp_path / "script.py"
    path.write_bytes(b"# coding: latin-1\n# caf\xe9\n" + SCRIPT.partition("\n")[2].encode())
    assert read_document(str(path))[1]["project"] == {"dependencies": ["app"]}


def test_a_file_without_a_block_is_refused_with_the_way(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("app\n")
    with pytest.raises(InvalidProject) as raised:
        read_document(str(path))
    assert raised.value.hint == "name requirements files with -r"


def test_a_folder_of_setuptools_has_an_empty_document(tmp_path: Path) -> None:
    assert not is_project(str(tmp_path))
    (tmp_path / "setup.py").write_text("")
    assert is_legacy(str(tmp_path))
    assert is_project(str(tmp_path))
    assert read_document(str(tmp_path))[1] == {}


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"[project", "not valid TOML"), (b"\xff", "byte 0 is not UTF-8 text"),
     (b"a = " + b"[" * 5000, "nested too deeply")],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_an_error(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    with pytest.raises(InvalidProject, match=problem) as caught:
        read_document(str(tmp_path))
    assert caught.value.hint


def test_a_missing_document_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInput, match="No such file"):
        read_document(str(tmp_path))


@pytest.mark.parametrize(
    ("names", "way"),
    [
        ([], "name what to plan: lockstream plan -r FILE, or lockstream plan FOLDER"),
        (["requirements.txt"], "-r {folder}/requirements.txt"),
        (["requirements.txt", "requirements.in", "Pipfile"], "-r {folder}/requirements.in"),
        (["Pipfile"], "Pipfile is not read; write its requirements into"),
        (["environment.yml"], "environment.yml is not read; write its requirements from PyPI"),
    ],
)
def test_a_folder_without_a_project_is_hinted_at_by_what_it_has(
    names: list[str], way: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).write_text("")
    assert way.format(folder=tmp_path) in hint_for_folder(str(tmp_path))


@pytest.mark.parametrize("word", ["flask", "flask==3.0", "uvicorn[standard]>=0.30"])
def test_a_requirement_in_the_place_of_a_folder_is_sent_into_a_file(word: str) -> None:
    hint = hint_for_folder(word)
    assert f"write {word} into requirements.in" in hint
    assert hint.endswith(f"--upgrade-package {word.partition('[')[0].partition('=')[0]}")


@pytest.mark.parametrize("word", ["services/api", "script.py", "pyproject.toml"])
def test_a_path_that_is_no_requirement_is_not_taken_for_one(word: str) -> None:
    assert hint_for_folder(word).startswith("name what to plan")


INLINE = "# /// script\r\n# dependencies = ['demo']\r\n# ///\r\n"


@pytest.mark.parametrize(
    ("path", "text", "problem", "hint"),
    [
        ("a/tool", INLINE, "it is a script", "plan it without -r: lockstream plan a/tool"),
        ("-", INLINE, "it is a script", "plan it without -r: lockstream plan SCRIPT"),
        ("https://f.example/x.py", INLINE, "it is a script", "plan it without -r"),
        ("a/pyproject.toml", "", "it is not a requirements", "plan its folder: lockstream plan a"),
        ("setup.py", "", "it is not a requirements", "plan its folder: lockstream plan ."),
        ("setup.cfg", "", "it is not a requirements", "plan its folder: lockstream plan ."),
        ("Pipfile", "", "it is not a requirements", "Pipfile is not read; write its"),
        ("Pipfile.lock", "{", "it is not a requirements", "Pipfile.lock is not read; plan what"),
        ("a/uv.lock", "", "it is not a requirements", "uv.lock is not read; uv export "),
        (
            "pylock.toml",
            "",
            "it is not a requirements",
            "pylock.toml is a lock; plan it again: lockstream plan",
        ),
    ],
)
def test_a_project_in_the_place_of_a_requirements_file_is_refused(
    path: str, text: str, problem: str, hint: str
) -> None:
    with pytest.raises(UnreadableInput, match=problem) as raised:
        refuse_project(path, text)
    assert raised.value.hint.startswith(hint)


def test_a_requirements_file_may_have_any_other_name_and_comments() -> None:
    refuse_project("requirements.py", "# a script\n# ///\ndemo\n")


def test_a_file_of_a_project_leads_to_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "setup.py"
    path.write_text("from setuptools import setup\n")
    with pytest.raises(InvalidProject) as raised:
        read_document(str(path))
    assert raised.value.hint == f"plan its folder: lockstream plan {tmp_path}"


@pytest.mark.parametrize("name", ["pyproject.toml", "notes.toml"])
def test_a_file_that_is_no_project_has_a_hint(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\xff" if name == "pyproject.toml" else b"a = 1\n")
    with pytest.raises(InvalidProject) as raised:
        read_document(str(tmp_path / name))
    assert raised.value.hint


def test_a_project_with_the_marks_of_a_merge_is_called_that(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'a'\n<<<<<<< HEAD\nversion = '1'\n=======\n")
    with pytest.raises(InvalidRequirementLine) as raised:
        read_document(str(tmp_path))
    assert str(raised.value) == f"{path}:3: it has the marks of a merge conflict"
    assert raised.value.hint.startswith("keep the lines that are wanted, remove the marks")


def test_a_message_shows_some_names() -> None:
    assert listed(["b", "a"]) == "a, b"
    assert listed([]) == "none"
    assert listed(f"n{number:02}" for number in range(30)).endswith(", n19 and 10 more")
