"""All secure digests must agree, and no others count."""

from __future__ import annotations

import hashlib

import pytest

from schemas.digests import SECURE_ALGORITHMS, Digests, Mismatch

DATA = b"some bytes of a wheel"


def digest(algorithm: str, data: bytes = DATA) -> str:
    return hashlib.new(algorithm, data).hexdigest()


@pytest.mark.parametrize("algorithm", SECURE_ALGORITHMS)
def test_a_promise_that_is_kept_is_no_mismatch(algorithm: str) -> None:
    digests = Digests({algorithm: digest(algorithm)})
    assert digests.any_expected
    digests.update(DATA[:5])
    digests.update(memoryview(DATA)[5:])
    assert digests.mismatch() is None


@pytest.mark.parametrize("algorithm", SECURE_ALGORITHMS)
def test_a_promise_that_is_broken_is_told_with_both_digests(algorithm: str) -> None:
    digests = Digests({algorithm: digest(algorithm)})
    digests.update(DATA + b"!")
    assert digests.mismatch() == Mismatch(
        algorithm, digest(algorithm), digest(algorithm, DATA + b"!")
    )


def test_upper_case_digits_are_the_same_promise() -> None:
    digests = Digests({"sha256": digest("sha256").upper()})
    digests.update(DATA)
    assert digests.mismatch() is None


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "unheard-of", "SHA256"])
def test_what_is_not_secure_is_not_looked_at(algorithm: str) -> None:
    digests = Digests({algorithm: "00"})
    digests.update(DATA)
    assert not digests.any_expected
    assert digests.mismatch() is None


def test_every_secure_promise_must_hold() -> None:
    digests = Digests({"sha256": digest("sha256"), "md5": "00", "sha512": "00"})
    digests.update(DATA)
    assert digests.mismatch() == Mismatch("sha512", "00", digest("sha512"))


def test_an_empty_digest_is_never_met() -> None:
    digests = Digests({"sha256": ""})
    assert digests.any_expected
    assert digests.mismatch() == Mismatch("sha256", "", digest("sha256", b""))
