"""The tree of a commit is what its name says, and git does nothing else than fetch it."""

from __future__ import annotations

from pathlib import Path

import pytest

from executor.builds.errors import RepositoryUnusable
from executor.builds.git import check_out
from helpers.repositories import Repository, needs_git

pytestmark = needs_git


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "origin")


@pytest.mark.parametrize("address", ["url", "path"])
def test_a_commit_a_tag_a_branch_or_nothing_lead_to_a_tree(
    repository: Repository, tmp_path: Path, address: str
) -> None:
    first = repository.commit({"file": b"1"}, tag="v1")
    second = repository.commit({"file": b"2"})
    place = repository.url if address == "url" else str(repository.folder)
    for number, (revision, commit, content) in enumerate([
        (first, first, "1"), ("v1", first, "1"), ("main", second, "2"), ("", second, "2"),
    ]):  # fmt: skip
        folder = tmp_path / f"copy-{number}"
        assert check_out("demo", place, revision, str(folder)) == commit
        assert (folder / "file").read_text() == content


def test_a_commit_that_no_branch_leads_to_can_be_had(
    repository: Repository, tmp_path: Path
) -> None:
    lost = repository.commit({"file": b"lost"})
    repository.commit({"file": b"other"})
    repository.git("update-ref", "refs/pull/7/head", lost)
    repository.git("checkout", "--quiet", "--orphan", "fresh")
    repository.commit({"file": b"fresh"})
    repository.git("branch", "--quiet", "-D", "main")
    for revision in (lost, "refs/pull/7/head"):
        folder = tmp_path / f"copy-{len(revision)}"
        assert check_out("demo", repository.url, revision, str(folder)) == lost
        assert (folder / "file").read_text() == "lost"


def test_what_is_not_there_is_told(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"file": b"1"})
    for revision in ("nowhere", "0" * 40, "--upload-pack=touch evil"):
        with pytest.raises(RepositoryUnusable, match="demo: the repository"):
            check_out("demo", repository.url, revision, str(tmp_path / revision[:2]))


@pytest.mark.parametrize("address", ["ext::sh -c 'touch {}'", "--upload-pack=touch {}"])
def test_an_address_runs_nothing(tmp_path: Path, address: str) -> None:
    mark = tmp_path / "mark"
    with pytest.raises(RepositoryUnusable):
        check_out("demo", address.format(mark), "", str(tmp_path / "copy"))
    assert not mark.exists()


@pytest.mark.parametrize(
    ("ssh_prints", "problem"),
    [
        (
            "git@git.example: Permission denied (publickey).",
            "git@git.example: Permission denied (publickey).",
        ),
        ("Warning: x\nHost key verification failed.", "Host key verification failed."),
        ("", "fatal: Could not read from remote repository."),
    ],
)
def test_the_error_of_a_repository_behind_ssh_is_what_ssh_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ssh_prints: str, problem: str
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nprintf '%s' '{ssh_prints}' >&2\nexit 255\n")
    ssh.chmod(0o700)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    with pytest.raises(RepositoryUnusable) as raised:
        check_out("demo", "ssh://git@git.example/demo.git", "main", str(tmp_path / "tree"))
    assert raised.value.problem == problem


def test_secrets_of_an_address_are_not_told(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnusable) as raised:
        check_out("demo", "http://ann:hunter2@127.0.0.1:9/x", "", str(tmp_path / "copy"))
    assert "hunter2" not in str(raised.value)


def test_nothing_of_the_user_runs_at_a_checkout(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({"file": b"1"})
    template = tmp_path / "template"
    hook = template / "hooks" / "post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(template))
    # As in a hook of another repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    check_out("demo", repository.url, "main", str(tmp_path / "copy"))
    assert not (tmp_path / "ran").exists()
