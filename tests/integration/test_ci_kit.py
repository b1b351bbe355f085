"""The files for CI below examples/: each is validated by a tool, and its shell runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.ci_runners import gitlab_job, passes, run_action, run_gitlab, run_shell
from helpers.tekton import faults_of
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

BIN = Path(sys.executable).parent
EXAMPLES = Path(__file__).parents[2] / "examples"
ACTION = EXAMPLES / "github" / "action.yml"
INSTALL = EXAMPLES / "gitlab" / "templates" / "install.yml"
CHECK = EXAMPLES / "gitlab" / "templates" / "check.yml"
TASK = EXAMPLES / "tekton" / "task.yaml"
JOB = EXAMPLES / "kubernetes" / "job.yaml"
HOOKS = EXAMPLES / "pre-commit" / ".pre-commit-hooks.yaml"

DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})
GROUPED = build_wheel("grouped", files={"grouped.py": "x = 1\n"})


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    project.mkdir()
    DEMO.write(project)
    GROUPED.write(project)
    text = lock_of([DEMO, GROUPED]).replace(
        'name = "grouped"', 'name = "grouped"\nmarker = "\'test\' in dependency_groups"'
    )
    text = text.replace("created-by", 'dependency-groups = ["test"]\ncreated-by', 1)
    (project / "pylock.toml").write_text(text)
    return project


def installed(project: Path, venv: str = ".venv") -> set[str]:
    found = project.joinpath(venv).glob("lib/python3*/site-packages/*.py")
    return {path.stem for path in found}


class TestGitHub:
    def test_the_action_is_valid_and_safe(self) -> None:
        passes("check-jsonschema", "--builtin-schema", "vendor.github-actions", ACTION)
        passes("zizmor", "--offline", "--pedantic", "--quiet", ACTION)

    def test_it_installs_and_gives_environment_key_and_peak(self, project: Path) -> None:
        done = run_action(ACTION, project, groups="test", verify="true", memory="1GiB")
        assert done.status == 0, done.output
        assert installed(project) == {"demo", "grouped"}
        assert done.outputs["venv"] == str(project / ".venv")
        assert re.fullmatch(r"[0-9a-f]{64}", done.outputs["key"])
        assert int(done.outputs["peak"]) > 1 << 20
        assert "installed 2 packages" in done.summary
        assert "2 packages verified, 0 differences" in done.output
        assert json.loads((project / "lockstream-report.json").read_text())["installed"] == 2

    def test_it_may_compute_the_key_alone(self, project: Path) -> None:
        key = run_action(ACTION, project, execute="false").outputs["key"]
        assert not (project / ".venv").exists()
        assert run_action(ACTION, project, summary="false").outputs["key"] == key
        assert run_action(ACTION, project, execute="false", groups="test").outputs["key"] != key

    def test_an_error_is_annotated_at_the_package_in_the_lock(self, project: Path) -> None:
        lock = project / "pylock.toml"
        lock.write_text(lock.read_text().replace(DEMO.sha256, "0" * 64))
        done = run_action(ACTION, project)
        assert done.status == ExitCode.ARTIFACT_REFUSED
        row = lock.read_text().split("\n").index('name = "demo"') + 1
        (annotation,) = re.findall(r"^::error (.*)$", done.output, re.MULTILINE)
        assert annotation.startswith(f"file=pylock.toml,line={row},title=lockstream (6)::demo-1.0")

    def test_an_error_is_annotated_at_the_line_that_it_names(self, project: Path) -> None:
        lock = project / "pylock.toml"
        lock.write_text(lock.read_text() + "[[packages]]\nname = 3\n")
        row = lock.read_text().split("\n").index("name = 3")
        done = run_action(ACTION, project)
        assert done.status == ExitCode.INVALID_INPUT
        found = re.search(r"^::error file=pylock.toml,line=(\d+),", done.output, re.MULTILINE)
        assert found is not None, done.output
        assert abs(int(found[1]) - row) <= 1

    def test_drift_is_annotated(self, project: Path) -> None:
        assert run_action(ACTION, project).status == 0
        (module,) = project.glob(".venv/lib/python3*/site-packages/demo.py")
        module.write_text("changed")
        done = run_action(ACTION, project, verify="true")
        assert done.status == ExitCode.REFUSED
        assert "title=lockstream (1)::" in done.output

    def test_without_the_program_it_says_how_to_get_it(self, project: Path) -> None:
        script = yaml.safe_load(ACTION.read_text())["runs"]["steps"][0]["run"]
        run = run_shell(script, project, {"PATH": "/usr/bin:/bin"})
        assert run.returncode == ExitCode.USAGE
        assert (
            "::error title=lockstream is not installed::run pipx install lockstream" in run.stdout
        )

    def test_the_file_in_the_project_is_used_if_it_has_the_hash(
        self, project: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = project / "lockstream.pyz"
        file.write_text(
            "import sys, subprocess\nprint('from the file')\n"
            f"sys.exit(subprocess.call([{str(BIN / 'lockstream')!r}, *sys.argv[1:]]))\n"
        )
        monkeypatch.setenv("LOCKSTREAM_PYZ_SHA256", sha256(file.read_bytes()).hexdigest())
        done = run_action(ACTION, project)
        assert done.status == 0, done.output
        assert "from the file" in done.summary
        monkeypatch.setenv("LOCKSTREAM_PYZ_SHA256", "0" * 64)
        refused = run_action(ACTION, project)
        assert refused.status == 1
        assert "FAILED" in refused.output
        assert run_gitlab(INSTALL, project, lockstream="").status == 1


class TestGitLab:
    @pytest.mark.parametrize("template", [INSTALL, CHECK], ids=["install", "check"])
    def test_the_component_is_valid(self, template: Path, tmp_path: Path) -> None:
        name, job = gitlab_job(template)
        (tmp_path / "job.yml").write_text(yaml.safe_dump({name: job}))
        head = template.read_text().partition("\n---\n")[0]
        (tmp_path / "head.yml").write_text(head)
        schema = ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
        passes(*schema, tmp_path / "job.yml")
        passes(*schema, tmp_path / "head.yml")

    def test_it_installs_and_verifies(self, project: Path) -> None:
        done = run_gitlab(INSTALL, project, lockstream="", groups="test", verify="true")
        assert done.status == 0, done.output
        assert installed(project) == {"demo", "grouped"}
        assert "2 packages verified, 0 differences" in done.output
        assert (project / "lockstream-report.json").exists()

    def test_the_status_is_that_of_the_execution(self, project: Path) -> None:
        (project / DEMO.filename).unlink()
        done = run_gitlab(INSTALL, project, lockstream="")
        assert done.status not in {0, 1, 2}, done.output

    def test_the_check_fails_if_the_lock_is_stale(self, project: Path) -> None:
        (project / "requirements.in").write_text("demo\n")
        planned = run_shell("lockstream plan -q --no-index -f . -r requirements.in", project, {})
        assert planned.returncode == 0, planned.stdout
        done = run_gitlab(CHECK, project, lockstream="")
        assert done.status == 0, done.output
        assert "KUBERNETES_MEMORY_LIMIT: 64Mi" in done.output
        (project / "requirements.in").write_text("demo\ngrouped\n")
        assert run_gitlab(CHECK, project, lockstream="").status == ExitCode.REFUSED

    def test_only_a_failure_of_the_network_is_retried(self) -> None:
        assert gitlab_job(INSTALL)[1]["retry"]["exit_codes"] == [ExitCode.NETWORK]


class TestKubernetes:
    def test_the_job_is_valid(self) -> None:
        passes("kubernetes-validate", "--strict", JOB)

    def test_each_exit_code_is_tried_again_or_fails_the_job(self) -> None:
        rules = yaml.safe_load(JOB.read_text())["spec"]["podFailurePolicy"]["rules"]
        named: dict[int, str] = {}
        for rule in rules:
            for code in rule.get("onExitCodes", {}).get("values", ()):
                named[code] = rule["action"]
        retried = {code for code, action in named.items() if action == "Count"}
        assert retried == {ExitCode.NETWORK}
        assert set(named) == {*ExitCode, 137} - {ExitCode.DONE}

    def test_its_command_runs_and_takes_no_more_than_its_container_has(self, project: Path) -> None:
        pod = yaml.safe_load(JOB.read_text())["spec"]["template"]["spec"]
        program, _, *arguments = pod["initContainers"][0]["command"]
        assert program == "python3"
        words = " ".join(arguments).replace("/lock/", "").replace("/packages/", "packages/")
        run = run_shell(f"lockstream {words} --memory 64MiB", project, {})
        assert run.returncode == 0, run.stdout
        assert installed(project, "packages/venv") == {"demo"}


class TestTekton:
    def task(self) -> dict[str, Any]:
        task: dict[str, Any] = yaml.safe_load(TASK.read_text())
        return task

    def test_it_is_valid(self) -> None:
        assert faults_of(self.task()) == []

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("tekton.dev/v1", "tekton.dev/v1beta1"),
            ("computeResources:", "resources:"),
            ("script: |", "command: [sh]\n      script: |"),
            ("default: []", "default: none"),
            ("$(params.venv)", "$(params.environment)"),
            ("$(results.key.path)", "$(results.digest.path)"),
            ('"$(params.groups[*])"', '"--groups=$(params.groups[*])"'),
            ("type: array", "type: list"),
            ("- name: execute", "- name: Execute it"),
        ],
    )
    def test_what_tekton_refuses_is_found(self, old: str, new: str) -> None:
        text = TASK.read_text()
        assert old in text
        assert faults_of(yaml.safe_load(text.replace(old, new)))

    def test_its_step_is_a_valid_container(self, tmp_path: Path) -> None:
        (step,) = self.task()["spec"]["steps"]
        step["command"] = ["sh", "-c", step.pop("script")]
        step["resources"] = step.pop("computeResources")
        pod = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
            "spec": {"containers": [step]},
        }  # fmt: skip
        (tmp_path / "pod.yaml").write_text(yaml.safe_dump(pod))
        passes("kubernetes-validate", "--strict", tmp_path / "pod.yaml")

    def test_each_variable_that_it_uses_is_declared(self) -> None:
        spec = self.task()["spec"]
        text = TASK.read_text()
        assert set(re.findall(r"\$\(params\.(\w+)", text)) == {
            one["name"] for one in spec["params"]
        }
        assert set(re.findall(r"\$\(results\.(\w+)", text)) == {
            one["name"] for one in spec["results"]
        }

    def test_its_script_installs_and_writes_the_results(self, project: Path) -> None:
        (step,) = self.task()["spec"]["steps"]
        values = {"LOCK": "pylock.toml", "VENV": ".venv", "MEMORY": "auto",
                  "KEY_FILE": "key", "PEAK_FILE": "peak"}  # fmt: skip
        assert {one["name"] for one in step["env"]} == set(values)
        run = run_shell(step["script"], project, values, "test", shell="sh")
        assert run.returncode == 0, run.stdout
        assert installed(project) == {"demo", "grouped"}
        assert len((project / "key").read_text()) == 65
        assert int((project / "peak").read_text()) > 1 << 20


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")
class TestPreCommit:
    @pytest.fixture(name="repository")
    def _repository(self, project: Path, tmp_path: Path) -> Path:
        (project / "requirements.in").write_text("demo\n")
        hooks = tmp_path / "hooks"
        hooks.mkdir()
        shutil.copy(HOOKS, hooks)
        for folder in (hooks, project):
            git(folder, "init", "-q", "-b", "main")
        git(hooks, "add", "-A")
        git(hooks, "commit", "-qm", "hooks")
        names = [one["id"] for one in yaml.safe_load(HOOKS.read_text())]
        config = {
            "repos": [
                {
                    "repo": str(hooks),
                    "rev": git(hooks, "rev-parse", "HEAD").strip(),
                    "hooks": [{"id": name} for name in names],
                }
            ]
        }
        (project / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
        (project / ".gitignore").write_text(".venv\n")
        planned = run_shell("lockstream plan -q --no-index -f . -r requirements.in", project, {})
        assert planned.returncode == 0, planned.stdout
        git(project, "add", "-A")
        git(project, "commit", "-qm", "first")
        return project

    def test_the_manifest_is_valid(self) -> None:
        passes("pre-commit", "validate-manifest", HOOKS)

    def test_the_hooks_run(self, repository: Path, tmp_path: Path) -> None:
        def hooks(*words: str) -> subprocess.CompletedProcess[str]:
            home = {"PRE_COMMIT_HOME": str(tmp_path / "cache")}
            return run_shell(f"pre-commit run --color never {' '.join(words)}", repository, home)

        current = hooks("--all-files")
        assert current.returncode == 0, current.stdout
        (repository / "requirements.in").write_text("demo\ngrouped\n")
        git(repository, "add", "-A")
        stale = hooks("lockstream-check")
        assert stale.returncode == 1
        assert "grouped" in stale.stdout
        planned = hooks("lockstream-plan")
        assert planned.returncode == 1
        assert "files were modified by this hook" in planned.stdout
        git(repository, "add", "-A")
        assert hooks("lockstream-check").returncode == 0
        assert "+ grouped" in hooks("lockstream-diff").stdout
        after = hooks(
            "lockstream-execute", "--hook-stage", "post-checkout",
            "--from-ref", "HEAD", "--to-ref", "HEAD", "--checkout-type", "1",
        )  # fmt: skip
        assert after.returncode == 0, after.stdout
        assert installed(repository) == {"demo", "grouped"}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.com"]
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
