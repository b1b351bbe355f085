"""The variables that GitHub Actions sets, as one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from planner.exports.workflow_run import WorkflowRun
from schemas.errors import UsageError

SHA, HEAD = "a" * 40, "b" * 40
JOB = {
    "GITHUB_SHA": SHA,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "7",
    "GITHUB_WORKFLOW": "CI",
    "GITHUB_JOB": "test",
}


def test_a_run_is_described_by_its_variables() -> None:
    run = WorkflowRun.of(
        {**JOB, "GITHUB_SERVER_URL": "https://forge.example", "GITHUB_REPOSITORY": "a/b"}
    )
    assert (run.sha, run.ref, run.run_id) == (SHA, "refs/heads/main", "7")
    assert run.url == "https://forge.example/a/b/actions/runs/7"
    assert WorkflowRun.of(JOB).url == ""


def test_outside_of_a_job_the_missing_variables_are_named() -> None:
    with pytest.raises(UsageError, match="has no GITHUB_REF, GITHUB_JOB") as caught:
        WorkflowRun.of({**JOB, "GITHUB_REF": "", "GITHUB_JOB": ""})
    assert "GitHub Actions" in caught.value.hint


@pytest.mark.parametrize(
    ("event", "sha"),
    [("push", SHA), ("pull_request", HEAD), ("pull_request_target", SHA)],
)
def test_of_a_pull_request_it_is_the_commit_of_the_branch(
    event: str, sha: str, tmp_path: Path
) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"pull_request": {"head": {"sha": HEAD}}}))
    run = WorkflowRun.of({**JOB, "GITHUB_EVENT_NAME": event, "GITHUB_EVENT_PATH": str(path)})
    assert run.sha == sha


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"pull_request": null}', None])
def test_an_event_that_names_no_commit_is_refused(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UsageError, match="event of this pull request"):
        WorkflowRun.of({**JOB, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(path)})


def test_what_is_not_of_the_form_that_the_forge_takes_is_refused() -> None:
    with pytest.raises(UsageError, match="name of a commit"):
        WorkflowRun.of({**JOB, "GITHUB_SHA": "main"})
    with pytest.raises(UsageError, match="begins with refs/"):
        WorkflowRun.of({**JOB, "GITHUB_REF": "main"})
