"""A store has a build as a whole or not at all, whoever writes to it at the same time."""

from __future__ import annotations

import os
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from helpers.build_records import build_record
from helpers.build_units import build_unit
from helpers.wheels import build_wheel
from planner.builds import wheel_store
from planner.builds.fragment import Fragment, FragmentUnusable
from planner.builds.wheel_store import (
    StoreFolder,
    find_all,
    find_relative,
    open_store,
    opened_store,
)
from planner.index.access import Access
from planner.index.client import IndexClient
from schemas.errors import NotEnough, NotPermitted, UsageError

WHEEL = build_wheel("demo", "1.0")
UNIT = build_unit()


@pytest.fixture(name="wheel")
def _wheel(tmp_path: Path) -> str:
    folder = tmp_path / "build"
    folder.mkdir()
    return str(WHEEL.write(folder))


def fragment_of(wheel: str, key: str = UNIT.key) -> Fragment:
    content = Path(wheel).read_bytes()
    return Fragment(
        key=key,
        name=UNIT.name,
        target="cp312-manylinux_2_28_x86_64",
        sha256=sha256(content).hexdigest(),
        size=len(content),
        record=build_record(wheel=os.path.basename(wheel)),
        build_lock=None,
    )


def test_what_was_published_is_found_and_fetched(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    assert store.find(UNIT) is None
    assert store.publish(fragment_of(wheel), wheel)
    found = store.find(UNIT)
    assert found == fragment_of(wheel)
    store.fetch(found, str(tmp_path / "copy.whl"))
    assert (tmp_path / "copy.whl").read_bytes() == Path(wheel).read_bytes()


def test_the_first_of_two_that_publish_one_build_counts(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    assert store.publish(fragment_of(wheel), wheel)
    first = Path(wheel).read_bytes()
    Path(wheel).write_bytes(first + b"\0")
    assert not store.publish(fragment_of(wheel), wheel)
    assert [one.name for one in (tmp_path / "built").iterdir()] == [UNIT.key]
    assert (tmp_path / "built" / UNIT.key / WHEEL.filename).read_bytes() == first


def test_a_writer_that_fails_leaves_nothing(
    tmp_path: Path, wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    store = StoreFolder(str(tmp_path / "built"))
    monkeypatch.setattr(wheel_store, "_flush", fail)
    with pytest.raises(NotEnough, match=r"none-any\.whl has no space in"):
        store.publish(fragment_of(wheel), wheel)
    assert list((tmp_path / "built").iterdir()) == []


def test_what_a_killed_writer_left_is_removed_later(tmp_path: Path, wheel: str) -> None:
    built = tmp_path / "built"
    for name, age in (("old", 7200), ("new", 0)):
        left = built / f".unfinished-{name}"
        left.mkdir(parents=True)
        time = left.stat().st_mtime - age
        os.utime(left, (time, time))
    StoreFolder(str(built)).publish(fragment_of(wheel), wheel)
    assert sorted(one.name for one in built.iterdir()) == [".unfinished-new", UNIT.key]


def test_a_wheel_that_changed_since_is_refused(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    store.publish(fragment_of(wheel), wheel)
    (tmp_path / "built" / UNIT.key / WHEEL.filename).write_bytes(b"other")
    with pytest.raises(FragmentUnusable, match="is not the wheel that was built"):
        store.find(UNIT)


def test_a_fragment_with_another_size_than_its_wheel_is_refused(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    store.publish(replace(fragment_of(wheel), size=7), wheel)
    with pytest.raises(FragmentUnusable, match=", 7 bytes"):
        store.find(UNIT)


def test_what_is_to_be_removed_is_the_folder_of_the_build(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    store.publish(fragment_of(wheel), wheel)
    place = tmp_path / "built" / UNIT.key
    (place / WHEEL.filename).unlink()
    with pytest.raises(FragmentUnusable) as caught:
        store.find(UNIT)
    assert caught.value.place == str(place)


def test_the_rest_of_a_build_makes_way(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    rest = tmp_path / "built" / UNIT.key
    rest.mkdir(parents=True)
    (rest / WHEEL.filename).write_bytes(b"half of it")
    assert store.find(UNIT) is None
    assert store.publish(fragment_of(wheel), wheel)
    assert store.find(UNIT) == fragment_of(wheel)
    assert [one.name for one in (tmp_path / "built").iterdir()] == [UNIT.key]


def test_a_store_that_is_a_file_is_no_build_to_be_removed(tmp_path: Path) -> None:
    (tmp_path / "built").write_text("")
    with pytest.raises(NotPermitted, match="is not a folder"):
        StoreFolder(str(tmp_path / "built")).find(UNIT)


def test_a_build_that_may_not_be_read_is_an_error_with_status_9(
    tmp_path: Path, wheel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(path: str, _: object = None) -> bytes:
        raise PermissionError(13, "Permission denied", path)

    store = StoreFolder(str(tmp_path / "built"))
    store.publish(fragment_of(wheel), wheel)
    monkeypatch.setattr(wheel_store, "digest_file", deny)
    with pytest.raises(NotPermitted, match=r"none-any\.whl cannot be read: Perm"):
        store.find(UNIT)
    monkeypatch.setattr(wheel_store, "read_regular", deny)
    with pytest.raises(NotPermitted, match=r"fragment\.json cannot be read: Perm"):
        store.find(UNIT)


def test_a_link_or_a_pipe_in_place_of_a_fragment_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "built" / UNIT.key
    place.mkdir(parents=True)
    os.mkfifo(place / "fragment.json")
    with pytest.raises(FragmentUnusable, match="cannot be read"):
        StoreFolder(str(tmp_path / "built")).find(UNIT)


def test_a_folder_that_cannot_be_made_is_an_error_with_status_9(tmp_path: Path, wheel: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPermitted, match="is not a folder"):
        StoreFolder(str(tmp_path / "file" / "built")).publish(fragment_of(wheel), wheel)


def test_the_first_store_that_has_a_build_counts(tmp_path: Path, wheel: str) -> None:
    empty, full = StoreFolder(str(tmp_path / "empty")), StoreFolder(str(tmp_path / "full"))
    full.publish(fragment_of(wheel), wheel)
    assert find_all([empty, full], [UNIT]) == {UNIT.key: (fragment_of(wheel), full)}


def test_another_scheme_is_an_error() -> None:
    with IndexClient() as client, pytest.raises(UsageError, match="neither a folder nor"):
        open_store("s3://bucket/built", client)


def test_an_address_with_a_query_is_an_error() -> None:
    with IndexClient() as client, pytest.raises(UsageError, match="has a query") as caught:
        open_store("https://files.example.com/built?token=secret", client)
    assert "secret" not in str(caught.value)


def test_without_the_network_a_store_is_a_folder(tmp_path: Path) -> None:
    offline = Access(offline=True)
    with (
        pytest.raises(UsageError, match="--offline forbids requests"),
        opened_store("https://user:secret@files.example.com/built", offline),
    ):
        pass
    with opened_store(str(tmp_path), offline) as store:
        assert store.find(UNIT) is None


def test_a_folder_that_does_not_exist_is_not_made_before_there_is_a_build(tmp_path: Path) -> None:
    StoreFolder(str(tmp_path / "deep" / "built")).prepare()
    assert not (tmp_path / "deep").exists()


def test_a_pure_wheel_serves_the_other_targets_of_its_source(tmp_path: Path, wheel: str) -> None:
    store = StoreFolder(str(tmp_path / "built"))
    other = build_unit(platform="windows", key="d" * 64)
    stranger = build_unit(platform="windows", key="e" * 64, family="0" * 64)
    store.publish(fragment_of(wheel), wheel)
    assert find_relative(store, other, [UNIT, other]) == fragment_of(wheel)
    assert find_relative(store, stranger, [UNIT, stranger]) is None


def test_a_native_wheel_serves_its_own_target_alone(tmp_path: Path) -> None:
    built = build_wheel("demo", "1.0", tag="cp312-cp312-manylinux_2_28_x86_64")
    wheel = str(built.write(tmp_path))
    store = StoreFolder(str(tmp_path / "built"))
    store.publish(fragment_of(wheel), wheel)
    other = build_unit(platform="windows", key="d" * 64)
    assert find_relative(store, UNIT, [UNIT, other]) == fragment_of(wheel)
    assert find_relative(store, other, [UNIT, other]) is None
