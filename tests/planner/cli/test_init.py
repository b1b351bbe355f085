"""Files for CI: filled in from the project, valid, and never written over the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import lockstream
from helpers.ci_runners import run_shell
from helpers.wheels import build_wheel, lock_of
from planner.review.ci_files import CI_FILES
from schemas.errors import ExitCode

BIN = Path(sys.executable).parent
DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})
PYTHON = "{}.{}".format(*sys.version_info)


@pytest.fixture(name="project")
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    DEMO.write(project)
    text = lock_of([DEMO]).replace("created-by", 'dependency-groups = ["test"]\ncreated-by', 1)
    (project / "pylock.toml").write_text(text)
    return project


def init(*words: str) -> int:
    return lockstream.main(["init", "ci", *words])


def passes(*command: str | Path) -> None:
    run = subprocess.run(
        [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr


VALIDATIONS = {
    "github": [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["zizmor", "--offline", "--quiet"],
    ],
    "gitlab": [["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"]],
    "kubernetes": [["kubernetes-validate", "--strict"]],
    "pre-commit": [["pre-commit", "validate-config"]],
}


@pytest.mark.parametrize("kind", VALIDATIONS)
@pytest.mark.usefixtures("project")
def test_each_file_is_valid(kind: str) -> None:
    assert init(kind) == ExitCode.DONE
    for tool in VALIDATIONS[kind]:
        passes(*tool, CI_FILES[kind].path)


@pytest.mark.parametrize("kind", CI_FILES)
def test_each_is_filled_in_from_the_project(kind: str, project: Path) -> None:
    (project / "locks").mkdir()
    (project / "pylock.toml").rename(project / "locks" / "pylock.ci.toml")
    assert init(kind, "--lock", "locks/pylock.ci.toml") == ExitCode.DONE
    text = (project / CI_FILES[kind].path).read_text()
    assert "pylock.ci.toml" in text
    if kind != "pre-commit":
        assert PYTHON in text
        assert "{facts" not in text


def test_the_steps_for_github_run(project: Path) -> None:
    assert init("github", "-q") == ExitCode.DONE
    workflow = yaml.safe_load((project / CI_FILES["github"].path).read_text())
    steps = {one.get("name"): one for one in workflow["jobs"]["packages"]["steps"]}
    for name in ("Install the packages", "Use them"):
        run = run_shell(steps[name]["run"].replace("--group test", ""), project, {})
        assert run.returncode == 0, run.stdout
    assert run.stdout.strip() == str(project / ".venv")
    assert "--memory 64MiB" in steps["Install the packages"]["run"]


def steps_for_github(project: Path) -> dict[str, str]:
    assert init("github", "-q", "--force") == ExitCode.DONE
    workflow = yaml.safe_load((project / CI_FILES["github"].path).read_text())
    steps = workflow["jobs"]["packages"]["steps"]
    return {one["name"]: one["run"] for one in steps if "name" in one}


class TestLocks:
    """Every step of the file has to pass with the lock that is there."""

    def test_one_of_another_tool_is_not_checked(self, project: Path) -> None:
        assert list(steps_for_github(project)) == [
            "Install lockstream", "Install the packages", "Use them"
        ]  # fmt: skip
        assert init("gitlab", "-q") == ExitCode.DONE
        assert "lockstream check" not in (project / CI_FILES["gitlab"].path).read_text()

    def test_one_that_lockstream_planned_is(self, project: Path) -> None:
        (project / "requirements.in").write_text("demo\n")
        words = ["plan", "-r", "requirements.in", "--no-index", "--find-links", ".", "-q"]
        assert lockstream.main(words) == ExitCode.DONE
        steps = steps_for_github(project)
        run = run_shell(steps["Is the lock current?"], project, {})
        assert run.returncode == 0, run.stdout
        assert init("gitlab", "-q") == ExitCode.DONE
        assert "- lockstream check pylock.toml\n" in (project / CI_FILES["gitlab"].path).read_text()


class TestOneFile:
    """lockstream.pyz in the project is used, and nothing is installed first."""

    def test_by_github(self, project: Path) -> None:
        (project / "lockstream.pyz").touch()
        steps = steps_for_github(project)
        assert list(steps) == ["Install the packages", "Use them"]
        assert "python3 lockstream.pyz execute pylock.toml " in steps["Install the packages"]

    def test_by_gitlab_in_the_memory_that_it_takes(self, project: Path) -> None:
        variable = "KUBERNETES_MEMORY_LIMIT"
        assert init("gitlab", "-q") == ExitCode.DONE
        by_pip = yaml.safe_load((project / CI_FILES["gitlab"].path).read_text())["packages"]
        assert by_pip["variables"][variable] == "256Mi"  # pip is killed in 64 MiB
        (project / "lockstream.pyz").touch()
        assert init("gitlab", "-q", "--force") == ExitCode.DONE
        job = yaml.safe_load((project / CI_FILES["gitlab"].path).read_text())["packages"]
        assert job["variables"][variable] == "64Mi"
        assert job["script"][0].startswith("python3 lockstream.pyz execute pylock.toml ")


def test_a_file_of_the_user_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")
    assert init("docker") == ExitCode.REFUSED
    assert capsys.readouterr().err == (
        "error: Dockerfile exists\n"
        "hint: look at what would be written with --print, or replace the file with --force\n"
    )
    assert (project / "Dockerfile").read_text() == "FROM scratch\n"
    assert init("docker", "--force") == ExitCode.DONE
    assert (project / "Dockerfile").read_text().startswith(f"FROM python:{PYTHON}-slim")


def test_writing_it_again_is_done_already(
    capsys: pytest.CaptureFixture[str], project: Path
) -> None:
    assert init("docker") == ExitCode.DONE
    capsys.readouterr()
    assert init("docker") == ExitCode.DONE
    assert capsys.readouterr() == ("Dockerfile is as it would be written\n", "")


def test_a_pipeline_of_the_user_gets_a_file_to_include(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".gitlab-ci.yml").write_text("x: { script: [x] }\n")
    assert init() == ExitCode.DONE
    out, err = capsys.readouterr()
    assert out == "wrote .gitlab/packages.gitlab-ci.yml\n"
    assert err == (
        "next: add to .gitlab-ci.yml: include: [{ local: .gitlab/packages.gitlab-ci.yml }]\n"
    )
    assert (project / ".gitlab-ci.yml").read_text() == "x: { script: [x] }\n"


@pytest.mark.parametrize("found", ["folder", "remote"])
def test_the_forge_is_found(project: Path, found: str) -> None:
    if found == "folder":
        (project / ".github").mkdir()
    else:
        (project / ".git").mkdir()
        (project / ".git" / "config").write_text('[remote "o"]\nurl = https://github.example/x\n')
    assert init() == ExitCode.DONE
    assert (project / CI_FILES["github"].path).exists()


def test_without_a_forge_the_kinds_are_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert init() == ExitCode.USAGE
    assert capsys.readouterr().err.endswith(
        "hint: name it: lockstream init ci github|gitlab|kubernetes|docker|pre-commit\n"
    )


def test_it_can_be_printed_instead(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(project.iterdir())
    assert init("docker", "--print") == ExitCode.DONE
    assert capsys.readouterr().out.startswith("FROM python:")
    assert sorted(project.iterdir()) == before


def test_without_a_lock_it_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "pylock.toml").unlink()
    assert init("docker") == ExitCode.INVALID_INPUT
    assert "error: pylock.toml: No such file" in capsys.readouterr().err
    assert not (project / "Dockerfile").exists()


def test_a_folder_that_may_not_be_made_is_named(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".github").write_text("a file")
    assert init("github") == ExitCode.INVALID_INPUT
    assert ".github/workflows/packages.yml: Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["pylock.a b.toml", "pylock.$(id).toml", "pylock.'.toml"])
def test_a_name_that_a_shell_would_obey_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (project / "pylock.toml").rename(project / name)
    assert init("docker", "--lock", name) == ExitCode.USAGE
    assert "cannot be named in files for CI" in capsys.readouterr().err
    assert not (project / "Dockerfile").exists()


def test_a_lock_of_another_folder_is_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pylock.toml").rename(project.parent / "pylock.toml")
    assert init("docker", "--lock", "../pylock.toml") == ExitCode.USAGE
    assert "hint: change into the folder of the project" in capsys.readouterr().err


def test_a_group_that_a_shell_would_obey_is_left_out(project: Path) -> None:
    lock = project / "pylock.toml"
    lock.write_text(lock.read_text().replace('["test"]', '["test", "$(id)", "-x y"]'))
    assert init("docker") == ExitCode.DONE
    text = (project / "Dockerfile").read_text()
    assert "--group test\n" in text
    assert "$(id)" not in text
