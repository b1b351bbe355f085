"""A condensed page says what the page says, as far as planning asks."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from planner.condensed import condense, parse_condensed
from planner.pages import ProjectFile, ProjectPage, group_files

NAME = canonicalize_name("demo")
BASE, INDEX = "https://index.example/simple/demo/", "https://index.example/simple"

names = st.one_of(
    st.from_regex(r"demo-[0-9.]{1,5}-py3-none-any\.whl", fullmatch=True),
    st.from_regex(r"demo-[0-9.]{1,5}\.tar\.gz", fullmatch=True),
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


def test_versions_are_read_when_they_are_looked_at() -> None:
    entry = {"filename": "demo-1.0-py3-none-any.whl", "url": "a"}
    page = ProjectPage(NAME, group_files([ProjectFile(entry["filename"], BASE, entry)]))
    damaged = condense(page).replace(b'"url"', b'"ur"x')
    again = parse_condensed(NAME, damaged, index=INDEX)
    assert list(again.files) == ["1.0"]
