"""Metadata is read from its own file or from the wheel, and belongs to that wheel."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import planner.metadata.remote_metadata
from helpers.index import Index
from helpers.wheels import Wheel as MadeWheel
from helpers.wheels import build_wheel
from planner.index.cache import Cache
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile, parse_page
from planner.metadata.core_metadata import InvalidMetadata
from planner.metadata.distribution import Distribution
from planner.metadata.errors import UnreadableWheel, WheelDiffers
from planner.metadata.remote_metadata import MetadataSource, _cache_key
from planner.resolver.evaluator import FileEvaluator
from schemas.target import Target
from schemas.zipformat import InvalidZip

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")
EVALUATOR = FileEvaluator(TARGET)


@pytest.fixture
def source() -> Iterator[MetadataSource]:
    with IndexClient(pause=lambda _: None) as client:
        yield MetadataSource(client)


def offered(index: Index, made: MadeWheel) -> Distribution:
    name = canonicalize_name(made.name)
    page = index.page(name)
    assert page is not None
    url = f"{index.url}{name}/"
    ((file,),) = parse_page(name, page[1], content_type=page[0], url=url).files.values()
    wheel = EVALUATOR.evaluate(name, file)
    assert isinstance(wheel, Distribution)
    return wheel


def test_metadata_beside_the_wheel_saves_reading_the_wheel(
    index: Index, source: MetadataSource
) -> None:
    index.metadata = True
    made = build_wheel(requires=["other"])
    index.add(made)
    metadata = source.metadata(offered(index, made))
    assert [str(requirement) for requirement in metadata.requires] == ["other"]
    assert index.paths() == [f"/files/{made.filename}.metadata"]


def test_metadata_beside_the_wheel_is_held_to_its_digest(
    index: Index, source: MetadataSource
) -> None:
    index.metadata = True
    made = build_wheel()
    index.add(made, core_metadata={"sha256": "0" * 64})
    with pytest.raises(WheelDiffers, match=f"{made.filename}.metadata: its sha256 is not"):
        source.metadata(offered(index, made))


def test_metadata_that_was_announced_and_is_not_there_is_read_inside(
    index: Index, source: MetadataSource
) -> None:
    made = build_wheel(requires=["other"])
    index.add(made, core_metadata=True)
    metadata = source.metadata(offered(index, made))
    assert [str(requirement) for requirement in metadata.requires] == ["other"]


def test_reading_inside_tells_the_size_too(index: Index, source: MetadataSource) -> None:
    made = build_wheel(files={"demo/data.txt": "x" * 999})
    index.add(made)
    wheel = offered(index, made)
    source.metadata(wheel)
    requests = len(index.asked)
    sized = source.size(wheel.file)
    assert (sized.size, sized.digests, sized.hints) == (
        made.size,
        {"sha256": made.sha256},
        made.hints,
    )
    assert len(index.asked) == requests


def test_of_a_wheel_with_many_members_only_the_end_is_read(
    index: Index, source: MetadataSource
) -> None:
    files = {f"demo/data/{number:04}-{'long' * 20}.txt": "x" for number in range(2000)}
    made = build_wheel(files=files, requires=["other"])
    index.add(made)
    wheel = offered(index, made)
    metadata = source.metadata(wheel)
    assert [str(requirement) for requirement in metadata.requires] == ["other"]
    # The end, and the member itself: not what is between them.
    assert len(index.asked) == 2
    assert source.size(wheel.file).hints.files == len(files) + 3
    # The rest of the directory: the end is not read again.
    assert len(index.asked) == 3


def test_metadata_that_is_not_at_the_end_of_many_members_is_found(
    index: Index, source: MetadataSource
) -> None:
    first = build_wheel(files={}, requires=["other"])
    with zipfile.ZipFile(io.BytesIO(first.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for number in range(2000):
            archive.writestr(f"demo/data/{number:04}-{'long' * 20}.txt", "x")
        archive.writestr("demo/other.dist-info/METADATA", "Name: another")
    index.add_file(first.filename, body.getvalue())
    metadata = source.metadata(offered(index, first))
    assert [str(requirement) for requirement in metadata.requires] == ["other"]


def test_what_is_foreseen_is_not_asked_for_again(index: Index, source: MetadataSource) -> None:
    made = build_wheel(files={f"data/{number:04}-{'long' * 20}.txt": "x" for number in range(2000)})
    index.add(made)
    wheel = offered(index, made)
    source.metadata(wheel)
    assert source.can_foresee(wheel.file)
    source.foresee(wheel.file)
    assert not source.can_foresee(wheel.file)
    requests = len(index.asked)
    assert source.size(wheel.file).hints == made.hints
    assert len(index.asked) == requests


def test_a_wheel_whose_metadata_is_a_file_of_its_own_is_foreseen(
    index: Index, source: MetadataSource
) -> None:
    made = build_wheel()
    index.add(made)
    wheel = offered(index, made)
    source.foresee(wheel.file)
    requests = len(index.asked)
    assert source.size(wheel.file).hints == made.hints
    assert (len(index.asked), source.can_foresee(wheel.file)) == (requests, False)


def test_nothing_is_downloaded_only_because_it_is_foreseen(
    index: Index, source: MetadataSource
) -> None:
    index.ranges = "none"
    made = build_wheel()
    index.add(made)
    wheel = offered(index, made)
    assert source.can_foresee(wheel.file)
    source.foresee(wheel.file)
    assert not source.can_foresee(wheel.file)
    requests = len(index.asked)
    assert source.size(wheel.file).hints == made.hints
    assert len(index.asked) > requests


def test_a_wheel_that_must_be_downloaded_is_downloaded_once(
    index: Index, source: MetadataSource
) -> None:
    index.ranges = "none"
    made = build_wheel(files={f"data/{number:04}-{'long' * 20}.txt": "x" for number in range(2000)})
    index.add(made)
    wheel = offered(index, made)
    source.metadata(wheel)
    assert source.size(wheel.file).hints == made.hints
    whole = [one for one in index.asked if "Range" not in one.headers]
    assert len(whole) == 1


def test_few_wheels_are_kept_open(
    index: Index, source: MetadataSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of those that the resolver passes over nobody asks for the size."""
    monkeypatch.setattr(planner.metadata.remote_metadata, "MAX_OPENED", 2)
    files = {f"data/{number:04}-{'long' * 20}.txt": "x" for number in range(2000)}
    wheels = []
    for name in ("first", "second", "third"):
        made = build_wheel(name, files=files)
        index.add(made)
        wheels.append(offered(index, made))
        source.metadata(wheels[-1])
    assert [*source._opened] == [one.file.url for one in wheels[1:]]


