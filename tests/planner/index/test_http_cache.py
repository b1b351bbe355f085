"""Responses are used as long as HTTP allows, then validated, and never beyond its limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.index.cache import Cache
from planner.index.http_cache import CachedResponse, HttpCache

URL, ACCEPT = "https://index.example/simple/demo/", "text/html"
ANSWER = CachedResponse(
    url="https://index.example/other/", content_type="text/html", content=b"one\ntwo",
    digest="ab", etag="", last_modified="", fresh_until=0,
)  # fmt: skip


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pages(tmp_path: Path, clock: Clock) -> HttpCache:
    return HttpCache(Cache(str(tmp_path)), now=clock)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"cache-control": "max-age=600, public"}, 600, id="max-age"),
        pytest.param({"cache-control": "public,Max-Age=60", "age": "20"}, 40, id="age"),
        pytest.param({"cache-control": "max-age=60", "age": "90"}, 0, id="old already"),
        pytest.param({"cache-control": "no-cache, max-age=60", "etag": "x"}, 0, id="no-cache"),
        pytest.param({"cache-control": "private"}, 0, id="nothing about time"),
        pytest.param({"etag": '"x"'}, 0, id="an etag only"),
        pytest.param({}, 0, id="nothing at all"),
    ],
)
def test_an_answer_is_fresh_for_as_long_as_its_server_says(
    pages: HttpCache, clock: Clock, headers: dict[str, str], seconds: int
) -> None:
    pages.keep(URL, ACCEPT, ANSWER, headers)
    kept = pages.find(URL, ACCEPT)
    assert kept is not None
    assert (kept.url, kept.content_type, kept.content) == (
        "https://index.example/other/", "text/html", b"one\ntwo",
    )  # fmt: skip
    assert pages.is_fresh(kept) is (seconds > 0)
    clock.now += seconds
    assert not pages.is_fresh(kept)


def test_an_answer_that_may_not_be_kept_is_not(pages: HttpCache) -> None:
    pages.keep(URL, ACCEPT, ANSWER, {"cache-control": "max-age=60, no-store", "etag": "x"})
    assert pages.find(URL, ACCEPT) is None


def test_what_was_asked_for_in_another_form_is_another_answer(pages: HttpCache) -> None:
    pages.keep(URL, ACCEPT, ANSWER, {})
    assert pages.find(URL, "application/json") is None


def test_a_server_can_be_asked_whether_it_changed(pages: HttpCache) -> None:
    pages.keep(URL, ACCEPT, ANSWER, {"etag": '"x"', "last-modified": "yesterday"})
    kept = pages.find(URL, ACCEPT)
    assert kept is not None
    assert kept.conditions == {"If-None-Match": '"x"', "If-Modified-Since": "yesterday"}
    # An answer that says it did not need not repeat them.
    pages.keep(URL, ACCEPT, kept, {"cache-control": "max-age=9"})
    again = pages.find(URL, ACCEPT)
    assert again is not None
    assert again.conditions == kept.conditions
    assert pages.is_fresh(again)


def test_all_can_be_asked_about(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path))
    HttpCache(cache).keep(URL, ACCEPT, ANSWER, {"cache-control": "max-age=60"})
    pages = HttpCache(cache, refresh=True)
    kept = pages.find(URL, ACCEPT)
    assert kept is not None
    assert not pages.is_fresh(kept)


def test_what_is_still_the_same_is_dated_anew(pages: HttpCache, clock: Clock) -> None:
    pages.keep(URL, ACCEPT, ANSWER, {"etag": "x", "cache-control": "max-age=60"})
    kept = pages.find(URL, ACCEPT)
    assert kept is not None
    clock.now += 60
    pages.renew(URL, ACCEPT, kept, {"cache-control": "max-age=60"})
    again = pages.find(URL, ACCEPT)
    assert again is not None
    assert (again.content, again.etag) == (b"one\ntwo", "x")
    assert pages.is_fresh(again)


@pytest.mark.parametrize("data", [b"", b"{}\nx", b"no json\nx", b"[1]\n", b'{"url": 1}\n'])
def test_an_entry_of_another_kind_is_none(tmp_path: Path, data: bytes) -> None:
    cache = Cache(str(tmp_path))
    cache.write("pages", f"{ACCEPT} {URL}", data)
    assert HttpCache(cache).find(URL, ACCEPT) is None


def test_without_a_cache_nothing_is_kept() -> None:
    pages = HttpCache(None)
    pages.keep(URL, ACCEPT, ANSWER, {"cache-control": "max-age=60"})
    assert pages.find(URL, ACCEPT) is None
