"""Which extras, or which dependency groups, of the projects a lock holds."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.project_document import InvalidProject, listed
from schemas.data_class import frozen

__all__ = ["ScopeChoice"]


@frozen
class ScopeChoice:
    """Which extras, or which dependency groups, of the projects the user wants in the lock."""

    named: Sequence[str] = ()
    """These; empty for those of the settings, or all."""
    left_out: Sequence[str] = ()
    everything: bool | None = None
    """True for all, False for none, None if the user does not say."""

    def choose(
        self, known: set[NormalizedName], configured: Sequence[str] | None, *, kind: str, path: str
    ) -> list[NormalizedName]:
        """Return the chosen ones of ``known``, sorted. ``configured`` are those of the settings in
        the file at ``path``. Raise InvalidProject if one is not known.
        """
        named = {canonicalize_name(name) for name in self.named or configured or ()}
        left_out = {canonicalize_name(name) for name in self.left_out}
        for name in sorted((named | left_out) - known):
            raise InvalidProject(
                path,
                f"there is no {kind} {name!r}; it has {listed(known)}",
                hint="name one that it has, or add it to this file; what a lock records of them, "
                f"--all-{'extras' if kind == 'extra' else 'groups'} replaces",
            )
        if self.everything is not None:
            named = known if self.everything else named if self.named else set()
        elif not self.named and configured is None:
            named = known
        return sorted(named - left_out)

    def are_required(self, configured: Sequence[str] | None) -> bool:
        """Return if any may be chosen, so that a project has to say which it has."""
        if self.everything is None and not self.named:
            return configured is None or bool(configured)
        return bool(self.named or self.everything)
