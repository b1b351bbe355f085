"""Small runners of what forges run: the steps of a composite action, and jobs of GitLab."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Outcome", "gitlab_job", "passes", "run_action", "run_gitlab", "run_shell"]

_EXPRESSION = re.compile(r"\$\{\{ *([\w.]+) *\}\}")
_OUTPUT = re.compile(r"^(\w+)(?:<<(\S+)\n((?s:.*?))\n\2$|=(.*)$)", re.MULTILINE)


@dataclass
class Outcome:
    """What a run ended with."""

    status: int
    output: str
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""


def run_shell(
    script: str, folder: Path, variables: Mapping[str, str], *words: str, shell: str = "bash"
) -> subprocess.CompletedProcess[str]:
    """Run ``script`` as a step of a CI job, with lockstream in the PATH."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    options = ["--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else ["-e"]
    return subprocess.run(
        [shell, *options, "-c", script, shell, *words],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )


def run_action(action: Path, folder: Path, **given: str) -> Outcome:
    """Run the steps of the composite action ``action`` in ``folder``, with inputs."""
    document = yaml.safe_load(action.read_text())
    values: dict[str, str] = {"github.action_path": str(action.parent)}
    for name, one in document["inputs"].items():
        values[f"inputs.{name}"] = given.get(name, str(one.get("default", "")))
    outcome = Outcome(0, "")
    for number, step in enumerate(document["runs"]["steps"]):
        if (condition := step.get("if")) and not _holds(condition, values):
            continue
        files = {name: folder.parent / f"{number}-{name}" for name in ("output", "summary")}
        for file in files.values():
            file.write_text("")
        variables = {name: _filled(text, values) for name, text in step["env"].items()}
        variables["GITHUB_OUTPUT"] = str(files["output"])
        variables["GITHUB_STEP_SUMMARY"] = str(files["summary"])
        run = run_shell(step["run"], folder, variables)
        outcome.output += run.stdout
        outcome.summary += files["summary"].read_text()
        for found in _OUTPUT.finditer(files["output"].read_text()):
            value = found[4] if found[2] is None else found[3]
            values[f"steps.{step['id']}.outputs.{found[1]}"] = value
        if run.returncode:
            outcome.status = run.returncode
            break
    for name, one in document["outputs"].items():
        outcome.outputs[name] = _filled(one["value"], values)
    return outcome


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: values.get(found[1], ""), text)


def _holds(condition: str, values: Mapping[str, str]) -> bool:
    name, expected = re.fullmatch(r"([\w.]+) == '(\w*)'", condition).groups()  # type: ignore[union-attr]
    return values[name] == expected


def gitlab_job(template: Path, **given: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the job of a component template, with its inputs filled in."""
    head, body = template.read_text().split("\n---\n")
    inputs = yaml.safe_load(head)["spec"]["inputs"]
    for name, one in inputs.items():
        default = one["default"]
        value = given.get(name, str(default).lower() if isinstance(default, bool) else default)
        body = body.replace(f"$[[ inputs.{name} ]]", value)
    assert "$[[" not in body
    ((name, job),) = yaml.safe_load(body).items()
    return name, job


def run_gitlab(template: Path, folder: Path, **given: str) -> Outcome:
    """Run the script of the job of a component template in ``folder``."""
    _, job = gitlab_job(template, **given)
    run = run_shell("\n".join(job["script"]), folder, job["variables"], shell="sh")
    return Outcome(run.returncode, run.stdout)


def passes(*command: str | Path) -> None:
    """Raise AssertionError if a program that is installed with the tests refuses its input."""
    words = [Path(sys.executable).with_name(str(command[0])), *command[1:]]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
