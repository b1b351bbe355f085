"""A lock records its inputs so that they can be read again from its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from helpers.projects import named, names, project
from planner.inputs.provenance import Provenance, read_inputs
from schemas.errors import InvalidInput, UsageError

OWN, OURS = "https://own.example/simple", "https://ours.example/simple"


def test_what_is_recorded_is_read_again_from_the_folder_of_the_lock(tmp_path: Path) -> None:
    provenance = Provenance(
        requirements=(str(tmp_path / "b.in"), str(tmp_path / "a.in")),
        constraints=(str(tmp_path / "locks" / "c.txt"),),
        excludes=("demo",),
    )
    folder = str(tmp_path / "locks")
    table = provenance.to_table(folder)
    assert table == {
        "requirements": ["../b.in", "../a.in"],
        "constraints": ["c.txt"],
        "excludes": ["demo"],
    }
    again = Provenance.from_table(table, folder)
    assert again is not None
    assert sorted(again.requirements) == sorted(provenance.requirements)
    assert again.constraints == provenance.constraints


@pytest.mark.parametrize("path", ["-", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/9", "{0}/pipe"])
def test_what_cannot_be_read_again_is_not_recorded(tmp_path: Path, path: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Provenance(requirements=(path.format(tmp_path),)).to_table(str(tmp_path)) == {}
    absent = Provenance(requirements=("https://example.org/r.in", str(tmp_path / "absent.in")))
    assert absent.to_table(str(tmp_path)) == {
        "requirements": ["https://example.org/r.in", "absent.in"]
    }


def test_flags_are_recorded_as_true() -> None:
    table = Provenance(projects=(".",), all_extras=True).to_table(".")
    assert table == {"projects": ["."], "all-extras": True}
    assert Provenance.from_table(table, ".") == Provenance(projects=(".",), all_extras=True)


@pytest.mark.parametrize("table", [None, 1, {}, {"requires": ["a"]}, {"projects": [1]}])
def test_a_lock_without_inputs_has_no_provenance(table: object) -> None:
    assert Provenance.from_table(table, ".") is None


def test_files_and_a_project_cannot_be_planned_together(tmp_path: Path) -> None:
    provenance = Provenance(requirements=("a.in",), projects=(str(tmp_path),))
    with pytest.raises(UsageError, match="cannot be planned together"):
        read_inputs(provenance, environment={})


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no pyproject\.toml in"):
        read_inputs(Provenance(projects=(str(tmp_path),)), environment={})


def test_a_file_can_name_projects_that_are_planned_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    extras = "[project.optional-dependencies]\nx = ['extra']\ny = ['other']\n"
    groups = "[dependency-groups]\ntest = ['group']\n[tool.uv.sources]\nlib = { path = 'lib' }\n"
    settings = "[tool.uv]\nprerelease = 'explicit'\nconstraint-dependencies = ['one<2']\n"
    project(tmp_path, named("app", "lib", "one", more=extras + groups + settings))
    project(tmp_path / "lib", named("lib", "two", more=extras + "requires-python = '>=3.9'\n"))
    Path("r.txt").write_text("-e .[x]\n-r more.txt\nthree\n")
    Path("more.txt").write_text("--editable='lib ; python_version > \"3\"'\n")
    inputs = read_inputs(
        Provenance(requirements=("r.txt",)), environment={"PIP_CONFIG_FILE": "/dev/null"}
    )
    assert sorted(names(inputs)) == [
        "extra", "one", "three", 'two; python_version > "3"',
    ]  # fmt: skip
    assert inputs.members == ("app", "lib")
    assert {one.scope for one in inputs.requirements} == {None}
    assert [str(one.requirement) for one in inputs.constraints] == ["one<2"] * 2
    unread, own, other = inputs.remarks
    assert "prerelease is not read" in unread
    assert own.endswith(
        "r.txt:1: the project in '.' is not in the lock; install it after the lock: "
        "pip install --no-deps -e ."
    )
    assert "more.txt:1: the project in 'lib'" in other


def test_an_editable_project_is_found_from_the_file_too_unless_two_are_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project(tmp_path / "app", named("app", "one"))
    (tmp_path / "app" / "r.txt").write_text("-e .\n")
    provenance = Provenance(requirements=("app/r.txt",))
    assert names(read_inputs(provenance, environment={})) == ["one"]
    project(tmp_path, named("root", "two"))
    with pytest.raises(InvalidInput, match=r"r\.txt:1: there is a project in '\.', from") as it:
        read_inputs(provenance, environment={})
    assert "go into the folder that it starts from" in it.value.hint
    monkeypatch.chdir("app")
    found = read_inputs(Provenance(requirements=("r.txt",)), environment={})
    assert names(found) == ["one"]


def test_an_extra_that_an_editable_project_lacks_is_an_error_of_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project(tmp_path, named("app", "one"))
    Path("r.txt").write_text("\n-e .[y]\n")
    with pytest.raises(
        InvalidInput, match=r"r\.txt:2: app has no extra 'y'; pyproject\.toml has"
    ) as it:
        read_inputs(Provenance(requirements=("r.txt",)), environment={})
    assert "correct the name" in it.value.hint
    Path("r.txt").write_text("-e .\napp\napp[y]\n")
    with pytest.raises(InvalidInput, match=r"r\.txt:3: app is also named with -e") as it:
        read_inputs(Provenance(requirements=("r.txt",)), environment={})
    assert "write them there" in it.value.hint
    Path("r.txt").write_text("-e .\napp\n")
    assert names(read_inputs(Provenance(requirements=("r.txt",)), environment={})) == ["app", "one"]


def test_what_is_left_out_adds_to_what_the_project_leaves_out(tmp_path: Path) -> None:
    text = "[project]\nname = 'a'\nversion = '1'\n[tool.lockstream]\nexcludes = ['One']\n"
    (tmp_path / "pyproject.toml").write_text(text)
    provenance = Provenance(projects=(str(tmp_path),), excludes=("Two",))
    assert read_inputs(provenance, environment={}).excludes == ("one", "two")


@pytest.mark.parametrize(
    ("name", "text", "index"),
    [
        ("pyproject.toml", f"[[tool.uv.index]]\nurl = '{OWN}'\ndefault = true\n", OWN),
        ("uv.toml", f"index-url = '{OWN}'\n", OWN),
        (
            "pyproject.toml",
            f"[tool.lockstream]\ndefault-index = '{OURS}'\n[tool.uv]\nindex-url = '{OWN}'\n",
            OURS,
        ),
        ("pyproject.toml", "[tool.black]\nline-length = 100\n", None),
    ],
)
def test_the_indexes_beside_a_requirements_file_count_whichever_tool_they_are_of(
    tmp_path: Path, name: str, text: str, index: str | None
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "requirements.in").write_text("ours\n")
    found = read_inputs(
        Provenance(requirements=(str(tmp_path / "requirements.in"),)), environment={}
    )
    assert found.settings.default_index == index
    assert [one.requirement.name for one in found.requirements] == ["ours"]


def test_settings_above_a_requirements_file_count_and_the_nearest_are_those(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.uv]\nindex-url = '{OWN}'\n")
    folder = tmp_path / "sub" / "requirements"
    folder.mkdir(parents=True)
    (folder / "dev.in").write_text("ours\n")
    (folder / "pyproject.toml").write_text("[tool.black]\nline-length = 100\n")

    def index() -> str | None:
        absolute = Provenance(requirements=(str(folder / "dev.in"),))
        found = {
            read_inputs(one, environment={}).settings.default_index
            for one in (absolute, Provenance(requirements=("requirements/dev.in",)))
        }
        assert len(found) == 1
        return found.pop()

    monkeypatch.chdir(tmp_path / "sub")
    assert index() == OWN
    (tmp_path / "sub" / "uv.toml").write_text(f"index-url = '{OURS}'\n")
    assert index() == OURS
    (folder / "pyproject.toml").write_text("[tool.lockstream]\nalign = false\n")
    assert index() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_settings_of_a_stranger_above_a_requirements_file_are_refused(tmp_path: Path) -> None:
    settings, file = tmp_path / "pyproject.toml", tmp_path / "requirements" / "dev.in"
    settings.write_text(f"[tool.uv]\nindex-url = '{OWN}'\n")
    file.parent.mkdir()
    file.write_text("ours\n")
    provenance = Provenance(requirements=(str(file),))
    os.chown(settings, 12345, -1)
    with pytest.raises(UsageError, match="belongs to another user") as raised:
        read_inputs(provenance, environment={})
    assert str(raised.value).startswith(f"{settings} has settings for {file}")
    os.chown(file, 12345, -1)  # as in a container with a folder of its host
    assert read_inputs(provenance, environment={}).settings.default_index == OWN


def test_settings_above_a_requirements_file_have_to_be_readable(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool\n")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.in").write_text("ours\n")
    with pytest.raises(InvalidInput, match=r"pyproject\.toml"):
        read_inputs(
            Provenance(requirements=(str(tmp_path / "requirements" / "dev.in"),)), environment={}
        )


def test_what_other_tools_limit_counts_for_a_requirements_file_and_the_rest_is_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[project]\nname = 'app'\ndependencies = ['left']\n"
        "[tool.uv]\nconstraint-dependencies = ['ours<2']\nno-index = true\n"
        "fork-strategy = 'fewest'\n"
    )
    (tmp_path / "requirements.in").write_text("ours\n")
    found = read_inputs(
        Provenance(requirements=(str(tmp_path / "requirements.in"),)), environment={}
    )
    assert [str(one.requirement) for one in found.constraints] == ["ours<2"]
    assert [one.requirement.name for one in found.requirements] == ["ours"]
    assert found.no_index
    assert any("fork-strategy" in remark for remark in found.remarks)
