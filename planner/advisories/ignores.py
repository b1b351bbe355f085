"""The advisories that a user has decided to ignore, for good or until something happens."""

from __future__ import annotations

from datetime import date

from schemas.data_class import frozen
from schemas.errors import UsageError

__all__ = ["Ignore"]


_FIXED = "fixed"


@frozen
class Ignore:
    """An id that does not count."""

    id: str
    last_day: date | None = None
    """It counts again after this day."""
    until_fixed: bool = False
    """Whether it counts again when a fixed version is known."""

    @classmethod
    def parse(cls, text: str) -> Ignore:
        """Return what ``ID``, ``ID=2027-01-31`` or ``ID=fixed`` says. Raises UsageError."""
        name, equals, until = (part.strip() for part in text.partition("="))
        if not name or (equals and not until):
            raise _wrong(text)
        if until in {"", _FIXED}:
            return cls(name, until_fixed=until == _FIXED)
        try:
            return cls(name, date.fromisoformat(until))
        except ValueError:
            raise _wrong(text) from None

    def names(self, ids: tuple[str, ...]) -> bool:
        """Return whether it is one of ``ids``, in whatever case."""
        return self.id.casefold() in map(str.casefold, ids)

    def holds(self, today: date, *, has_fix: bool) -> bool:
        """Return whether what it names is ignored ``today``."""
        return not (self.until_fixed and has_fix) and not self.has_ended(today)

    def has_ended(self, today: date) -> bool:
        """Return whether its last day is over."""
        return self.last_day is not None and today > self.last_day


def _wrong(text: str) -> UsageError:
    return UsageError(
        f"--ignore {text} is not the id of an advisory",
        hint="write --ignore ID, such as CVE-2026-12345; with =2027-01-31 it counts again after "
        "that day, and with =fixed when a fixed version is known",
    )
