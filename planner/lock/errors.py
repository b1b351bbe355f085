"""Errors about credentials that a lock would carry."""

from __future__ import annotations

from schemas.data_class import with_fields
from schemas.errors import InvalidInput

__all__ = ["SecretInLock", "SecretInURL"]


@with_fields
class SecretInURL(InvalidInput):
    """An address that would have to be written into the lock carries a credential."""

    filename: str
    parameters: tuple[str, ...]
    hint = "locks are committed and shared; use an index whose file addresses are stable"

    def __str__(self) -> str:
        return (
            f"{self.filename}: the index gives it an address that is signed for a short time "
            f"({', '.join(self.parameters)}), which cannot be written into a lock"
        )


class SecretInLock(InvalidInput):
    """A password or token that was used for a download would appear in the lock."""

    hint = "do not use a password that is a part of names or addresses; nothing was written"

    def __str__(self) -> str:
        return "a credential of an index would appear in the lock"
