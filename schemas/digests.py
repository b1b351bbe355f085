"""The digests that a lock allows a file to have, checked as its bytes pass."""

from __future__ import annotations

import binascii
from collections.abc import Collection, Mapping

from schemas.data_class import frozen

__all__ = ["ALGORITHMS", "SECURE_ALGORITHMS", "URL_SAFE", "Digests", "Mismatch", "encode_digest"]

SECURE_ALGORITHMS = ("sha256", "sha384", "sha512", "blake2b", "sha3_256", "sha3_384", "sha3_512")
"""PEP 751 requires at least one hash of a secure algorithm, which md5 and sha1 are not."""

ALGORITHMS = (*SECURE_ALGORITHMS, "sha224", "sha1", "md5")
"""Those that an index or a requirement may state. The weak ones tell a damaged file from a whole
one, and are in no lock."""

URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""The two characters that URL-safe base64 replaces
(https://www.rfc-editor.org/rfc/rfc4648#section-5)."""


@frozen
class Mismatch:
    """A digest that differs from the expected one; both in lower-case hexadecimal digits."""

    algorithm: str
    expected: str
    found: str


class Digests:
    """The expected digests of one file, and those of the bytes so far; owned by its reader.

    ``expected`` maps algorithm names to hexadecimal digests. Only ``algorithms`` count, by default
    the secure ones, and all of them must agree.
    """

    def __init__(
        self, expected: Mapping[str, str], algorithms: Collection[str] = SECURE_ALGORITHMS
    ) -> None:
        import hashlib  # noqa: PLC0415  # loading libcrypto takes 2 ms, while the lock is read

        self._expected = {
            name: digest.lower() for name, digest in expected.items() if name in algorithms
        }
        # Where md5 is switched off (FIPS), it may still be used for what is not secret.
        self._hashes = {name: hashlib.new(name, usedforsecurity=False) for name in self._expected}

    @property
    def any_expected(self) -> bool:
        """Whether a digest is expected at all."""
        return bool(self._expected)

    def update(self, data: bytes | memoryview) -> None:
        """Add the next bytes of the file."""
        for digest in self._hashes.values():
            digest.update(data)

    def mismatch(self) -> Mismatch | None:
        """Return the first digest that differs, after the last byte; or None."""
        for name, digest in self._hashes.items():
            if (found := digest.hexdigest()) != self._expected[name]:
                return Mismatch(name, self._expected[name], found)
        return None


def encode_digest(digest: bytes) -> str:
    """Return a digest as RECORD spells it: URL-safe base64 without padding."""
    return binascii.b2a_base64(digest, newline=False).translate(URL_SAFE, b"=").decode()
