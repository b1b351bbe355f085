"""Which links of pages are files, and which are broken."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.index.entries import are_plain, is_plain, is_usable, split_links

BASE = "https://index.example/simple/demo/"
WHEEL = "demo-1.0-py3-none-any.whl"


def broken(*urls: object, base: str = BASE) -> tuple[str, ...]:
    return split_links(({"filename": WHEEL, "url": url} for url in urls), base)[1]


def test_an_entry_without_a_name_gets_that_of_its_url() -> None:
    usable, _ = split_links(
        [{"url": f"../files/{WHEEL}?x=1#y"}, {"filename": None, "url": "a"}], BASE
    )
    assert [entry["filename"] for entry in usable] == [WHEEL, "a"]


@pytest.mark.parametrize("entry", [{}, {"filename": WHEEL}, {"filename": WHEEL, "url": 5},
                                   {"filename": WHEEL, "url": ""}, {"url": "/a/"}])  # fmt: skip
def test_an_entry_without_a_url_or_any_name_is_skipped(entry: dict[str, Any]) -> None:
    assert split_links([entry], BASE) == ([], ())


@pytest.mark.parametrize(
    "url",
    [
        "https://[::1/x.whl", "https://files.example:port/x.whl", "https://files.example:0/x.whl",
        "https:///x.whl", "ftp://files.example/x.whl", "file:///etc/passwd", "javascript:void(0)",
        "https://exam\u2100ple.com/x.whl",
    ],
)  # fmt: skip
def test_a_broken_link_is_told_apart(url: str) -> None:
    assert not is_usable(url, BASE)
    assert len(broken(url, "fine.whl")) == 1


def test_broken_links_are_shown_without_secrets_and_short() -> None:
    assert broken("ftp://user:secret@files.example/x?token=secret") == ("ftp://files.example/x",)
    (shown,) = broken("ftp://files.example/" + "x" * 1000)
    assert len(shown) == 103


@pytest.mark.parametrize(
    "url", ["x.whl", "/x.whl", "https://[::1]:8443/x.whl", "//b.example/x.whl"]
)
def test_other_links_are_usable(url: str) -> None:
    assert is_usable(url, BASE)


def test_files_of_this_machine_are_linked_to_from_this_machine_only() -> None:
    assert is_usable("file:///wheels/x.whl", "file:///wheels/index.html")
    assert not is_usable("file:///wheels/x.whl", BASE)


@pytest.mark.parametrize(
    "url",
    [
        f"https://files.example/a/{WHEEL}", f"http://127.0.0.1:8080/a/{WHEEL}", WHEEL,
        f"/a/{WHEEL}", "https://files.example:59999/x%20y?z=1#sha256=ab", f"../../{WHEEL}",
    ],
)  # fmt: skip
def test_usual_urls_need_no_closer_look(url: str) -> None:
    assert is_plain(url)
    assert is_usable(url, BASE)


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example:0/x.whl", "https://files.example:99999/x.whl", "ftp://files.example/x",
        "https://[::1]/x.whl", "https://files.example:/x.whl", "https://user:word@files.example/x.whl",
        "https://files.example", "https:///x.whl", "a:b", "https://files.example/\u00e4", "a\nb",
    ],
)  # fmt: skip
def test_others_are_looked_at(url: str) -> None:
    assert not is_plain(url)
    assert not are_plain([url])
    assert not are_plain([f"https://files.example/{WHEEL}", url, f"https://files.example/{WHEEL}"])


@pytest.mark.parametrize(
    "start", ["", "/a/", "https://files.example/", "http://127.0.0.1:8080/", "../"]
)
def test_the_usual_urls_of_a_page_need_no_closer_look(start: str) -> None:
    assert are_plain([])
    assert are_plain([f"{start}{number:x}/{WHEEL}" for number in range(300)])


@given(
    st.lists(
        st.lists(
            st.sampled_from(
                ["https://f.example/", "http://f.example:80/", "a", ":", "/", "[", "\u00e4"]
            )
        ).map("".join),
        max_size=4,
    )
)
def test_urls_that_are_plain_together_are_plain_one_by_one(links: list[str]) -> None:
    assert all(map(is_plain, links)) or not are_plain(links)
