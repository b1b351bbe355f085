"""The cache keeps entries for many processes at once, within its bounds."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from planner.index.cache import KINDS, USE_SECONDS, Cache

CONTENT = b"some content " * 100


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(str(tmp_path / "cache"))


def files(cache: Cache) -> list[Path]:
    return [path for path in Path(cache.folder).rglob("*") if path.is_file()]


def age(path: Path, seconds: float) -> None:
    os.utime(path, (path.stat().st_atime - seconds, path.stat().st_mtime - seconds))


def test_processes_that_plan_one_lock_each_share_it(cache: Cache) -> None:
    """They are sent it. Python 3.14 does not send what itertools makes, and 3.12 warns of that."""
    sent: Cache = pickle.loads(pickle.dumps(cache))
    sent.write("pages", "key", CONTENT)
    assert cache.read("pages", "key") == CONTENT


def test_clearing_removes_the_entries_of_older_versions_and_nothing_else(cache: Cache) -> None:
    old, other = Path(cache.folder, "v3/pages/ab/cd"), Path(cache.folder, "v3.txt")
    old.parent.mkdir(parents=True)
    for path in (old, other):
        path.write_bytes(b"12345")
    cache.write("pages", "key", CONTENT)
    assert cache.clear() > 5
    assert files(cache) == [other]
    assert cache.clear() == 0


def test_what_was_written_is_read(cache: Cache) -> None:
    for kind in KINDS:
        assert cache.read(kind, "key") is None
        cache.write(kind, "key", CONTENT + kind.encode())
    for kind in KINDS:
        assert cache.read(kind, "key") == CONTENT + kind.encode()
        assert cache.read(kind, "other") is None
    cache.write("pages", "key", b"")
    assert cache.read("pages", "key") == b""


def test_entries_are_compressed_and_private(cache: Cache) -> None:
    cache.write("pages", "key", CONTENT)
    (path,) = files(cache)
    assert path.stat().st_size < len(CONTENT) / 4
    assert stat.S_IMODE(Path(cache.folder).stat().st_mode) == 0o700


def test_what_is_no_file_counts_as_none(cache: Cache) -> None:
    """Though the bytes are right: of a device there is no end."""
    cache.write("pages", "key", CONTENT)
    (path,) = files(cache)
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path, 0o600)
    pipe = os.open(path, os.O_RDWR)
    os.write(pipe, content)
    assert cache.read("pages", "key") is None
    os.close(pipe)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[:-3], id="cut short"),
        pytest.param(lambda _: b"", id="emptied"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="a bit flipped"),
        pytest.param(lambda data: b"text" + data, id="no archive"),
    ],
)
def test_a_damaged_entry_counts_as_none(cache: Cache, damage: object) -> None:
    cache.write("pages", "key", CONTENT)
    (path,) = files(cache)
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert cache.read("pages", "key") is None
    cache.write("pages", "key", CONTENT)
    assert cache.read("pages", "key") == CONTENT


def test_an_entry_that_stands_for_another_counts_as_none(cache: Cache) -> None:
    """Who may write to the folder can exchange files, whoever owns them."""
    cache.write("metadata", "one", b"1" * 100)
    (path,) = files(cache)
    cache.write("metadata", "two", b"2" * 100)
    (other,) = set(files(cache)) - {path}
    content = path.read_bytes()
    os.replace(other, path)
    assert cache.read("metadata", "one") is None
    path.write_bytes(content)
    assert cache.read("metadata", "one") == b"1" * 100
    cache.write("sizes", "one", b"3")
    (size,) = (file for file in files(cache) if "sizes" in file.parts)
    size.write_bytes(content)
    assert cache.read("sizes", "one") is None


def test_an_entry_beyond_measure_is_not_read(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write("pages", "key", CONTENT)
    (path,) = files(cache)
    monkeypatch.setattr("planner.index.cache._MAX_ENTRY_SIZE", path.stat().st_size - 1)
    # What it holds is not the reason.
    monkeypatch.setattr("planner.index.cache.unpacked", lambda *_: pytest.fail("it was read"))
    assert cache.read("pages", "key") is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(str(tmp_path / "file" / "cache"))
    cache.write("pages", "key", CONTENT)
    assert cache.read("pages", "key") is None
    cache.tidy()
    assert cache.clear() == 0


def test_what_was_not_used_for_longest_goes_first(cache: Cache) -> None:
    sizes: dict[int, Path] = {}
    for number in range(5):
        cache.write("sizes", str(number), os.urandom(1000))
        (sizes[number],) = set(files(cache)) - set(sizes.values())
        age(sizes[number], 10 * USE_SECONDS - number)
    cache.read("sizes", "0")
    total = sum(path.stat().st_size for path in sizes.values())
    assert cache.prune(total) == 0
    freed = cache.prune(total - 1500)
    assert freed == sizes[3].stat().st_size * 2
    assert set(files(cache)) == {sizes[0], sizes[3], sizes[4]}


def test_a_cache_tidies_itself_once_a_day(tmp_path: Path) -> None:
    cache = Cache(str(tmp_path), limit=1500)
    for key in ("one", "two"):
        cache.write("sizes", key, os.urandom(1000))
    cache.tidy()
    assert cache.usage()["sizes"].entries == 1
    cache.write("sizes", "three", os.urandom(1000))
    cache.tidy()
    assert cache.usage()["sizes"].entries == 2
    age(next(tmp_path.rglob("pruned")), 25 * 3600)
    cache.tidy()
    assert cache.usage()["sizes"].entries == 1


def test_it_can_be_looked_at_and_removed(cache: Cache) -> None:
    cache.write("pages", "key", CONTENT)
    usage = cache.usage()
    assert [usage[kind].entries for kind in KINDS] == [1, 0, 0, 0]
    assert cache.clear() == usage["pages"].size > 0
    assert files(cache) == []


WRITER = """
import sys
from planner.index.cache import USE_SECONDS, Cache
cache = Cache(sys.argv[1])
for turn in range(100):
    for key in "abc":
        content = cache.read("pages", key)
        assert content is None or content == key.encode() * 10_000, content[:20]
        cache.write("pages", key, key.encode() * 10_000)
"""


def test_many_may_use_it_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    running = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [one.wait() for one in running] == [0, 0, 0, 0]
    assert not list(tmp_path.rglob("*.tmp"))


class TestTrust:
    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
    def test_an_entry_of_another_user_counts_as_missing(self, tmp_path: Path) -> None:
        cache = Cache(str(tmp_path))
        cache.write("metadata", "key", b"content")
        [entry] = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert cache.read("metadata", "key") == b"content"
        os.chown(entry, 65534, 65534)
        assert cache.read("metadata", "key") is None

    def test_an_entry_that_others_may_write_counts_as_missing(self, tmp_path: Path) -> None:
        cache = Cache(str(tmp_path))
        cache.write("metadata", "key", b"content")
        [entry] = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert entry.stat().st_mode & 0o777 == 0o600
        entry.chmod(0o666)
        assert cache.read("metadata", "key") is None

    def test_an_entry_that_is_a_link_or_a_fifo_counts_as_missing(self, tmp_path: Path) -> None:
        cache = Cache(str(tmp_path))
        cache.write("metadata", "key", b"content")
        [entry] = [path for path in tmp_path.rglob("*") if path.is_file()]
        entry.rename(tmp_path / "moved")
        entry.symlink_to(tmp_path / "moved")
        assert cache.read("metadata", "key") is None
        entry.unlink()
        os.mkfifo(entry, 0o600)
        assert cache.read("metadata", "key") is None
