"""Inputs."""

from __future__ import annotations

from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from planner.inputs.settings import Settings
from planner.model.dependencies import Scope

__all__ = ["InputRequirement", "Inputs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequirement:
    """A requirement that the user wrote."""

    requirement: Requirement
    origin: str
    """Where, such as ``requirements.in:3``."""
    hashes: frozenset[str] = frozenset()
    """``sha256:9f86...``: the files that are allowed, or empty where all are."""
    scope: Scope | None = None
    """The extra or the dependency group it belongs to; None where it counts always."""

    @property
    def name(self) -> NormalizedName:
        return canonicalize_name(self.requirement.name)


@dataclass(slots=True, kw_only=True)
class Inputs:
    """What all inputs ask for together."""

    requirements: list[InputRequirement] = field(default_factory=list)
    constraints: list[InputRequirement] = field(default_factory=list)
    overrides: list[InputRequirement] = field(default_factory=list)
    """What is asked for in place of what packages ask for."""
    excludes: list[NormalizedName] = field(default_factory=list)
    """Projects that are left out, whoever asks for them."""
    extras: tuple[NormalizedName, ...] = ()
    """Extras that installs may choose from, sorted."""
    groups: tuple[NormalizedName, ...] = ()
    """Dependency groups that installs may choose from, sorted."""
    requires_python: SpecifierSet | None = None
    """What the project that asks says of itself."""
    settings: Settings = field(default_factory=Settings)
    """What the project that asks settles."""
    index_url: str | None = None
    extra_index_urls: list[str] = field(default_factory=list)
    no_index: bool = False
    find_links: list[str] = field(default_factory=list)
    no_binary: list[str] = field(default_factory=list)
    """In the order in which files say it, as pip's option takes it; so is the next."""
    only_binary: list[str] = field(default_factory=list)
    prereleases: bool = False
    require_hashes: bool = False
