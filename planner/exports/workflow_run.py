"""The run of a workflow in GitHub Actions, as its variables describe it.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/variables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress

from executor import read_input
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.text import one_line

__all__ = ["WorkflowRun"]

_NEEDED = ("GITHUB_SHA", "GITHUB_REF", "GITHUB_RUN_ID", "GITHUB_WORKFLOW", "GITHUB_JOB")

_OF_PULL_REQUESTS = frozenset({
    "pull_request", "pull_request_review", "pull_request_review_comment",
})  # fmt: skip
"""Events for which ``GITHUB_SHA`` is a merge of the request that no branch has.
(``pull_request_target`` runs on the base branch, and its commit is right.)
https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows"""

_HINT = (
    "run it in a job of GitHub Actions, which sets these variables; elsewhere, --format cyclonedx "
    "writes a bill of materials"
)


@frozen(kw_only=True)
class WorkflowRun:
    """One job of one run of a workflow."""

    sha: str
    """The commit that is looked at."""
    ref: str
    """The branch, the tag or the request, such as ``refs/heads/main``."""
    run_id: str
    workflow: str
    job: str
    url: str
    """The page of the run; empty if the variables do not say."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> WorkflowRun:
        """Return the run that these variables describe. Raises UsageError if one is missing or is
        not of its form.
        """
        if missing := [name for name in _NEEDED if not environment.get(name)]:
            raise UsageError(
                f"--format github needs the variables of a job, and has no {', '.join(missing)}",
                hint=_HINT,
            )
        sha, ref, run_id, workflow, job = (environment[name] for name in _NEEDED)
        if environment.get("GITHUB_EVENT_NAME") in _OF_PULL_REQUESTS:
            sha = _head_of_request(environment.get("GITHUB_EVENT_PATH", ""))
        if not re.fullmatch(r"[0-9a-f]{40}", sha):
            raise UsageError(f"{one_line(sha, 40)!r} is not the name of a commit", hint=_HINT)
        if not ref.startswith("refs/"):
            raise UsageError(
                f"GITHUB_REF is {one_line(ref, 80)!r}, and a full name begins with refs/",
                hint=_HINT,
            )
        server, repository = (
            environment.get(f"GITHUB_{key}") for key in ("SERVER_URL", "REPOSITORY")
        )
        url = f"{server}/{repository}/actions/runs/{run_id}" if server and repository else ""
        return cls(sha=sha, ref=ref, run_id=run_id, workflow=workflow, job=job, url=url)


def _head_of_request(path: str) -> str:
    """Return the commit of a pull request that the event at ``path`` describes."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        return str(json.loads(read_input(path))["pull_request"]["head"]["sha"])
    raise UsageError(
        f"the event of this pull request, GITHUB_EVENT_PATH={path!r}, does not name its commit",
        hint=_HINT,
    )
