"""Files for CI: filled in from the project, valid, and never written over the user's own."""

from __future__ import annotations

import errno
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import lockstream
from helpers.ci_runners import passes, run_shell
from helpers.sdists import build_sdist
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
    (project / "pylock.toml").write_text(text_of_lock())
    return project


def text_of_lock(**keywords: Any) -> str:
    """The text of a lock with a group; it lists the wheel in the working folder by its address,
    unless ``folder`` is given.
    """
    if "folder" not in keywords:
        keywords["base_url"] = Path.cwd().as_uri()
    text = lock_of([DEMO], **keywords)
    return text.replace("created-by", 'dependency-groups = ["test"]\ncreated-by', 1)


def place(kind: str, slug: str = "") -> str:
    return CI_FILES[kind].path.replace("{slug}", slug)


def init(*words: str) -> int:
    return lockstream.main(["init", "ci", *words])


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
        passes(*tool, place(kind))


@pytest.mark.parametrize("kind", CI_FILES)
def test_each_is_filled_in_from_the_project(kind: str, project: Path) -> None:
    (project / "locks").mkdir()
    (project / "pylock.toml").rename(project / "locks" / "pylock.ci.toml")
    assert init(kind, "--lock", "locks/pylock.ci.toml") == ExitCode.DONE
    text = (project / place(kind)).read_text()
    assert "pylock.ci.toml" in text
    if kind != "pre-commit":
        assert PYTHON in text
        assert "{facts" not in text


def test_the_steps_for_github_run(project: Path) -> None:
    assert init("github", "-q") == ExitCode.DONE
    workflow = yaml.safe_load((project / place("github")).read_text())
    steps = {one.get("name"): one for one in workflow["jobs"]["packages"]["steps"]}
    for name in ("Install the packages", "Use them"):
        run = run_shell(steps[name]["run"].replace("--group test", ""), project, {})
        assert run.returncode == 0, run.stdout
    assert run.stdout.strip() == str(project / ".venv")
    assert "--memory 64MiB" in steps["Install the packages"]["run"]


def steps_for_github(project: Path) -> dict[str, str]:
    assert init("github", "-q", "--force") == ExitCode.DONE
    workflow = yaml.safe_load((project / place("github")).read_text())
    steps = workflow["jobs"]["packages"]["steps"]
    return {one["name"]: one["run"] for one in steps if "name" in one}


class TestLocks:
    """Every step of the file has to pass with the lock that is there."""

    def test_one_of_another_tool_is_not_checked(self, project: Path) -> None:
        assert list(steps_for_github(project)) == [
            "Install lockstream", "Install the packages", "Use them"
        ]  # fmt: skip
        assert init("gitlab", "-q") == ExitCode.DONE
        assert "lockstream check" not in (project / place("gitlab")).read_text()

    def test_one_that_lockstream_planned_is(self, project: Path) -> None:
        (project / "requirements.in").write_text("demo\n")
        words = ["plan", "-r", "requirements.in", "--no-index", "--find-links", ".", "-q"]
        assert lockstream.main(words) == ExitCode.DONE
        steps = steps_for_github(project)
        run = run_shell(steps["Is the lock current?"], project, {})
        assert run.returncode == 0, run.stdout
        assert init("gitlab", "-q") == ExitCode.DONE
        assert "- lockstream check pylock.toml\n" in (project / place("gitlab")).read_text()


