"""How the locked versions of a project stand to those that there are now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from packaging.pylock import Package
from packaging.utils import NormalizedName
from packaging.version import Version

from schemas.data_class import frozen

__all__ = ["Outlook", "Standing", "locked_versions"]


@frozen(kw_only=True)
class Standing:
    """One project of a lock; an Outlook owns it."""

    name: NormalizedName
    locked: tuple[Version, ...]
    """Sorted."""
    upgrade: tuple[Version, ...] | None
    """The versions that a plan with ``--upgrade`` chooses, sorted: none if nothing requires the
    project any more. None if that is not known."""
    newest: Version | None
    """The newest that its index has and that is not yanked; None if there is none, or if nothing
    requires the project any more."""
    hindrances: tuple[tuple[Version, str], ...] = ()
    """Newer versions that the upgrade does not choose, or a target cannot use, and why."""
    remarks: tuple[str, ...] = ()
    """What else should be known: of a yanked version, of a project that is archived."""
    is_required_by_inputs: bool = False

    @property
    def is_outdated(self) -> bool:
        """Return whether there is a newer version, chosen or not."""
        return self.newest is not None and self.newest > self.locked[0]

    @property
    def changes(self) -> bool:
        """Return whether an upgrade changes the versions."""
        return self.upgrade is not None and self.upgrade != self.locked


@frozen(kw_only=True)
class Outlook:
    """All projects of a lock, and what an upgrade would do; the caller owns it."""

    standings: tuple[Standing, ...]
    """Sorted by name."""
    added: Mapping[NormalizedName, tuple[Version, ...]]
    """Projects that only the upgrade has."""
    uncompared: tuple[str, ...]
    """The packages that no index has versions of, a sentence each."""
    is_resolved: bool
    """Whether it is known what an upgrade chooses."""

    @property
    def changes(self) -> bool:
        """Return whether an upgrade changes any version."""
        return any(one.changes for one in self.standings)


def locked_versions(
    packages: Iterable[Package],
) -> tuple[dict[NormalizedName, tuple[Version, ...]], tuple[str, ...]]:
    """Return the versions of the projects that come from an index, sorted, and a sentence for each
    package that does not.
    """
    found: dict[NormalizedName, set[Version]] = {}
    others: dict[str, None] = {}
    for one in packages:
        if (kind := _kind_of_place(one)) is not None:
            others[f"{one.name} is locked {kind}"] = None
        elif one.version is None:
            others[f"the lock does not record the version of {one.name}"] = None
        else:
            found.setdefault(one.name, set()).add(one.version)
    return {name: tuple(sorted(found[name])) for name in sorted(found)}, tuple(sorted(others))


def _kind_of_place(package: Package) -> str | None:
    """Return how a package is locked that does not come from an index; None if it does."""
    if package.vcs is not None:
        return f"at a commit of a repository ({package.vcs.commit_id[:12]})"
    if package.archive is not None:
        return "by the address of its file"
    if package.directory is not None:
        return "as a folder"
    return None
