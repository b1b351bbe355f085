"""A source distribution is what its index says it is, and its static metadata needs no build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from executor import digest_file
from helpers.index import Index
from helpers.sdists import build_sdist
from planner.builds.sdist import archive_suffix, fetch_source, static_metadata
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile
from planner.metadata.errors import UnreadableWheel, WheelDiffers

SDIST = build_sdist()


def fetch(index: Index, folder: Path, **entry: Any) -> tuple[str, str]:
    index.add_file(SDIST.filename, SDIST.content)
    file = ProjectFile(SDIST.filename, "", {"url": index.url_of(SDIST.filename), **entry})
    with IndexClient() as client:
        return fetch_source(client, file, str(folder))


def test_it_is_fetched_into_the_folder(index: Index, tmp_path: Path) -> None:
    entry = {"size": len(SDIST.content), "hashes": {"sha256": SDIST.sha256}}
    path, sha256 = fetch(index, tmp_path, **entry)
    assert path == str(tmp_path / SDIST.filename)
    assert sha256 == SDIST.sha256 == digest_file(path).hex()


@pytest.mark.parametrize(
    "entry",
    [
        {"size": 1},
        {"hashes": {"sha256": "0" * 64}},
        {"hashes": {"sha256": SDIST.sha256, "sha512": "0" * 128}},
        {"hashes": {"md5": "0" * 32}},
    ],
)
def test_a_size_or_a_hash_that_differs_is_refused(
    index: Index, tmp_path: Path, entry: dict[str, Any]
) -> None:
    with pytest.raises(WheelDiffers):
        fetch(index, tmp_path, **entry)


def test_one_of_this_machine_is_copied(tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    file = ProjectFile(SDIST.filename, "", {"url": ""}, path=str(SDIST.write(tmp_path)))
    with IndexClient() as client:
        path, _ = fetch_source(client, file, str(tmp_path / "to"))
        assert Path(path).read_bytes() == SDIST.content
        gone = ProjectFile(SDIST.filename, "", {"url": ""}, path=str(tmp_path / "gone.tar.gz"))
        with pytest.raises(UnreadableWheel, match="cannot be read"):
            fetch_source(client, gone, str(tmp_path / "to"))


@pytest.mark.parametrize(
    ("text", "is_static"),
    [
        ("Metadata-Version: 2.2\nName: demo\nVersion: 1.0\n", True),
        ("Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n", False),
        ("Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nDynamic: Requires-Dist\n", False),
        ("Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nDynamic: Description\n", True),
        ("Metadata-Version: two\nName: demo\n", False),
        ("", False),
    ],
)
def test_metadata_is_static_from_version_2_2_on_unless_it_is_dynamic(
    tmp_path: Path, text: str, is_static: bool
) -> None:
    (tmp_path / "PKG-INFO").write_text(text)
    assert (static_metadata(str(tmp_path)) is not None) is is_static


def test_a_tree_without_metadata_has_none(tmp_path: Path) -> None:
    assert static_metadata(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(b"PK\3\4rest", ".zip"), (b"\x1f\x8brest", ".tar.gz"), (b"BZh9", ""), (b"", "")],
)
def test_the_suffix_is_that_of_the_content(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / "archive"
    path.write_bytes(content)
    assert archive_suffix(str(path)) == suffix
    assert archive_suffix(str(tmp_path)) == ""
