"""Why a search has failed, as errors: no selection satisfies all, or it was given up."""

from __future__ import annotations

import re

from planner.model.environments import MarkerEnvironment
from planner.resolver.supply import Reason, Supply
from schemas.data_class import with_fields
from schemas.errors import NoSolution

__all__ = ["MAX_SHOWN_LINES", "SearchTooLong", "Unsolvable"]


MAX_SHOWN_LINES = 20
"""Lines of one explanation, its first line and the hint included: what fits on a small screen."""


_OPTIONAL = re.compile(r"\[(?:project\.optional-dependencies|dependency-groups)\] \S+")
"""The extras and groups, which a lock need not hold, as the origins of requirements name them."""


@with_fields
class Unsolvable(NoSolution):
    """No selection of wheels satisfies all requirements."""

    environment: MarkerEnvironment
    supplies: tuple[Supply, ...]
    advice: tuple[str, ...] = ()
    """What may have been meant, a sentence each."""

    @property
    def hint(self) -> str:  # type: ignore[override]  # rendered late, from the supplies
        hint = "loosen one of these requirements, or name versions that go together"
        if any(supply.lacks_prereleases() for supply in self.supplies):
            hint = "allow pre-releases (--prerelease allow), or require versions that are final"
        elif remedies := [*filter(None, (supply.remedy() for supply in self.supplies))]:
            hint = remedies[0]
        elif platform := self._platform_advice():
            hint = platform
        elif any(supply.lacks_builds() for supply in self.supplies):
            hint = (
                "build what has no wheel (--build missing), or choose versions that have wheels "
                "for the target"
            )
            pythons = (one.newest_python(self.environment.python_version) for one in self.supplies)
            if python := next(filter(None, pythons), None):
                hint += f"; the newest ones are for another Python (--python-version {python})"
        elif advice := self._advice():
            hint = advice
        elif any(supply.lacks_wheels() for supply in self.supplies):
            hint = (
                "choose versions that have wheels for the target, or another target "
                "(--python-version, --platform)"
            )
        elif any(supply.lacks_project() for supply in self.supplies):
            hint = "correct the name, or add where the project is (--index URL, --find-links DIR)"
        optional = set(_OPTIONAL.findall(str(self)))
        if len(optional) > 1:
            hint += "; or name those that are never installed together in conflicts of "
            hint += "[tool.lockstream], or leave one out (--no-extra, --no-group)"
        elif optional:
            hint += "; or leave the extra or group out (--no-extra, --no-group)"
        return hint

    def _platform_advice(self) -> str:
        """Return what helps if the target names no libc, as the wheels of indexes do."""
        names = [one.platform for one in self.environment.targets if one.platform[:6] == "linux_"]
        if not names or not any(supply.lacks_wheels() for supply in self.supplies):
            return ""
        machine = names[0].removeprefix("linux_")
        return (
            f"wheels are rarely for {names[0]}: name a tag with a libc, such as --platform "
            f"manylinux_2_28_{machine} or musllinux_1_2_{machine}"
        )

    def _advice(self) -> str:
        version = self.environment.python_version
        found = [one.python_advice(version) for one in self.supplies]
        found += [one.damage_advice() for one in self.supplies]
        return next(filter(None, found), "")

    def __str__(self) -> str:
        # The first line and the hint.
        limit = MAX_SHOWN_LINES - 2 - len(self.advice)
        lines = [*self.lines(limit), *self.advice]
        shown = (f"  {line}" for line in lines)
        return "\n".join([f"no wheels satisfy the requirements for {self.environment}", *shown])

    def lines(self, limit: int) -> list[str]:
        """Return the causes in at most ``limit`` lines, which are at least three."""
        told: set[Reason] = set()
        lines = [line for supply in self.supplies for line in supply.lines(told)]
        if (more := len(lines) - limit + 2) > 1:
            # The last line is where the last chain ends.
            lines[limit - 3 : -1] = [f"and {more} more lines"]
        return lines


@with_fields
class SearchTooLong(NoSolution):
    """The search was given up."""

    rounds: int
    hint = "narrow the requirements that leave most versions open"

    def __str__(self) -> str:
        return f"no solution was found in {self.rounds} steps"
