"""Digests: what the lock allows a file to be, checked while its bytes go by."""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["SECURE_ALGORITHMS", "Digests", "Mismatch", "encode_digest"]

SECURE_ALGORITHMS = ("sha256", "sha384", "sha512", "blake2b", "sha3_256", "sha3_384", "sha3_512")
"""PEP 751 demands at least one hash of a secure algorithm; md5 and sha1 count as none."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""The two characters that URL-safe base64 replaces
(https://www.rfc-editor.org/rfc/rfc4648#section-5)."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A digest that is not the one promised; both as lower-case hexadecimal digits."""

    algorithm: str
    expected: str
    found: str


class Digests:
    """The promised digests of one file, compared with what has been read of it.

    ``promised`` maps algorithm names to hexadecimal digests; only secure algorithms are
    looked at, and all of those must agree.
    """

    def __init__(self, promised: Mapping[str, str]) -> None:
        self._promised = {
            name: digest.lower() for name, digest in promised.items() if name in SECURE_ALGORITHMS
        }
        self._hashes = {name: hashlib.new(name) for name in self._promised}

    @property
    def secure(self) -> bool:
        """Whether there is any digest to hold the file to."""
        return bool(self._promised)

    def update(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the file."""
        for digest in self._hashes.values():
            digest.update(data)

    def mismatch(self) -> Mismatch | None:
        """The first digest that differs from its promise, now that all bytes were read."""
        for name, digest in self._hashes.items():
            if (found := digest.hexdigest()) != self._promised[name]:
                return Mismatch(name, self._promised[name], found)
        return None


def encode_digest(digest: bytes) -> str:
    """Return a digest as RECORD spells it: URL-safe base64 without padding."""
    return binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE, b"=").decode()
