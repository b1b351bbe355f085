"""The extract of a page has everything that planning needs of the page."""

from __future__ import annotations

import json
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from planner.index.entries import is_usable
from planner.index.errors import IndexAnswer
from planner.index.page_extract import condense, condense_json, parse_condensed
from planner.index.pages import ProjectFile, ProjectPage, group_files, parse_page

JSON = "application/vnd.pypi.simple.v1+json"
NAME = canonicalize_name("demo")
BASE, INDEX = "https://index.example/simple/demo/", "https://index.example/simple"

names = st.one_of(
    st.from_regex(r"demo-[0-9.]{1,5}-py3-none-any\.whl", fullmatch=True),
    st.from_regex(r"demo-[0-9.]{1,5}\.tar\.gz", fullmatch=True),
    st.from_regex(r"(a|\n|)(-[12]){0,3}(-x)?(\.whl|\.tar\.gz|)", fullmatch=True).filter(bool),
    st.text(min_size=1, max_size=9),
)
entries = st.fixed_dictionaries(
    {"filename": names, "url": st.text(max_size=9)},
    optional={
        "hashes": st.dictionaries(st.sampled_from(["sha256", "md5"]), st.text(max_size=5)),
        "size": st.integers(),
        "upload-time": st.text(max_size=9),
        "requires-python": st.none() | st.text(max_size=9),
        "yanked": st.booleans() | st.text(max_size=9),
        "core-metadata": st.booleans() | st.dictionaries(st.just("sha256"), st.text(max_size=5)),
        "dist-info-metadata": st.booleans(),
        "provenance": st.text(max_size=9),
    },
)


def described(page: ProjectPage) -> dict[str, list[tuple[Any, ...]]]:
    return {
        version: [
            (
                file.filename, file.base, file.index, file.entry["url"], file.hashes, file.size,
                file.upload_time, file.requires_python, file.yanked, file.metadata_hashes,
            )
            for file in files
        ]
        for version, files in page.files.items()
    }  # fmt: skip


@given(st.lists(entries, max_size=8))
def test_no_file_is_lost_or_changed(told: list[dict[str, Any]]) -> None:
    files = (ProjectFile(entry["filename"], BASE, entry, INDEX) for entry in told)
    page = ProjectPage(
        NAME,
        group_files(files),
        api_version="1.4",
        status="archived",
        status_reason="old\nand\ngood",
    )
    again = parse_condensed(NAME, condense(page), index=INDEX)
    assert described(again) == described(page)
    assert (again.api_version, again.status, again.status_reason) == (
        "1.4", "archived", "old\nand\ngood",
    )  # fmt: skip
    assert again.exists


@given(
    st.lists(entries | st.dictionaries(names, names, max_size=2), max_size=8),
    st.sampled_from(["1.0", "1.4", 1.1]),
    st.sampled_from([{}, {"status": "archived"}, {"status": None, "reason": "none"}, "none"]),
)
def test_a_page_in_json_is_cut_up_as_if_it_was_read(
    told: list[dict[str, Any]], api_version: object, status: object
) -> None:
    document = {"meta": {"api-version": api_version}, "files": told, "project-status": status}
    content = json.dumps(document).encode()
    cut = condense_json(content, BASE)
    well_formed = all(
        entry.get("filename") and entry.get("url") and is_usable(entry["url"], BASE)
        for entry in told
    )
    assert (cut is not None) is (
        well_formed and isinstance(api_version, str) and status in ({}, {"status": "archived"})
    )
    if cut is not None:
        read = parse_page(NAME, content, content_type=JSON, url=BASE, index=INDEX)
        again = parse_condensed(NAME, cut, index=INDEX)
        assert described(again) == described(read)
        assert (again.api_version, again.status, again.status_reason) == (
            read.api_version, read.status, read.status_reason,
        )  # fmt: skip


def test_a_page_of_another_api_is_not_read() -> None:
    with pytest.raises(IndexAnswer, match=r"version 2\.0 of the API"):
        condense_json(b'{"meta": {"api-version": "2.0"}, "files": []}', BASE)


def test_versions_are_read_when_they_are_looked_at() -> None:
    entry = {"filename": "demo-1.0-py3-none-any.whl", "url": "a"}
    page = ProjectPage(NAME, group_files([ProjectFile(entry["filename"], BASE, entry)]))
    damaged = condense(page)[:-1]
    again = parse_condensed(NAME, damaged, index=INDEX)
    assert list(again.files) == ["1.0"]
    with pytest.raises(IndexAnswer, match="damaged"):
        list(again.files["1.0"])


HEADER = (
    b'{"base":"","api-version":"1.0","status":"","status-reason":"","blocks":[%d],'
    b'"versions":{"1":[%d,0,%d]}}\n'
)


def extract(piece: bytes, *, number: int = 0, length: int | None = None) -> bytes:
    block = zstandard.ZstdCompressor().compress(piece)
    return HEADER % (len(block), number, len(piece) if length is None else length) + block


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[" * 100_000,
        extract(b"[1]"),
        extract(b"[{}]"),
        extract(b"["),
        extract(b"[]]", length=2)[:-1],
        extract(b"[]", number=1),
        HEADER % (9, 0, 2) + b"not packed",
        HEADER % (-5, 0, 2) + b"[]",
    ],
)
def test_an_extract_that_is_none_is_refused(content: bytes) -> None:
    with pytest.raises(IndexAnswer):
        list(parse_condensed(NAME, content, index="https://x.example").files["1"])


def test_a_large_page_stays_packed_and_each_version_is_found() -> None:
    told = [
        {"filename": f"demo-{number}.0-py3-none-any.whl", "url": f"{number}/" + "x" * 500}
        for number in range(2_000)
    ]
    page = ProjectPage(
        NAME, group_files(ProjectFile(entry["filename"], BASE, entry, INDEX) for entry in told)
    )
    content = condense(page)
    assert len(content) < 200_000
    again = parse_condensed(NAME, content, index=INDEX)
    assert described(again) == described(page)
