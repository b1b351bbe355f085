"""Folders and pages of --find-links: their files, and what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from helpers.index import Index
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from planner.index.client import IndexClient
from planner.index.errors import IndexDenied
from planner.index.indexes import Links
from planner.index.links import LinksMissing, LinksReader
from schemas.errors import ExitCode, UsageError

WHEEL = build_wheel("demo", "1.0")
DEMO = canonicalize_name("demo")


class Reader:
    def __init__(self, client: IndexClient) -> None:
        self.broken: dict[str, tuple[str, ...]] = {}
        self._reader = LinksReader(client, self.broken)

    def files(self, place: str, name: str = "demo") -> list[str]:
        page = self._reader.page(canonicalize_name(name), Links(place))
        assert page.exists is bool(page.files)
        return [file.filename for files in page.files.values() for file in files]


@pytest.fixture(name="reader")
def _reader() -> Iterator[Reader]:
    with IndexClient(pause=lambda _: None) as client:
        yield Reader(client)


def test_a_folder_has_wheels_and_source_distributions(reader: Reader, tmp_path: Path) -> None:
    WHEEL.write(tmp_path)
    sdist = build_sdist("demo", "1.0")
    (tmp_path / sdist.filename).write_bytes(sdist.content)
    (tmp_path / "README").write_text("demo")
    (tmp_path / "demo-2.0-py3-none-any.whl").mkdir()
    assert sorted(reader.files(str(tmp_path))) == sorted([WHEEL.filename, sdist.filename])
    assert reader.files(str(tmp_path), "other") == []
    assert reader.broken == {}


def test_a_link_of_the_file_system_that_leads_nowhere_is_skipped(
    reader: Reader, tmp_path: Path
) -> None:
    WHEEL.write(tmp_path)
    (tmp_path / "demo-2.0-py3-none-any.whl").symlink_to("absent")
    assert reader.files(str(tmp_path)) == [WHEEL.filename]
    assert reader.broken == {str(tmp_path): ("demo-2.0-py3-none-any.whl",)}


def test_a_local_page_links_to_local_and_remote_files(reader: Reader, tmp_path: Path) -> None:
    path = WHEEL.write(tmp_path)
    page = tmp_path / "links.html"
    page.write_text(
        f'<a href="{WHEEL.filename}">x</a> <a href="https://[::1/x.whl">y</a>'
        '<a href="https://files.example/demo-2.0-py3-none-any.whl">z</a>'
    )
    found = reader._reader.page(DEMO, Links(str(page)))
    paths = [file.path for files in found.files.values() for file in files]
    assert paths == [str(path), None]
    assert reader.broken == {page.as_uri(): ("a malformed URL",)}


def test_a_page_of_a_server_is_read_once(reader: Reader, index: Index) -> None:
    index.answers["/page"] = [(200, {}, f'<a href="files/{WHEEL.filename}">x</a>'.encode())]
    assert reader.files(f"{index.origin}/page") == [WHEEL.filename]
    assert reader.files(f"{index.origin}/page") == [WHEEL.filename]
    assert index.paths() == ["/page"]


def test_a_page_that_does_not_exist_is_one_clear_error(reader: Reader, index: Index) -> None:
    with pytest.raises(LinksMissing) as caught:
        reader.files(f"{index.origin}/typo.html?token=secret")
    assert str(caught.value) == (
        f"--find-links {index.origin}/typo.html: the page does not exist (HTTP 404)"
    )
    assert caught.value.exit_code is ExitCode.NETWORK


def test_a_page_that_is_forbidden_is_an_error(reader: Reader, index: Index) -> None:
    index.answers["/page"] = [(403, {}, b"")]
    with pytest.raises(IndexDenied):
        reader.files(f"{index.origin}/page")


def test_a_folder_that_does_not_exist_is_one_clear_error(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        reader.files(str(tmp_path / "absent"))
    assert str(caught.value) == f"--find-links '{tmp_path}/absent': No such file or directory"
    assert caught.value.hint


def test_a_distribution_may_be_named_itself(reader: Reader, tmp_path: Path) -> None:
    path = WHEEL.write(tmp_path)
    assert reader.files(str(path)) == [WHEEL.filename]
    remote = f"https://files.example/{WHEEL.filename}#sha256=ab"
    assert reader.files(remote) == [WHEEL.filename]
