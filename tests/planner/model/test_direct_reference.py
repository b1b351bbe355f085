"""The address of a source is read into its parts, and written down without credentials."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.model.direct_reference import DirectReference


def test_a_repository_has_a_revision_and_a_subdirectory() -> None:
    reference = DirectReference.parse("git+https://git.example/a/b.git@v1.0#subdirectory=/part/")
    assert reference.kind == "vcs"
    assert reference.address == "https://git.example/a/b.git"
    assert (reference.revision, reference.subdirectory) == ("v1.0", "part")
    assert reference.at("c" * 40).commit == "c" * 40


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("git+ssh://git@git.example/a.git", "git+ssh://git@git.example/a.git"),
        ("git+https://u:s3cret@git.example/a.git", "git+https://git.example/a.git"),
        ("https://u:s3cret@files.example/demo.tar.gz", "https://files.example/demo.tar.gz"),
    ],
)
def test_a_password_is_not_shown_but_the_user_of_ssh_is(url: str, shown: str) -> None:
    assert DirectReference.parse(url).reference == shown
    assert "s3cret" not in repr(DirectReference.parse(url))


def test_an_archive_takes_the_hashes_of_its_fragment() -> None:
    reference = DirectReference.parse(f"https://files.example/demo.tar.gz#sha256={'A' * 64}")
    assert reference.kind == "archive"
    assert reference.hashes == (("sha256", "a" * 64),)


def test_a_source_of_this_machine_is_recorded_by_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "our project"
    folder.mkdir()
    reference = DirectReference.parse(f"{folder.as_uri()}#subdirectory=part")
    assert reference.kind == "directory"
    assert reference.path == str(folder)
    assert reference.relative_to(str(tmp_path)) == "our project#subdirectory=part"


def test_an_address_elsewhere_is_recorded_as_it_is(tmp_path: Path) -> None:
    reference = DirectReference.parse("git+https://git.example/a.git@main")
    assert reference.path is None
    assert reference.relative_to(str(tmp_path)) == "git+https://git.example/a.git@main"
