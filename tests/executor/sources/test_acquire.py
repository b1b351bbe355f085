"""A wheel comes from the first origin that has it, and is read again if its file was replaced."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from executor.archive.inflate import NotStreamable
from executor.files.held_folder import HeldFolder
from executor.lock.step import Step
from executor.sources.acquire import acquire
from executor.sources.client import HttpClient
from executor.sources.errors import HashMismatch, Replaced, Unreachable
from executor.sources.origins import Origin
from helpers.servers import Answer, Server, chunked, cut, file, unsized
from helpers.surroundings import leave_plain
from helpers.wheels import build_wheel
from schemas.hints import WheelHints
from schemas.zipformat import CentralEntry

WHEEL = build_wheel("demo", "1.0")
Chunks = Callable[[HttpClient], Iterator[bytes]]


def step(*, streamable: bool = True, content: bytes = WHEEL.content) -> Step:
    return Step(
        name="demo", version="1.0", filename=WHEEL.filename, url=None, path=None,
        size=len(content), hashes=(("sha256", hashlib.sha256(content).hexdigest()),),
        hints=WheelHints(unpacked_size=1, files=1, largest_file=1, streamable=streamable),
        is_direct=False,
    )  # fmt: skip


def origin(open_: Chunks, name: str = "an origin") -> Origin:
    return Origin(name, name, open_)


def of_bytes(content: bytes) -> Chunks:
    return lambda _: iter([content[:100], content[100:]])


def failing(error: Exception) -> Chunks:
    def chunks(_: HttpClient) -> Iterator[bytes]:
        yield b"PK"
        raise error

    return chunks


def read(
    folder: HeldFolder, chunks: Iterable[bytes], directory: Iterable[CentralEntry] | None
) -> tuple[bytes, bool]:
    """Unpack into nothing but the bytes, and whether the central directory was known."""
    assert folder.names() in ([], ["wheel"])
    return b"".join(chunks), directory is not None


class Place:
    """A folder that is made anew for each attempt."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> HeldFolder:
        if self.path.exists():
            shutil.rmtree(self.path)
        self.path.mkdir()
        return HeldFolder.at(str(self.path))


@pytest.fixture(name="place")
def _place(tmp_path: Path) -> Place:
    return Place(tmp_path / "staged")


def test_the_first_origin_that_has_it_is_used(place: Place) -> None:
    absent = origin(failing(Unreachable("https://a.example/x", "gone")))
    origins = [absent, origin(of_bytes(b"other" * 9)), origin(of_bytes(WHEEL.content))]
    assert acquire(step(), origins, HttpClient(), place, read) == (WHEEL.content, False)


def test_the_last_origin_tells_why_there_is_no_wheel(place: Place) -> None:
    origins = [
        origin(failing(Unreachable("https://a.example/x", "gone"))),
        origin(of_bytes(bytes(len(WHEEL.content))), "the last"),
    ]
    with pytest.raises(HashMismatch) as caught:
        acquire(step(), origins, HttpClient(), place, read)
    assert caught.value.origin == "the last"


def test_a_wheel_that_cannot_be_streamed_is_stored_first(place: Place) -> None:
    found = acquire(step(streamable=False), [origin(of_bytes(WHEEL.content))], HttpClient(), place,
                    read)  # fmt: skip
    assert found == (WHEEL.content, True)
    assert list(place.path.iterdir()) == []


def test_a_wheel_that_turns_out_not_to_be_streamable_is_read_again(place: Place) -> None:
    def unpack(
        folder: HeldFolder, chunks: Iterable[bytes], directory: Iterable[CentralEntry] | None
    ) -> tuple[bytes, bool]:
        if directory is None:
            folder.create("half").close()
            raise NotStreamable
        assert not folder.exists("half")
        return read(folder, chunks, directory)

    opened: list[int] = []

    def open_(_: HttpClient) -> Iterator[bytes]:
        opened.append(1)
        return iter([WHEEL.content])

    assert acquire(step(), [origin(open_)], HttpClient(), place, unpack) == (WHEEL.content, True)
    assert len(opened) == 2


@pytest.mark.parametrize("comes_once", [True, False])
def test_a_wheel_that_comes_once_is_stored_if_it_is_unknown_whether_it_can_be_streamed(
    place: Place, comes_once: bool
) -> None:
    one = replace(origin(of_bytes(WHEEL.content)), comes_once=comes_once)
    unknown = replace(step(), hints=None)
    is_stored = acquire(unknown, [one], HttpClient(), place, read)[1]
    assert is_stored is comes_once
    assert not acquire(step(), [one], HttpClient(), place, read)[1]


@pytest.mark.parametrize(("times", "is_read"), [(2, True), (3, False)])
def test_a_file_that_is_replaced_is_read_again_twice(
    times: int, is_read: bool, place: Place
) -> None:
    replaced = failing(Replaced("https://a.example/x", "replaced"))
    left = [replaced] * times + [of_bytes(WHEEL.content)]

    def open_(client: HttpClient) -> Iterator[bytes]:
        return left.pop(0)(client)

    changing = origin(open_)
    if is_read:
        assert acquire(step(), [changing], HttpClient(), place, read)[0] == WHEEL.content
    else:
        with pytest.raises(Replaced):
            acquire(step(), [changing], HttpClient(), place, read)


@pytest.mark.parametrize("is_doubtful", [True, False])
def test_wrong_bytes_are_read_again_only_if_they_are_of_several_attempts(
    is_doubtful: bool, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_plain(monkeypatch)
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)
    wrong = bytes(len(WHEEL.content))
    with Server() as server:
        first = cut(wrong, 50) if is_doubtful else file(wrong)
        url = server.script("/demo.whl", first, file(WHEEL.content))
        client = HttpClient()
        served = origin(lambda client: client.fetch(url, len(WHEEL.content)))
        if is_doubtful:
            assert acquire(step(), [served], client, place, read)[0] == WHEEL.content
        else:
            with pytest.raises(HashMismatch):
                acquire(step(), [served], client, place, read)
        client.close()


@pytest.mark.parametrize(("answer", "is_read"), [(unsized, True), (chunked, False)])
def test_a_file_is_read_again_if_nothing_but_the_end_of_the_connection_ended_it(
    answer: Callable[[bytes], Answer], is_read: bool, place: Place
) -> None:
    with Server() as server, closing(HttpClient()) as client:
        url = server.script("/demo.whl", answer(WHEEL.content[:-40]), file(WHEEL.content))
        served = origin(lambda client: client.fetch(url, None))
        wanted = replace(step(), size=None)
        if is_read:
            assert acquire(wanted, [served], client, place, read)[0] == WHEEL.content
        else:
            with pytest.raises(HashMismatch):
                acquire(wanted, [served], client, place, read)
