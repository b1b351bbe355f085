"""A document, a part, a size and a file are what was asked for, or an error."""

from __future__ import annotations

import pytest

from helpers.index import Index
from helpers.servers import Server, without_ranges
from planner.index.client import IndexClient, Part
from planner.index.errors import FileMissing, IndexAnswer, IndexUnreachable

CONTENT = bytes(range(256)) * 16
PATH = "/files/demo.bin"


@pytest.fixture(autouse=True)
def _served(index: Index) -> None:
    index.add_file("demo.bin", CONTENT)


def get(client: IndexClient, url: str, limit: int = 1 << 20) -> bytes | None:
    answer = client.get(url, accept="*/*", limit=limit)
    return answer.content if answer else None


def test_a_document_is_got_whole(index: Index, client: IndexClient) -> None:
    assert get(client, index.url_of("demo.bin")) == CONTENT


def test_what_does_not_exist_is_no_error(index: Index, client: IndexClient) -> None:
    assert get(client, index.url_of("other.bin")) is None


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        pytest.param(0, 10, Part(0, CONTENT[:10], len(CONTENT)), id="the beginning"),
        pytest.param(100, 50, Part(100, CONTENT[100:150], len(CONTENT)), id="the middle"),
        pytest.param(4090, 50, Part(4090, CONTENT[4090:], len(CONTENT)), id="beyond the end"),
        pytest.param(None, 10, Part(4086, CONTENT[-10:], len(CONTENT)), id="the end"),
        pytest.param(None, 9999, Part(0, CONTENT, len(CONTENT)), id="all of it, as a suffix"),
    ],
)
def test_a_part_is_the_part_that_was_asked_for(
    index: Index, client: IndexClient, offset: int | None, length: int, expected: Part
) -> None:
    assert client.get_part(index.url_of("demo.bin"), offset=offset, length=length) == expected


def test_a_server_that_breaks_on_a_suffix_is_asked_for_a_part_by_its_position(
    index: Index, client: IndexClient, pauses: list[float]
) -> None:
    url = index.url_of("demo.bin")
    index.answers[PATH] = [(500, {}, b""), (500, {}, b"")]
    assert client.get_part(url, offset=None, length=9999) is None
    assert not pauses
    assert client.get_part(url, offset=0, length=9) == Part(0, CONTENT[:9], len(CONTENT))
    assert len(pauses) == 1, "elsewhere 500 may be of the moment"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        pytest.param(200, {}, CONTENT, id="the whole file"),
        pytest.param(416, {}, b"", id="not satisfiable"),
        pytest.param(501, {}, b"", id="not implemented"),
        pytest.param(206, {}, b"ab", id="without Content-Range"),
        pytest.param(206, {"Content-Range": "bytes 5-14/4096"}, b"0123456789", id="another part"),
        pytest.param(206, {"Content-Range": "bytes 0-9/*"}, b"0123456789", id="of unknown size"),
        pytest.param(206, {"Content-Range": "bytes 0-9/4096", "Content-Encoding": "identity"},
                     b"0123456789", id="encoded"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_part_is_none(
    index: Index, client: IndexClient, status: int, headers: dict[str, str], body: bytes
) -> None:
    index.answers[PATH] = [(status, headers, body)]
    assert client.get_part(index.url_of("demo.bin"), offset=0, length=10) is None


def test_a_size_is_asked_for_without_the_file(index: Index, client: IndexClient) -> None:
    assert client.get_size(index.url_of("demo.bin")) == len(CONTENT)
    assert index.paths("GET") == []


def test_a_file_is_downloaded_to_disk(index: Index, client: IndexClient) -> None:
    with client.download(index.url_of("demo.bin"), limit=len(CONTENT)) as file:
        file.seek(0)
        assert file.read() == CONTENT


def test_more_than_was_announced_is_not_taken(index: Index, client: IndexClient) -> None:
    with pytest.raises(IndexAnswer, match="the response has more than 4095 bytes"):
        client.download(index.url_of("demo.bin"), limit=len(CONTENT) - 1)
    with pytest.raises(IndexAnswer, match="the response has more than 10 bytes"):
        get(client, index.url_of("demo.bin"), limit=10)


def test_a_part_is_not_taken_for_a_page_or_a_file(index: Index, client: IndexClient) -> None:
    part = (206, {"Content-Range": f"bytes 0-9/{len(CONTENT)}"}, CONTENT[:10])
    index.answers[PATH] = [part]
    with pytest.raises(IndexAnswer, match="a part that was not requested"):
        get(client, index.url_of("demo.bin"))
    index.answers[PATH] = [part]
    with pytest.raises(IndexAnswer, match="a part that was not requested"):
        client.download(index.url_of("demo.bin"), limit=len(CONTENT))


def test_the_certificate_of_a_trusted_host_is_not_verified(pauses: list[float]) -> None:
    with Server(tls=True) as server:
        url = server.script("/demo.bin", without_ranges(CONTENT))
        with (
            IndexClient(pause=pauses.append) as client,
            pytest.raises(IndexUnreachable, match="not trusted: self-signed certificate"),
        ):
            get(client, url)
        host = f"127.0.0.1:{server.port}"
        with IndexClient(pause=pauses.append, trusted_hosts=[host]) as client:
            assert get(client, url) == CONTENT


@pytest.mark.parametrize("status", [400, 403, 405, 406, 501])
def test_head_and_ranges_may_be_refused(index: Index, client: IndexClient, status: int) -> None:
    index.answers[PATH] = [(status, {}, b""), (status, {}, b"")]
    assert client.get_size(index.url_of("demo.bin")) is None
    assert client.get_part(index.url_of("demo.bin"), offset=0, length=10) is None


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_missing(index: Index, client: IndexClient, status: int) -> None:
    url = index.url_of("demo.bin")
    index.answers[PATH] = [(status, {}, b"")] * 3
    for read in (
        lambda: client.get_size(url),
        lambda: client.get_part(url, offset=0, length=10),
        lambda: client.download(url, limit=10),
    ):
        with pytest.raises(FileMissing, match=f"the server answers {status}"):
            read()
