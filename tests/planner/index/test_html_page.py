"""Links of pages in HTML as private indexes write them."""

from __future__ import annotations

from typing import Any

import pytest

from planner.index.entries import split_links
from planner.index.errors import IndexAnswer
from planner.index.html_page import anchor_to, read_anchors

BASE = "https://index.example/simple/demo/"
WHEEL = "demo-1.0-py3-none-any.whl"


def entries(html: str, base: str = BASE) -> list[dict[str, Any]]:
    page = read_anchors(html.encode(), base)
    return split_links(page.entries(), page.base)[0]


@pytest.mark.parametrize(
    ("fragment", "hashes"),
    [
        ("sha256=AB", {"sha256": "ab"}),
        ("sha256=ab&amp;egg=demo", {"sha256": "ab"}),
        ("egg=demo&amp;sha256=ab", {"sha256": "ab"}),
        ("sha512=cd&amp;md5=ef&amp;sha256=ab", {"sha512": "cd", "md5": "ef", "sha256": "ab"}),
        ("sha256=ab&amp;sha256=cd", {"sha256": "ab"}),
        ("egg=demo&amp;subdirectory=x", {}),
        ("sha256=", {}),
        ("crc=ab", {}),
        ("", {}),
    ],
)
def test_every_part_of_a_fragment_may_be_a_digest(fragment: str, hashes: dict[str, str]) -> None:
    (entry,) = entries(f'<a href="{WHEEL}#{fragment}">{WHEEL}</a>')
    assert entry["hashes"] == hashes
    assert entry["url"] == WHEEL


@pytest.mark.parametrize(
    "anchor",
    [
        f'<a href="/download/1234">{WHEEL}</a>',
        f'<a href="/download?id=1234#sha256=ab">\n  {WHEEL}\n</a>',
        '<a href="/download/1234/"><b>demo-1.0</b>-py3-none-any.whl</a>',
        f'<a href="x">files/{WHEEL}</a>',
        f'<a href="{WHEEL}">any text</a>',
        '<a href="a%2Fb/demo-1.0-py3-none-any%2Ewhl">x</a>',
        f'<A HREF=" {WHEEL} ">x</A>',
    ],
)
def test_a_file_is_named_by_its_url_or_by_the_text_of_its_link(anchor: str) -> None:
    (entry,) = entries(anchor)
    assert entry["filename"] == WHEEL


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_page_that_is_not_in_utf_8_is_not_one_without_links(encoding: str) -> None:
    content = '<!doctype html><a href="demo-1.0.tar.gz">demo</a>'.encode(encoding)
    with pytest.raises(IndexAnswer) as raised:
        read_anchors(content, "https://index.example/simple/demo/?token=secret")
    assert str(raised.value).endswith(": its page is not in UTF-8, as those of an index are")
    assert "secret" not in str(raised.value)


def test_the_first_base_counts() -> None:
    page = '<base href="data:x"><base href="/a/"><a href="x">x</a><base href="/b/">'
    assert read_anchors(page.encode(), BASE).base == "https://index.example/a/"


@pytest.mark.parametrize("base", ["https://[::1/", "htps://f.example/", "file:///srv/", "data:x"])
def test_a_base_from_which_nothing_can_be_requested_is_ignored(base: str) -> None:
    page = read_anchors(f'<base href="{base}"><a href="{WHEEL}">x</a>'.encode(), BASE)
    assert page.base == BASE


def test_an_anchor_leads_to_its_address() -> None:
    url = f'https://files.example/"a"/{WHEEL}?x=1&y=2'
    (entry,) = entries(anchor_to(url).decode())
    assert (entry["url"], entry["filename"]) == (url, WHEEL)
