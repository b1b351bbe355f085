"""The entry of a source names it so that any installer can build it, and holds no secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.pylock import PackageArchive, PackageDirectory, PackageVcs

from planner.index.pages import ProjectFile
from planner.lock.built import LockedSource
from planner.lock.errors import SecretInURL
from planner.lock.source_entries import list_sdist, list_tree, lockable_url
from planner.model.direct_reference import DirectReference

SHA256 = "a" * 64


def source(url: str, reference: DirectReference | None = None) -> LockedSource:
    file = ProjectFile("demo-1.0.tar.gz", "", {"url": url})
    return LockedSource(file=file, sha256=SHA256, size=7, reference=reference)


def test_a_source_distribution_of_an_index_is_listed_with_its_hash() -> None:
    sdist = list_sdist(source("https://files.example/demo-1.0.tar.gz"), ".")
    assert sdist is not None
    assert sdist.url == "https://files.example/demo-1.0.tar.gz"
    assert (sdist.size, sdist.hashes) == (7, {"sha256": SHA256})
    assert list_tree(source("https://files.example/demo-1.0.tar.gz"), ".") is None


def test_an_archive_whose_address_has_another_name_is_listed_with_its_name() -> None:
    url = "https://files.example/main.tar.gz"
    sdist = list_sdist(source(url, reference=DirectReference.parse(url)), ".")
    assert sdist is not None
    assert sdist.name == "demo-1.0.tar.gz"


@pytest.mark.parametrize(
    "url",
    ["https://files.example/main.zip#subdirectory=part", "git+https://git.example/a.git@main"],
)
def test_a_part_of_an_archive_and_a_repository_are_not_source_distributions(url: str) -> None:
    assert list_sdist(source(url, reference=DirectReference.parse(url)), ".") is None


def test_a_repository_is_listed_at_its_commit() -> None:
    reference = DirectReference.parse("git+https://git.example/a.git@main#subdirectory=part")
    tree = list_tree(source("", reference=reference.at("c" * 40)), ".")
    assert tree == PackageVcs(
        type="git",
        url="https://git.example/a.git",
        requested_revision="main",
        commit_id="c" * 40,
        subdirectory="part",
    )


def test_a_folder_is_listed_by_its_path(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    folder.mkdir()
    reference = DirectReference.parse(folder.as_uri())
    tree = list_tree(source("", reference=reference), str(tmp_path / "locks"))
    assert tree == PackageDirectory(path="../demo")


def test_an_archive_is_listed_with_its_hash() -> None:
    url = "https://files.example/main.zip#subdirectory=part"
    tree = list_tree(source(url, reference=DirectReference.parse(url)), ".")
    assert tree == PackageArchive(
        url="https://files.example/main.zip",
        size=7,
        hashes={"sha256": SHA256},
        subdirectory="part",
    )


@pytest.mark.parametrize("query", ["X-Amz-Signature=s3cret", "sig=s3cret", "Token=s3cret"])
def test_an_address_that_grants_access_is_refused(query: str) -> None:
    with pytest.raises(SecretInURL) as raised:
        lockable_url(f"https://files.example/a.whl?{query}", "a.whl")
    assert "s3cret" not in str(raised.value)


def test_any_other_address_stays_as_it_is() -> None:
    assert lockable_url("https://files.example/a?design=1", "a.whl").endswith("a?design=1")
