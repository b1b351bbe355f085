"""A built wheel is found again by its key if it is still the same, and only then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from executor.builds.wheel_cache import WheelCache, default_wheel_cache

NAME = "demo-1.0-py3-none-any.whl"


@pytest.fixture(name="cache")
def _cache(tmp_path: Path) -> WheelCache:
    return WheelCache(str(tmp_path / "built"))


@pytest.fixture(name="wheel")
def _wheel(tmp_path: Path) -> Path:
    wheel = tmp_path / NAME
    wheel.write_bytes(b"one")
    return wheel


def test_a_kept_wheel_is_found(cache: WheelCache, wheel: Path, tmp_path: Path) -> None:
    assert cache.find("key") is None
    cache.keep("key", str(wheel))
    assert cache.find("key") == str(tmp_path / "built" / "key" / NAME)
    assert cache.find("other") is None


def test_a_later_wheel_replaces_an_earlier_one(cache: WheelCache, wheel: Path) -> None:
    cache.keep("key", str(wheel))
    wheel.write_bytes(b"two")
    cache.keep("key", str(wheel))
    found = cache.find("key")
    assert found is not None
    assert Path(found).read_bytes() == b"two"


def test_a_changed_or_unfinished_one_is_missing(
    cache: WheelCache, wheel: Path, tmp_path: Path
) -> None:
    cache.keep("key", str(wheel))
    (tmp_path / "built" / "key" / NAME).write_bytes(b"changed")
    assert cache.find("key") is None
    cache.keep("key", str(wheel))
    (tmp_path / "built" / "key" / "sha256").unlink()
    assert cache.find("key") is None


def test_what_cannot_be_kept_is_not_an_error(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = WheelCache(str(tmp_path / "file" / "built"))
    cache.keep("key", str(wheel))
    assert cache.find("key") is None


def test_without_a_folder_nothing_is_kept(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache = WheelCache(None)
    cache.keep("key", str(wheel))
    assert cache.find("key") is None
    assert [one.name for one in tmp_path.iterdir()] == [NAME]


def test_the_default_is_in_the_cache_of_the_user() -> None:
    assert default_wheel_cache({"LOCKSTREAM_CACHE_DIR": "/own"}) == WheelCache("/own/built")


def test_the_cache_is_for_its_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "demo.whl").write_bytes(b"wheel")
    cache = WheelCache(str(tmp_path / "built"))
    cache.keep("key", str(tmp_path / "demo.whl"))
    assert (tmp_path / "built").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "built/key/demo.whl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", ["built", "built/key", "built/key/demo.whl", "built/key/sha256"])
def test_a_wheel_that_others_may_have_written_counts_as_missing(tmp_path: Path, place: str) -> None:
    (tmp_path / "demo.whl").write_bytes(b"wheel")
    cache = WheelCache(str(tmp_path / "built"))
    cache.keep("key", str(tmp_path / "demo.whl"))
    assert cache.find("key") is not None
    (tmp_path / place).chmod(0o777)
    assert cache.find("key") is None


@pytest.mark.parametrize("name", ["demo-1.0-py3-none-any.whl", "sha256"])
def test_a_pipe_is_not_waited_for(cache: WheelCache, wheel: Path, name: str) -> None:
    cache.keep("key", str(wheel))
    assert cache.folder
    place = Path(cache.folder, "key", name)
    place.unlink()
    os.mkfifo(place, 0o600)
    assert cache.find("key") is None


def test_a_second_wheel_or_a_long_digest_is_none_of_ours(cache: WheelCache, wheel: Path) -> None:
    cache.keep("key", str(wheel))
    assert cache.folder
    digest = Path(cache.folder, "key", "sha256")
    digest.write_bytes(digest.read_bytes() + b"\xff")
    assert cache.find("key") is None
    cache.keep("key", str(wheel))
    Path(cache.folder, "key", "other-1.0-py3-none-any.whl").touch()
    assert cache.find("key") is None
