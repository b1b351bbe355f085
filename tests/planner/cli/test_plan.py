"""The command as users meet it: arguments, files, streams and exit codes."""

from __future__ import annotations

import io
import json
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel

HERE = ["--python-version", "3.11", "--platform", "manylinux_2_28_x86_64"]


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    index.add(
        build_wheel("app", "1.0", requires=["base"], extras={"x": ["more"]}),
        build_wheel("base", "1.0"),
        build_wheel("more", "1.0"),
    )
    monkeypatch.chdir(tmp_path)
    for variable in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    (tmp_path / "requirements.in").write_text("app\n")


def run(*arguments: str) -> int:
    return lockstream.main(["plan", *HERE, *arguments])


def names(path: str = "pylock.toml") -> list[str]:
    document = tomllib.loads(Path(path).read_text())
    return [package.name for package in Pylock.from_dict(document).packages]


def test_a_lock_is_written_and_summed_up(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-r", "requirements.in", "--default-index", index.url) == 0
    assert names() == ["app", "base"]
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(
        "resolved 2 packages for CPython 3.11.0 on manylinux_2_28_x86_64: 0.0 MiB to fetch, "
    )
    assert told.err.endswith(" s, wrote pylock.toml\n")


def test_planning_twice_gives_the_same_bytes(index: Index) -> None:
    for name in ("pylock.a.toml", "pylock.b.toml"):
        assert run("-r", "requirements.in", "-o", name, "--index-url", index.url) == 0
    assert Path("pylock.a.toml").read_bytes() == Path("pylock.b.toml").read_bytes()


def test_results_go_to_standard_output_where_asked(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("-r", "requirements.in", "-o", "-", "-i", index.url, "-q") == 0
    told = capsys.readouterr()
    assert [package["name"] for package in tomllib.loads(told.out)["packages"]] == ["app", "base"]
    assert told.err == ""


def test_programs_are_told_in_json(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    target = {"python": "3.11", "platform": "manylinux_2_28_x86_64"}
    for changed in (True, False):
        assert run("-r", "requirements.in", "-i", index.url, "--json") == 0
        told = capsys.readouterr()
        answer = json.loads(told.out)
        assert told.err == ""
        assert (answer["lock"], answer["changed"]) == ("pylock.toml", changed)
        assert answer["packages"] == 2
        (found,) = answer["targets"]
        assert found.items() >= {**target, "packages": 2}.items()
        assert found["unpacked-size"] > 0
        assert found["size"] > 0
    assert run("-r", "requirements.in", "-i", index.url, "--json", "-o", "-") == 2


def test_requirements_come_from_standard_input(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("base\n"))
    assert run("-r", "-", "-i", index.url) == 0
    assert names() == ["base"]


def test_inputs_are_noted_by_their_path_from_the_lock(index: Index, tmp_path: Path) -> None:
    (tmp_path / "ci").mkdir()
    assert run("-r", "requirements.in", "-o", "ci/pylock.toml", "-i", index.url) == 0
    inputs = tomllib.loads(Path("ci/pylock.toml").read_text())["tool"]["lockstream"]["inputs"]
    assert inputs == {"requirements": ["../requirements.in"]}


@pytest.mark.parametrize("arguments", [[], ["."]])
def test_a_project_is_planned(index: Index, arguments: list[str]) -> None:
    Path("pyproject.toml").write_text(
        '[project]\nname = "top"\ndependencies = ["base"]\n'
        '[project.optional-dependencies]\nx = ["more"]\n[dependency-groups]\ntest = ["app"]\n'
    )
    assert run(*arguments, "-i", index.url, "--no-all-extras", "--no-all-groups") == 0
    assert names() == ["base"]
    assert run(*arguments, "-i", index.url, "--extra", "x", "--group", "test") == 0
    lock = Pylock.from_dict(tomllib.loads(Path("pylock.toml").read_text()))
    assert {package.name: str(package.marker) for package in lock.packages} == {
        "app": '"test" in dependency_groups', "base": "None", "more": '"x" in extras',
    }  # fmt: skip


def test_the_index_of_the_option_counts_before_all_others(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/")
    Path("requirements.in").write_text("-i http://127.0.0.1:1/\nbase\n")
    assert run("-r", "requirements.in", "-i", index.url) == 0


def test_the_index_of_the_requirements_counts_before_the_environment(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/")
    Path("requirements.in").write_text(f"-i {index.url}\nbase\n")
    assert run("-r", "requirements.in") == 0


def test_the_index_of_the_environment_is_used(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    assert run("-r", "requirements.in") == 0


def test_credentials_are_nowhere_to_be_seen(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    index.login = ("ada", "s3cret")
    url = index.url.replace("://", "://ada:s3cret@")
    assert run("-r", "requirements.in", "-i", url) == 0
    assert "s3cret" not in Path("pylock.toml").read_text() + capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        pytest.param(["-r", "requirements.in", "-o", "lock.toml"], 2,
                     "error: a lock cannot be called 'lock.toml'", id="name of the lock"),
        pytest.param(["-r", "requirements.in", "--platform", "atari"], 2,
                     "error: --platform 'atari' is not a platform", id="platform"),
        pytest.param([], 2, "error: nothing to plan", id="nothing to plan"),
        pytest.param(["no-such"], 2, "error: there is no file or folder 'no-such'\n"
                     "hint: requirements are read from files: ", id="no project"),
        pytest.param([".", "-r", "requirements.in"], 2,
                     "error: requirements files and a project cannot be planned together",
                     id="both"),
        pytest.param(["-r", "requirements.in", "--group", "dev"], 2,
                     "error: the inputs are requirements files (requirements.in), which have "
                     "neither extras nor groups\nhint: ", id="group of requirements"),
        pytest.param(["-r", "no-such.in"], 3, "error: no-such.in: No such file", id="no file"),
        pytest.param(["-r", "requirements.in", "-o", "no/pylock.toml"], 2,
                     "error: --output no/pylock.toml: cannot be written: No such file",
                     id="no folder"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_has_an_exit_code_and_writes_nothing(
    index: Index,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    status: int,
    message: str,
) -> None:
    assert run("-i", index.url, *arguments) == status
    assert capsys.readouterr().err.startswith(message)
    assert not list(Path().glob("*pylock*"))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        pytest.param("app>=>1", 3, id="an invalid line"),
        pytest.param("-e .", 3, id="an unsupported line"),
        pytest.param("app>=2", 4, id="no solution"),
        pytest.param("-i http://127.0.0.1:1/", 0, id="nothing is asked for, so nobody is asked"),
        pytest.param("weird", 5, id="an index that fails"),
        pytest.param("broken", 6, id="a broken wheel"),
    ],
)
def test_failures_have_their_exit_codes(index: Index, line: str, status: int) -> None:
    index.answers["/simple/weird/"] = [(200, {"Content-Type": "text/plain"}, b"what?")]
    broken = build_wheel("broken")
    index.metadata = True
    index.add_file(broken.filename, b"no archive" * 9, metadata=broken.metadata)
    Path("requirements.in").write_text(f"{line}\n")
    options = [] if line.startswith("-i") else ["-i", index.url]
    assert run("-r", "requirements.in", *options) == status
    assert Path("pylock.toml").exists() is (status == 0)


def test_a_project_is_not_planned_for_a_python_that_it_excludes(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pyproject.toml").write_text('[project]\nname = "top"\nrequires-python = ">=3.12"\n')
    assert run("-i", index.url) == 2
    assert (
        "the project requires Python >=3.12, and the target has 3.11.0" in capsys.readouterr().err
    )


def test_constraints_are_read_for_projects_too(index: Index) -> None:
    index.add(build_wheel("base", "2.0"))
    Path("pyproject.toml").write_text('[project]\nname = "top"\ndependencies = ["base"]\n')
    Path("limits.txt").write_text("base<2\n")
    assert run("-i", index.url, "-c", "limits.txt") == 0
    document = tomllib.loads(Path("pylock.toml").read_text())
    assert document["packages"][0]["version"] == "1.0"
    assert document["tool"]["lockstream"]["inputs"] == {
        "projects": ["."], "constraints": ["limits.txt"],
    }  # fmt: skip


def test_warnings_are_said_even_if_quiet(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    index.add(build_wheel("base", "2.0"), yanked="broken")
    Path("requirements.in").write_text("base==2.0\napp[no]\n")
    assert run("-r", "requirements.in", "-i", index.url, "-q") == 0
    assert capsys.readouterr().err == (
        "warning: app 1.0 has no extra 'no'\nwarning: base-2.0-py3-none-any.whl is yanked: broken\n"
    )


def test_one_lock_serves_many_targets(index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--python-version", "3.12", "--platform", "windows"]
    assert run("-r", "requirements.in", "-i", index.url, *more) == 0
    document = tomllib.loads(Path("pylock.toml").read_text())
    assert len(document["environments"]) == 4
    assert document["tool"]["lockstream"]["targets"][1:3] == [
        {"python": "3.11", "platform": "win_amd64"},
        {"python": "3.12", "platform": "manylinux_2_28_x86_64"},
    ]
    first, *targets = capsys.readouterr().err.splitlines()
    assert first.startswith("resolved 2 packages for 4 targets, in ")
    assert [target.partition(":")[0] for target in targets] == [
        "  2 packages for CPython 3.11.0 on manylinux_2_28_x86_64",
        "  2 packages for CPython 3.11.0 on win_amd64",
        "  2 packages for CPython 3.12.0 on manylinux_2_28_x86_64",
        "  2 packages for CPython 3.12.0 on win_amd64",
    ]
