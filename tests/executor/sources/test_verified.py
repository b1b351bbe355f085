"""A file that is not the locked one raises an error at its end, at the latest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.lock.step import Step
from executor.sources.errors import HashMismatch, SizeMismatch
from executor.sources.verified import verified
from schemas.errors import ExitCode

ORIGIN = "https://example.com/demo-1.0-py3-none-any.whl"


def step(content: bytes, *, size: int | None, **hashes: str) -> Step:
    promised = hashes or {"sha256": hashlib.sha256(content).hexdigest()}
    return Step(
        name="demo",
        version="1.0",
        filename="demo-1.0-py3-none-any.whl",
        url=ORIGIN,
        path=None,
        size=size,
        hashes=tuple(promised.items()),
        hints=None,
        is_direct=False,
    )


@given(st.lists(st.binary(max_size=20)), st.booleans(), st.booleans())
def test_the_right_bytes_pass_however_they_are_cut(
    chunks: list[bytes], sized: bool, in_thread: bool
) -> None:
    content = b"".join(chunks)
    one = step(content, size=len(content) if sized else None)
    assert list(verified(chunks, one, ORIGIN, in_thread=in_thread)) == chunks


def test_more_bytes_than_locked_are_not_read_to_their_end() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(3):
            yield b"12345"
        pytest.fail("read on")

    chunks = verified(endless(), step(b"", size=12), ORIGIN)
    assert [next(chunks), next(chunks)] == [b"12345", b"12345"]
    with pytest.raises(SizeMismatch) as caught:
        next(chunks)
    assert str(caught.value) == (
        f"demo-1.0-py3-none-any.whl from {ORIGIN}: expected 12 bytes, found more than 12"
    )
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED


def test_fewer_bytes_than_locked_are_refused() -> None:
    with pytest.raises(SizeMismatch) as caught:
        list(verified([b"12345"], step(b"12345", size=12), ORIGIN))
    assert str(caught.value).endswith("expected 12 bytes, found 5")
    assert caught.value.hint == (
        "the file was replaced at its origin or cut short; nothing of it was installed"
    )


def test_other_bytes_are_refused_with_both_digests() -> None:
    good, bad = (hashlib.sha256(content).hexdigest() for content in (b"good", b"evil"))
    with pytest.raises(HashMismatch) as caught:
        list(verified([b"ev", b"il"], step(b"good", size=4), ORIGIN))
    assert str(caught.value) == (
        f"demo-1.0-py3-none-any.whl from {ORIGIN}: sha256 differs\n"
        f"  expected {good}\n"
        f"  found    {bad}"
    )
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    assert "nothing of it was installed" in caught.value.hint


def test_every_secure_digest_must_agree() -> None:
    right = {"sha256": hashlib.sha256(b"x").hexdigest(), "sha512": "00"}
    with pytest.raises(HashMismatch, match="sha512 differs"):
        list(verified([b"x"], step(b"x", size=1, **right), ORIGIN))


def test_without_a_size_the_hash_decides() -> None:
    with pytest.raises(HashMismatch):
        list(verified([b"evil"], step(b"good", size=None), ORIGIN))
