"""The page of a project comes from its index, with all links; 403 is believed with evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import NormalizedName, canonicalize_name

from helpers.index import Index as Server
from helpers.wheels import build_wheel
from planner.index.cache import Cache
from planner.index.client import IndexClient
from planner.index.errors import IndexDenied
from planner.index.indexes import Index, Indexes, Links, Strategy
from planner.index.pages import ProjectPage
from planner.index.reader import IndexReader

DEMO, OTHER = canonicalize_name("demo"), canonicalize_name("other")


@pytest.fixture(name="second")
def _second() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture(name="client")
def _client(tmp_path: Path) -> Iterator[IndexClient]:
    with IndexClient(cache=Cache(str(tmp_path / "cache")), pause=lambda _: None) as client:
        yield client


def place(server: Server) -> Index:
    return Index(url=server.url.rstrip("/"))


def names(page: ProjectPage) -> list[str]:
    return sorted(file.filename for files in page.files.values() for file in files)


def forbid(server: Server, *projects: str) -> None:
    for project in projects:
        server.answers[f"/simple/{project}/"] = [(403, {}, b"denied")] * 9


class TestRank:
    def test_the_first_index_that_has_a_project_counts_alone(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        index.add(build_wheel("demo", "1.0"))
        second.add(build_wheel("demo", "2.0"), build_wheel("other", "1.0"))
        reader = IndexReader(Indexes(places=(place(index), place(second))), client)
        assert names(reader.page(DEMO)) == ["demo-1.0-py3-none-any.whl"]
        assert names(reader.page(OTHER)) == ["other-1.0-py3-none-any.whl"]
        assert not reader.page(canonicalize_name("none")).exists

    def test_all_indexes_count_if_the_user_says_so(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        index.add(build_wheel("demo", "1.0"))
        second.add(build_wheel("demo", "1.0", build="1"), build_wheel("demo", "1.0"))
        places = (place(index), place(second))
        indexes = Indexes(places=places, strategy=Strategy.UNSAFE_BEST_MATCH)
        page = IndexReader(indexes, client).page(DEMO)
        assert names(page) == ["demo-1.0-1-py3-none-any.whl", "demo-1.0-py3-none-any.whl"]
        (first, _) = page.files["1.0"]
        assert first.index == place(index).url

    def test_links_add_to_the_index_and_win_for_the_same_name(
        self, index: Server, client: IndexClient, tmp_path: Path
    ) -> None:
        index.add(build_wheel("demo", "1.0"), build_wheel("demo", "2.0"))
        index.status["demo"] = {"status": "archived"}
        build_wheel("demo", "1.0").write(tmp_path)
        build_wheel("demo", "0.5").write(tmp_path)
        reader = IndexReader(Indexes(places=(Links(str(tmp_path)), place(index))), client)
        page = reader.page(DEMO)
        assert sorted(page.files) == ["0.5", "1.0", "2.0"]
        assert [file.path is not None for file in page.files["1.0"]] == [True]
        assert page.status == "archived"


class TestForbidden:
    """Some servers answer 403 for a project that they do not have."""

    def test_it_is_missing_if_the_index_has_sent_another_page(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        forbid(index, "demo")
        index.add(build_wheel("other"))
        second.add(build_wheel("demo"))
        reader = IndexReader(Indexes(places=(place(index), place(second))), client)
        assert reader.page(OTHER).exists
        assert names(reader.page(DEMO)) == ["demo-1.0-py3-none-any.whl"]
        assert reader.forbidden == {place(index).url: {DEMO}}

    def test_another_page_that_the_inputs_require_is_fetched_for_that(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        forbid(index, "demo", "third")
        index.add(build_wheel("other"))
        second.add(build_wheel("demo"))
        indexes = Indexes(places=(place(index), place(second)))
        required = [DEMO, canonicalize_name("third"), OTHER]
        reader = IndexReader(indexes, client, required)
        assert reader.page(DEMO).exists
        assert index.paths() == ["/simple/demo/", "/simple/third/", "/simple/other/"]

    @pytest.mark.parametrize("required", [[], [DEMO], [DEMO, OTHER]])
    def test_without_evidence_it_is_an_error_and_the_next_index_is_not_asked(
        self,
        required: list[NormalizedName],
        index: Server,
        second: Server,
        client: IndexClient,
    ) -> None:
        forbid(index, "demo", "other")
        second.add(build_wheel("demo", "99.0"))
        indexes = Indexes(places=(place(index), place(second)))
        with pytest.raises(IndexDenied):
            IndexReader(indexes, client, required).page(DEMO)
        assert second.asked == []

    def test_the_list_of_projects_is_evidence_too(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        forbid(index, "demo")
        index.answers["/simple/"] = [(200, {"Content-Type": "text/html"}, b"<a href='x'>x</a>")]
        second.add(build_wheel("demo"))
        reader = IndexReader(Indexes(places=(place(index), place(second))), client, [DEMO])
        assert reader.page(DEMO).exists

    def test_a_page_of_another_index_is_no_evidence(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        forbid(index, "demo")
        second.add(build_wheel("other"), build_wheel("demo"))
        reader = IndexReader(Indexes(places=(place(index), place(second))), client)
        assert reader.page(OTHER).exists
        with pytest.raises(IndexDenied):
            reader.page(DEMO)

    def test_a_missing_login_is_always_an_error(
        self, index: Server, second: Server, client: IndexClient
    ) -> None:
        index.add(build_wheel("other"))
        index.answers["/simple/demo/"] = [(401, {}, b"")] * 9
        reader = IndexReader(Indexes(places=(place(index), place(second))), client, [OTHER])
        assert reader.page(OTHER).exists
        with pytest.raises(IndexDenied):
            reader.page(DEMO)

    def test_a_known_answer_is_compared_with_a_missing_page(
        self, index: Server, client: IndexClient
    ) -> None:
        forbid(index, "demo")
        reader = IndexReader(Indexes(places=(place(index),)), client)
        assert reader.look(place(index).url, DEMO).digest == ""


def test_broken_links_are_kept_with_their_page(
    index: Server, client: IndexClient, tmp_path: Path
) -> None:
    index.add(build_wheel("demo", "1.0"))
    index.add(build_wheel("demo", "2.0"), url="https://[::1/demo-2.0-py3-none-any.whl")
    for index.form in ("json", "html"):
        with IndexClient(cache=Cache(str(tmp_path / index.form))) as fresh:
            for _ in range(2):
                reader = IndexReader(Indexes(places=(place(index),)), fresh)
                assert names(reader.page(DEMO)) == ["demo-1.0-py3-none-any.whl"]
                assert reader.broken == {f"{index.url}demo/": ("a malformed URL",)}


class TestWhatWasRead:
    def test_pages_that_threads_read_meanwhile_disturb_nobody_who_looks_through_it(
        self, index: Server, client: IndexClient
    ) -> None:
        index.add(build_wheel("demo"), build_wheel("other"))
        forbid(index, "third", "fourth")
        reader = IndexReader(Indexes(places=(place(index),)), client)
        reader.page(DEMO)
        for seen in reader.seen:
            assert seen.project == DEMO
            reader.page(OTHER)
        reader.page(canonicalize_name("third"))
        for forbidden in reader.forbidden.values():
            assert forbidden == {"third"}
            reader.page(canonicalize_name("fourth"))
            assert forbidden == {"third"}
        assert [seen.project for seen in reader.seen] == ["demo", "other", "third", "fourth"]