class TestWhatHasNoWheel:
    """A lock of uv lists the project itself."""

    @pytest.fixture(autouse=True)
    def _editable(self, project: Path) -> None:
        build_sdist("app").spread(project)
        with (project / "pylock.toml").open("a") as lock:
            lock.write(
                '\n[[packages]]\nname = "app"\ndirectory = { path = ".", editable = true }\n'
            )

    def test_is_built_where_the_project_is(self, project: Path) -> None:
        steps = steps_for_github(project)
        command = steps["Install the packages"]
        assert command.rstrip().endswith("--build --build-unmeasured")
        assert "--memory" not in command
        for name in ("Install the packages", "Use them"):
            run = run_shell(steps[name].replace("--group test", ""), project, {})
            assert run.returncode == 0, run.stdout
        (link,) = project.glob(".venv/lib/python3*/site-packages/_app.pth")
        assert link.read_text() == str(project / "src")
        assert init("gitlab", "-q") == ExitCode.DONE
        job = yaml.safe_load((project / place("gitlab")).read_text())["packages"]
        assert job["variables"]["KUBERNETES_MEMORY_LIMIT"] == "512Mi"

    @pytest.mark.parametrize("kind", ["kubernetes", "docker"])
    def test_is_left_out_and_named_where_only_the_lock_is(self, project: Path, kind: str) -> None:
        assert init(kind, "-q") == ExitCode.DONE
        text = (project / place(kind)).read_text()
        assert "--skip-unbuildable" in text
        assert "# Not installed, because it would have to be built: app\n" in text
        for tool in VALIDATIONS.get(kind, ()):
            passes(*tool, place(kind))

    def test_is_left_out_by_the_one_file_which_resolves_nothing(self, project: Path) -> None:
        (project / "lockstream.pyz").touch()
        assert "--skip-unbuildable" in steps_for_github(project)["Install the packages"]

    def test_other_sources_are_refused_where_only_the_lock_is(
        self, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        sdist = build_sdist("built")
        with (project / "pylock.toml").open("a") as lock:
            lock.write(
                f'\n[[packages]]\nname = "built"\nversion = "1.0"\nsdist = {{ path = '
                f'"{sdist.filename}", hashes = {{ sha256 = "{sdist.sha256}" }} }}\n'
            )
        assert init("docker") == ExitCode.REFUSED
        assert capsys.readouterr().err.startswith(
            "error: pylock.toml has no wheels of these packages, which must be built: built\n"
            "hint: build them where memory is"
        )
        assert "--build " in steps_for_github(project)["Install the packages"]


class TestWheelsThatTheLockListsByPath:
    """Those that lockstream plan --build has built are in a folder beside the lock."""

    def test_are_copied_by_docker(self, project: Path) -> None:
        (project / "pylock.toml").write_text(text_of_lock(folder="wheelhouse/"))
        assert init("docker", "-q") == ExitCode.DONE
        text = (project / "Dockerfile").read_text()
        assert "COPY pylock.toml ./pylock.toml\nCOPY wheelhouse ./wheelhouse\n" in text

    def test_also_of_a_lock_in_a_folder_that_has_them_beside_it(self, project: Path) -> None:
        (project / "locks").mkdir()
        (project / "locks" / "pylock.toml").write_text(text_of_lock(folder=""))
        assert init("docker", "--lock", "locks/pylock.toml", "-q") == ExitCode.DONE
        name = DEMO.filename
        assert f"\nCOPY locks/{name} ./{name}\n" in (project / "Dockerfile").read_text()

    @pytest.mark.parametrize("folder", ["../", "/srv/wheels/", "our wheels/"])
    def test_are_refused_if_docker_could_not_bring_them(
        self, project: Path, folder: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (project / "pylock.toml").write_text(text_of_lock(folder=folder))
        assert init("docker") == ExitCode.REFUSED
        assert "error: pylock.toml lists wheels by paths" in (err := capsys.readouterr().err)
        assert "plan --wheelhouse" in err

    def test_are_refused_where_only_the_lock_is(
        self, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (project / "pylock.toml").write_text(text_of_lock(folder="wheelhouse/"))
        assert init("kubernetes") == ExitCode.REFUSED
        assert "--wheelhouse-url URL" in capsys.readouterr().err
        assert init("github") == ExitCode.DONE


def test_no_disk_is_limited_for_a_lock_that_records_no_sizes(project: Path) -> None:
    assert init("kubernetes", "-q") == ExitCode.DONE
    text = (project / place("kubernetes")).read_text()
    assert "lockstream enrich records the sizes of 1 package.\n" in text
    assert "ephemeral-storage" not in text
    assert "emptyDir: {}" in text
    (project / "pylock.toml").write_text(text_of_lock(hints=True))
    assert init("kubernetes", "-q", "--force") == ExitCode.DONE
    text = (project / place("kubernetes")).read_text()
    assert "enrich" not in text
    assert text.count("ephemeral-storage: 16Mi") == 2
    assert "emptyDir: { sizeLimit: 16Mi }" in text


def test_an_image_has_no_groups_unless_there_is_nothing_else(project: Path) -> None:
    assert init("docker", "-q") == ExitCode.DONE
    text = (project / "Dockerfile").read_text()
    assert "# Without the groups test: --group NAME adds one.\nRUN " in text
    assert "--durability kill\n" in text
    marker = {DEMO.name: {"marker": "'test' in dependency_groups"}}
    (project / "pylock.toml").write_text(text_of_lock(packages=marker))
    assert init("docker", "-q", "--force") == ExitCode.DONE
    assert "--durability kill --group test\n" in (project / "Dockerfile").read_text()


@pytest.mark.usefixtures("folder")
class TestInARepositoryOfManyProjects:
    """Forges and pre-commit look at the root of the repository."""

    @pytest.fixture(name="folder")
    def _folder(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A folder two levels below the root, with the lock."""
        folder = project / "services" / "api"
        folder.mkdir(parents=True)
        for path in project.glob("*.*"):
            path.rename(folder / path.name)
        (project / ".git").mkdir()
        (project / ".git" / "config").write_text(
            '[remote "o"]\n\turl = git@gitlab.example.com:team/github-tools.git\n'
        )
        monkeypatch.chdir(folder)
        return folder

    def test_the_file_for_github_works_in_the_folder(self, project: Path, folder: Path) -> None:
        (project / "lockstream.pyz").touch()
        assert init("github") == ExitCode.DONE
        path = project / ".github/workflows/packages-services-api.yml"
        for tool in VALIDATIONS["github"]:
            passes(*tool, path)
        workflow = yaml.safe_load(path.read_text())
        job = workflow["jobs"]["packages"]
        assert job["defaults"] == {"run": {"working-directory": "services/api"}}
        assert workflow["name"] == "packages-services-api"
        (command,) = (one["run"] for one in job["steps"] if "packages" in one.get("name", ""))
        assert command.startswith("python3 ../../lockstream.pyz execute pylock.toml --venv .venv")
        assert not list(folder.glob(".git*"))

    def test_the_job_for_gitlab_changes_into_it(
        self, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert init("-q") == ExitCode.DONE
        passes(*VALIDATIONS["gitlab"][0], project / ".gitlab-ci.yml")
        job = yaml.safe_load((project / ".gitlab-ci.yml").read_text())["packages-services-api"]
        assert job["script"][0] == "cd services/api"
        assert job["artifacts"]["paths"] == ["services/api/.venv", "services/api/report.json"]
        (project / ".gitlab-ci.yml").write_text("x: { script: [x] }\n")
        capsys.readouterr()
        assert init() == ExitCode.DONE
        name = ".gitlab/packages-services-api.gitlab-ci.yml"
        out, err = capsys.readouterr()
        assert out == f"wrote ../../{name}\n"
        assert f"local: {name}" in err

    def test_the_hooks_name_lock_and_environment_from_the_root(self, project: Path) -> None:
        assert init("pre-commit", "-q") == ExitCode.DONE
        passes(*VALIDATIONS["pre-commit"][0], project / place("pre-commit"))
        (hooks,) = yaml.safe_load((project / place("pre-commit")).read_text())["repos"]
        check, execute = hooks["hooks"]
        assert check["entry"] == "lockstream check -q services/api/pylock.toml"
        assert re.search(check["files"], "services/api/requirements.in")
        assert not re.search(check["files"], "services/web/requirements.in")
        assert not re.search(check["files"], "other/services/api/requirements.in")
        assert " services/api/pylock.toml --venv services/api/.venv" in execute["entry"]

    def test_what_is_to_be_done_next_installs_each_stage_of_the_hooks(
        self, project: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert init("pre-commit") == ExitCode.DONE
        (hooks,) = yaml.safe_load((project / place("pre-commit")).read_text())["repos"]
        stages = {stage for hook in hooks["hooks"] for stage in hook.get("stages", ["pre-commit"])}
        said = capsys.readouterr().err
        assert stages == set(re.findall(r"--hook-type (\S+)", said))

    def test_the_file_of_a_container_stays_in_the_folder(self, folder: Path) -> None:
        assert init("docker") == ExitCode.DONE
        assert "COPY pylock.toml" in (folder / "Dockerfile").read_text()

    def test_a_folder_that_a_shell_would_obey_is_refused(
        self, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (project / "services").rename(project / "our services")
        monkeypatch.chdir(project / "our services" / "api")
        assert init("github") == ExitCode.USAGE
        assert "'our services/api' cannot be named in files for CI" in capsys.readouterr().err
        assert init("docker") == ExitCode.DONE


def test_two_forges_are_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / ".github").mkdir()
    (project / ".gitlab-ci.yml").write_text("x: { script: [x] }\n")
    assert init() == ExitCode.USAGE
    assert capsys.readouterr().err == (
        "error: this repository is on more than one forge: github, gitlab\n"
        "hint: name the kind of file: lockstream init ci github|gitlab\n"
    )


class TestOneFile:
    """lockstream.pyz in the project is used, and nothing is installed first."""

    def test_by_github(self, project: Path) -> None:
        (project / "lockstream.pyz").touch()
        steps = steps_for_github(project)
        assert list(steps) == ["Install the packages", "Use them"]
        assert "python3 lockstream.pyz execute pylock.toml " in steps["Install the packages"]

    def test_by_docker_in_the_first_stage_alone(self, project: Path) -> None:
        (project / "lockstream.pyz").touch()
        assert init("docker", "-q") == ExitCode.DONE
        first, second = (project / place("docker")).read_text().split("\n\n")
        assert "COPY lockstream.pyz ./\nCOPY pylock.toml ./pylock.toml\n# Without " in first
        assert "\nRUN python3 lockstream.pyz execute " in first
        assert "pip" not in first
        assert "lockstream.pyz" not in second

    def test_by_gitlab_in_the_memory_that_it_takes(self, project: Path) -> None:
        variable = "KUBERNETES_MEMORY_LIMIT"
        assert init("gitlab", "-q") == ExitCode.DONE
        by_pip = yaml.safe_load((project / place("gitlab")).read_text())["packages"]
        assert by_pip["variables"][variable] == "256Mi"  # pip is killed in 64 MiB
        (project / "lockstream.pyz").touch()
        assert init("gitlab", "-q", "--force") == ExitCode.DONE
        job = yaml.safe_load((project / place("gitlab")).read_text())["packages"]
        assert job["variables"][variable] == "64Mi"
        assert job["script"][0].startswith("python3 lockstream.pyz execute pylock.toml ")


def test_a_file_of_the_user_is_kept(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "Dockerfile").write_text("FROM scratch\n")
    assert init("docker") == ExitCode.REFUSED
    assert capsys.readouterr().err == (
        "error: Dockerfile exists\n"
        "hint: add to it what the same command prints with --print, or replace it with --force\n"
    )
    assert (project / "Dockerfile").read_text() == "FROM scratch\n"
    assert init("docker", "--force") == ExitCode.DONE
    assert (project / "Dockerfile").read_text().startswith(f"FROM python:{PYTHON}-slim")


@pytest.mark.parametrize("link", ["Dockerfile", ".github", ".gitlab-ci.yml"])
def test_nothing_is_written_through_a_link_out_of_the_project(
    project: Path,
    link: str,
    tmp_path_factory: pytest.TempPathFactory,
    capsys: pytest.CaptureFixture[str],
) -> None:
    theirs = tmp_path_factory.mktemp("theirs") / "kept"
    theirs.mkdir() if link == ".github" else theirs.write_text("mine\n")
    (project / link).symlink_to(theirs)
    kind = {"Dockerfile": "docker", ".github": "github", ".gitlab-ci.yml": "gitlab"}[link]
    assert init(kind, "--force") == ExitCode.REFUSED
    told = capsys.readouterr().err
    assert told.startswith(f"error: {link}")
    assert f"leads out of the project, to {theirs}" in told
    assert (list(theirs.iterdir()) if theirs.is_dir() else theirs.read_text()) in ([], "mine\n")


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
    assert (project / place("github")).exists()


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
    assert init("gitlab") == ExitCode.DONE
    text = (project / ".gitlab-ci.yml").read_text()
    assert "--group test\n" in text
    assert "$(id)" not in text


def test_a_file_for_which_the_disk_has_no_space_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(path: str, _text: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)

    monkeypatch.setattr("planner.cli.init.write_atomically", refuse)
    assert init("docker", "-q") == ExitCode.NOT_ENOUGH
    assert "cannot be written: No space left on device" in capsys.readouterr().err


def test_help_names_each_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert lockstream.main(["init", "ci", "--help"]) == ExitCode.DONE
    kinds = re.search(r"KIND is (.*)\.\n", capsys.readouterr().out)
    assert kinds
    assert kinds[1].replace(" or ", ", ").split(", ") == list(CI_FILES)