def test_a_size_can_be_asked_for_alone(index: Index, source: MetadataSource) -> None:
    made = build_wheel()
    index.add(made)
    assert source.size(offered(index, made).file).hints == made.hints


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("Name: other\nVersion: 1.0\n",
                     "its metadata is that of other 1.0, not of its file name", id="name"),
        pytest.param("Name: demo\nVersion: 1.1\n",
                     "its metadata is that of demo 1.1, not of its file name", id="version"),
        pytest.param(None, "it has no METADATA in a .dist-info folder of its own name", id="none"),
    ],
)  # fmt: skip
def test_a_wheel_that_is_another_is_refused(
    index: Index, source: MetadataSource, content: str | None, problem: str
) -> None:
    made = build_wheel()
    bad = build_wheel(dist_info={"METADATA": content})
    index.add_file(made.filename, bad.content)
    with pytest.raises(InvalidMetadata) as raised:
        source.metadata(offered(index, made))
    assert str(raised.value) == problem


def test_a_file_that_is_no_archive_is_refused(index: Index, source: MetadataSource) -> None:
    made = build_wheel()
    index.add_file(made.filename, b"<html>not found</html>")
    wheel = offered(index, made)
    with pytest.raises(InvalidZip):
        source.metadata(wheel)
    with pytest.raises(UnreadableWheel) as raised:
        source.size(wheel.file)
    assert str(raised.value) == f"{made.filename}: it does not end as a zip archive does"


def test_what_one_address_claims_of_a_hash_says_nothing_of_another() -> None:
    hashes = {"sha256": "0" * 64}
    one, other = (
        ProjectFile("demo-1.0-py3-none-any.whl", "", {"url": url, "hashes": hashes})
        for url in ("https://one.example/demo.whl", "https://other.example/demo.whl")
    )
    assert _cache_key(one) == _cache_key(one) != _cache_key(other)


def test_a_signature_in_an_address_does_not_part_the_cache() -> None:
    hashes = {"sha256": "0" * 64}
    plain, signed = (
        ProjectFile("demo-1.0-py3-none-any.whl", "", {"url": url, "hashes": hashes})
        for url in ("https://a.example/d.whl", "https://a.example/d.whl?X-Amz-Signature=1")
    )
    assert _cache_key(plain) == _cache_key(signed)


@pytest.mark.parametrize("damage", [None, b"{}", b"{}\nx"], ids=["whole", "cut", "other"])
def test_the_cache_has_the_sizes_and_the_files_of_a_wheel(
    index: Index, tmp_path: Path, damage: bytes | None
) -> None:
    made = build_wheel(files={"demo/a.py": "x"})
    index.add(made)
    file = offered(index, made).file
    found = []
    for _ in range(2):
        cache = Cache(str(tmp_path / "cache"))
        with IndexClient(cache=cache, pause=lambda _: None) as client:
            source = MetadataSource(client)
            found.append((source.size(file), list(source.listing(file).files())))
        if damage is not None and len(found) == 1:
            key = _cache_key(file)
            assert key is not None
            cache.write("sizes", key, damage)
    assert found[0] == found[1]
    assert len(index.paths()) == (1 if damage is None else 2)
