"""A lock from disk is its packages in order, or an error with the file and the line."""

from __future__ import annotations

import tomllib
import tracemalloc
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from executor.lock.errors import LockUnreadable
from executor.lock.reader import LockReader
from helpers.wheels import build_wheel, lock_of
from schemas.blocks import LockNotText, LockTooLarge
from schemas.errors import ExitCode, InvalidInput, InvalidLockText
from schemas.lock import InvalidLock, LockWithoutHeader, UnsupportedLockVersion

HEADER = 'lock-version = "1.0"\ncreated-by = "tests"\n'
PACKAGE = """\
[[packages]]
name = "{0}"
version = "1.0"
wheels = [{{ url = "https://example.com/{0}-1.0-py3-none-any.whl", hashes = {{ sha256 = "00" }} }}]
"""
DIRECTORY = '[[packages]]\nname = "{}"\ndirectory = {{ path = "src" }}\n'


NO_SOURCE = "Exactly one of vcs, directory, archive must be set if sdist and wheels are not set"


@pytest.fixture(name="path")
def lock_path(tmp_path: Path) -> Path:
    return tmp_path / "pylock.toml"


def read(path: Path, text: str | bytes) -> list[tuple[str, int]]:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return [(package.name, line) for package, line in LockReader(str(path)).packages()]


def refusal(path: Path, text: str | bytes) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        read(path, text)
    assert caught.value.exit_code is ExitCode.INVALID_INPUT
    assert caught.value.hint
    return caught.value


def test_packages_come_in_the_order_of_the_lock_with_their_lines(path: Path) -> None:
    text = HEADER + PACKAGE.format("b") + PACKAGE.format("a")
    assert read(path, text) == [("b", 3), ("a", 7)]


def test_a_lock_is_read_as_packaging_reads_it_whole(path: Path) -> None:
    wheels = [build_wheel(name, version) for name, version in [("one", "1.0"), ("two", "2.0")]]
    text = lock_of(wheels, base_url="https://example.com/", hints=True)
    path.write_text(text)
    whole = Pylock.from_dict(tomllib.loads(text))
    reader = LockReader(str(path))
    assert [package for package, _ in reader.packages()] == whole.packages
    assert reader.header.created_by == whole.created_by


@pytest.mark.parametrize(
    "packages",
    [
        "packages = []\n",
        "packages = [\n]\n[tool.x]\n",
    ],
)
def test_a_lock_may_have_no_packages(path: Path, packages: str) -> None:
    assert read(path, HEADER + packages) == []


def test_packages_may_stand_in_one_array(path: Path) -> None:
    tables = ",\n".join(f'{{ name = "{name}", directory = {{ path = "." }} }}' for name in "ab")
    assert read(path, f"{HEADER}packages = [\n{tables}\n]\n") == [("a", 1), ("b", 1)]


def test_tool_tables_may_stand_anywhere(path: Path) -> None:
    tool = "[tool.{0}]\nx = 1\n"
    text = (
        HEADER
        + tool.format("a")
        + PACKAGE.format("b")
        + tool.format("c")
        + PACKAGE.format("d")
        + tool.format("e")
    )
    assert read(path, text) == [("b", 5), ("d", 11)]


def test_line_ends_of_windows_are_line_ends(path: Path) -> None:
    text = (HEADER + PACKAGE.format("a") + PACKAGE.format("b")).replace("\n", "\r\n")
    assert read(path, text) == [("a", 3), ("b", 7)]


def test_the_header_is_there_before_any_package_is_read(path: Path) -> None:
    path.write_text(HEADER + 'extras = ["x"]\n[[packages]]\nname = 1\n')
    assert LockReader(str(path)).header.extras == ["x"]


def test_memory_does_not_grow_with_the_number_of_packages(path: Path) -> None:
    def peak(count: int) -> int:
        path.write_text(HEADER + "".join(PACKAGE.format(f"p{number}") for number in range(count)))
        tracemalloc.start()
        for _ in LockReader(str(path)).packages():
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(1)
    # Kept, 1,500 packages would take 3 MB.
    assert peak(2000) < peak(500) + 500_000


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("", LockWithoutHeader, "it says nothing of itself, not even its lock-version"),
        ("x = 1\n", InvalidLock, "line 1: Missing required value in 'lock-version'"),
        (HEADER, InvalidLock, "line 1: it has no packages array"),
        (HEADER + "[tool.x]\n", InvalidLock, "line 1: it has no packages array"),
        (HEADER + "packages = 1\n", InvalidLock, "line 1: packages is not an array of tables"),
        (HEADER + "packages = [1]\n", InvalidLock, "line 1: packages is not an array of tables"),
        (HEADER + "[packages]\n", InvalidLock, "line 1: packages is not an array of tables"),
        (
            HEADER + "packages = []\n" + PACKAGE.format("a"),
            InvalidLock,
            "line 4: it has two packages arrays",
        ),
        (
            HEADER + PACKAGE.format("a") + "[other]\nx = 1\n",
            InvalidLock,
            "line 7: a lock must not have the table 'other'",
        ),
        (
            HEADER + PACKAGE.format("a") + '[[packages]]\nname = "b"\n',
            InvalidLock,
            "package 'b' (line 7): " + NO_SOURCE,
        ),
        (
            HEADER + PACKAGE.format("a") + "[[packages]]\nname = b\n",
            InvalidLock,
            "line 8: not valid TOML: Invalid value, at column 8",
        ),
        (
            HEADER.replace("1.0", "2.0"),
            UnsupportedLockVersion,
            "lock-version '2.0' is not supported, only 1.x is",
        ),
        (HEADER.encode() + b"x = '\xff'\n", LockNotText, "line 3 is not UTF-8 text"),
        (
            HEADER + "x = '" + "y" * (5 << 20) + "'\n",
            LockTooLarge,
            "the block that begins at line 3 is larger than 4194304 bytes",
        ),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) and "\n" not in value else "",
)
def test_a_lock_that_is_none_is_refused_with_its_path(
    path: Path, text: str | bytes, kind: type[InvalidLockText], message: str
) -> None:
    error = refusal(path, text)
    assert type(error) is kind
    assert str(error) == f"{path}: {message}"


def test_a_lock_that_is_cut_short_is_refused(path: Path) -> None:
    whole = HEADER + DIRECTORY.format("a") + DIRECTORY.format("b")
    complete = len(HEADER + DIRECTORY.format("a"))
    # Between two packages, a shorter lock cannot be told from a whole one.
    for length in [*range(len(HEADER), complete - 1), *range(complete + 1, len(whole) - 1)]:
        assert str(refusal(path, whole[:length])).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("make", "reason", "hint"),
    [
        (
            lambda _: None,
            "No such file or directory",
            "lockstream plan {folder} -o {path} writes it, and so does uv",
        ),
        (Path.mkdir, "Is a directory", "name the lock in it, such as "),
        (
            lambda path: path.symlink_to(path),
            "Too many levels of symbolic links",
            "its links lead in a circle: name the lock itself, or remove the link",
        ),
    ],
    ids=["absent", "folder", "loop"],
)
def test_a_lock_that_cannot_be_read_is_told(
    path: Path, make: object, reason: str, hint: str
) -> None:
    assert callable(make)
    make(path)
    with pytest.raises(LockUnreadable) as caught:
        LockReader(str(path))
    assert str(caught.value) == f"{path}: cannot be read: {reason}"
    assert caught.value.exit_code is ExitCode.INVALID_INPUT
    assert caught.value.hint.startswith(hint.format(path=path, folder=path.parent))
