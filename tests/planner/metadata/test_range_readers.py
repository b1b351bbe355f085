"""The bytes of a wheel are those that its index or its requirement promises."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from helpers.index import Index, served
from helpers.wheels import build_wheel
from planner.index.client import IndexClient
from planner.index.errors import IndexAnswer
from planner.metadata.errors import RequiredDiffers, UnreadableWheel, WheelDiffers
from planner.metadata.range_readers import open_wheel, read_digests
from planner.metadata.remote_zip import read_directory


def test_without_a_digest_the_file_is_downloaded_and_digested(
    index: Index, client: IndexClient
) -> None:
    wheel = build_wheel()
    index.add(wheel, hashes={"md5": hashlib.md5(wheel.content).hexdigest()})
    with open_wheel(client, served(index, wheel)) as reader:
        assert reader.digests == {"sha256": wheel.sha256}
        assert reader.size == wheel.size


def test_a_download_is_held_to_the_digest_of_the_index(index: Index, client: IndexClient) -> None:
    wheel = build_wheel()
    index.ranges = "none"
    index.add(wheel, hashes={"sha256": "0" * 64})
    with pytest.raises(WheelDiffers) as raised, open_wheel(client, served(index, wheel)):
        pass
    assert str(raised.value) == (
        f"{wheel.filename}: its sha256 is not the one that the index states\n"
        f"  expected {'0' * 64}\n"
        f"  found    {wheel.sha256}"
    )


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224"])
def test_a_weak_digest_tells_a_file_that_is_damaged(
    algorithm: str, index: Index, client: IndexClient
) -> None:
    wheel = build_wheel()
    index.add(wheel, hashes={algorithm: hashlib.new(algorithm, b"").hexdigest()})
    file = served(index, wheel)
    with pytest.raises(WheelDiffers, match=f"its {algorithm} is not the one that the index states"):
        read_digests(client, file, ["sha256"])
    with (
        pytest.raises(RequiredDiffers, match="is not the one that the requirement states"),
        open_wheel(client, replace(file, is_direct=True)),
    ):
        pass


def test_a_wheel_that_one_range_holds_is_held_to_the_digest_at_once(
    index: Index, client: IndexClient
) -> None:
    wheel = build_wheel()
    index.add(wheel, hashes={"sha256": "0" * 64})
    with pytest.raises(WheelDiffers), open_wheel(client, served(index, wheel)):
        pass


def test_the_digests_of_a_file_are_computed_after_its_own_are_checked(
    index: Index, client: IndexClient
) -> None:
    wheel = build_wheel()
    index.add(wheel)
    file = served(index, wheel)
    sha512 = hashlib.sha512(wheel.content).hexdigest()
    assert read_digests(client, file, ["sha512"]) == {"sha512": sha512}
    changed = replace(file, entry={**file.entry, "hashes": {"sha256": "0" * 64}})
    with pytest.raises(WheelDiffers):
        read_digests(client, changed, ["sha512"])


@pytest.mark.parametrize("ranges", ["all", "none"])
@pytest.mark.parametrize("difference", [-1, 1])
def test_a_size_that_the_index_announced_wrongly_is_refused(
    index: Index, client: IndexClient, ranges: str, difference: int
) -> None:
    wheel = build_wheel()
    index.ranges = ranges  # type: ignore[assignment]
    index.add(wheel, size=wheel.size + difference)
    with (
        pytest.raises((WheelDiffers, IndexAnswer)),
        open_wheel(client, served(index, wheel)),
    ):
        pass


def test_a_file_that_changes_between_two_reads_is_refused(
    index: Index, client: IndexClient
) -> None:
    wheel = build_wheel(files={f"demo/{n}.py": "" for n in range(2000)})
    index.add(wheel)
    with open_wheel(client, served(index, wheel)) as reader:
        index.add_file(wheel.filename, wheel.content + b"\0")
        with pytest.raises(IndexAnswer):
            read_directory(reader)


def test_a_wheel_of_a_folder_that_is_no_file_is_named_with_its_folder(
    tmp_path: Path, index: Index, client: IndexClient
) -> None:
    wheel = build_wheel()
    index.add(wheel)
    path = tmp_path / wheel.filename
    os.mkfifo(path)
    local = replace(served(index, wheel), path=str(path))
    with pytest.raises(UnreadableWheel) as raised, open_wheel(client, local):
        pass
    assert str(raised.value) == f"{path}: cannot be read: not a regular file"
