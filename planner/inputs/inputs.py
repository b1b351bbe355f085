"""Everything that the user wants planned, as one value."""

from __future__ import annotations

from dataclasses import field
from functools import reduce
from operator import and_

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.settings import Settings
from planner.model.conditions import Condition
from planner.model.dependencies import Scope, scopes_of
from schemas.data_class import frozen

__all__ = ["InputRequirement", "Inputs"]


@frozen(kw_only=True)
class InputRequirement:
    """A requirement that the user wrote."""

    requirement: Requirement
    origin: str
    """The file and line, such as ``requirements.in:3``."""
    hashes: frozenset[str] = frozenset()
    """``sha256:9f86...``: the files that are allowed; empty if all are."""
    scope: Scope | None = None
    """The extra or the dependency group that it belongs to; None if it applies always."""
    unless: tuple[Condition, ...] = ()
    """Where an address takes the place of its versions, so that it does not count."""

    @property
    def name(self) -> NormalizedName:
        return canonicalize_name(self.requirement.name)


@frozen(kw_only=True)
class Inputs:
    """What one or more inputs require together, as the readers return it."""

    requirements: tuple[InputRequirement, ...] = ()
    constraints: tuple[InputRequirement, ...] = ()
    overrides: tuple[InputRequirement, ...] = ()
    """Requirements that take the place of those of packages."""
    excludes: tuple[NormalizedName, ...] = ()
    """Projects that are left out, whichever package requires them."""
    members: tuple[NormalizedName, ...] = ()
    """Projects that are planned themselves: whatever requires one of them gets nothing from an
    index."""
    extras: tuple[NormalizedName, ...] = ()
    """Extras that an installation may select, sorted."""
    groups: tuple[NormalizedName, ...] = ()
    """Dependency groups that an installation may select, sorted."""
    requires_python: SpecifierSet | None = None
    """The Pythons that the projects among the inputs support; None if they do not say."""
    settings: Settings = field(default_factory=Settings)
    """The settings of the first project among the inputs."""
    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    no_index: bool = False
    find_links: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    """Values of pip's option in the order of the files, as later ones may take back earlier
    ones."""
    only_binary: tuple[str, ...] = ()
    """In the same order."""
    prereleases: bool = False
    require_hashes: bool = False
    trusted_hosts: tuple[str, ...] = ()
    """Hosts, perhaps with a port, whose certificates are not verified."""
    remarks: tuple[str, ...] = ()
    """Warnings for the user about parts of the inputs that have no effect or are a risk."""

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return the extras and the dependency groups."""
        return frozenset(scopes_of(self.extras, self.groups))

    @property
    def conflicts(self) -> list[frozenset[Scope]]:
        """Return the sets of them of which an installation selects at most one each."""
        known = self.scopes
        sets = (one & known for one in self.settings.conflicts)
        return [one for one in sets if len(one) > 1]

    def merge(self, other: Inputs) -> Inputs:
        """Return both together; ``other`` comes later, so its index replaces that of this one."""
        limits = [one.requires_python for one in (self, other) if one.requires_python is not None]
        return Inputs(
            requirements=self.requirements + other.requirements,
            constraints=self.constraints + other.constraints,
            overrides=self.overrides + other.overrides,
            excludes=self.excludes + other.excludes,
            members=self.members + other.members,
            extras=tuple(sorted({*self.extras, *other.extras})),
            groups=tuple(sorted({*self.groups, *other.groups})),
            requires_python=reduce(and_, limits) if limits else None,
            settings=self.settings.with_defaults(other.settings),
            index_url=other.index_url or self.index_url,
            extra_index_urls=self.extra_index_urls + other.extra_index_urls,
            no_index=self.no_index or other.no_index,
            find_links=self.find_links + other.find_links,
            no_binary=self.no_binary + other.no_binary,
            only_binary=self.only_binary + other.only_binary,
            prereleases=self.prereleases or other.prereleases,
            require_hashes=self.require_hashes or other.require_hashes,
            trusted_hosts=self.trusted_hosts + other.trusted_hosts,
            remarks=self.remarks + other.remarks,
        )
