"""Options of the command line, resolved over the settings of the project and the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from planner.index.indexes import (
    Index,
    Indexes,
    Links,
    Strategy,
    login_of_index,
    parse_index,
    parse_links_place,
)
from planner.inputs.inputs import Inputs
from planner.inputs.pip_config import (
    configured_index,
    configured_links,
    configured_values,
    extra_indexes,
)
from planner.model.policy import Ordering, Policy, Prereleases, parse_moment
from planner.model.project_set import parse_names
from schemas.errors import UsageError
from schemas.urls import storable

__all__ = ["IndexRequest", "PolicyRequest", "index_table"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRequest:
    """The options that say where to look for files."""

    default_index: str | None = None
    indexes: Sequence[str] = ()
    """``NAME=URL`` or ``URL``."""
    pins: Sequence[str] = ()
    """``PROJECT=NAME``."""
    find_links: Sequence[str] = ()
    no_index: bool = False
    strategy: str | None = None

    def resolve(self, inputs: Inputs, environment: Mapping[str, str]) -> Indexes:
        """Return all places in the order of their rank: folders and pages with links, then the
        named indexes, then the default index. Raise UsageError if an option is malformed.
        """
        settings = inputs.settings
        own = configured_links(environment)
        links = dict.fromkeys([*self.find_links, *inputs.find_links, *own])
        places: list[Links | Index] = [parse_links_place(place) for place in links]
        configured = configured_values("no-index", environment)
        is_closed = configured and configured[0].lower() in {"1", "true", "yes", "on"}
        if not self.no_index and not inputs.no_index and not is_closed:
            places += self._indexes(inputs, environment)
        pins = {**settings.sources, **dict(_pairs(self.pins))}
        strategy = self.strategy or settings.index_strategy or Strategy.FIRST_INDEX
        trusted = [*inputs.trusted_hosts, *configured_values("trusted-host", environment)]
        return Indexes(
            places=tuple(places),
            strategy=Strategy(strategy),
            pins={canonicalize_name(project): name for project, name in pins.items()},
            trusted_hosts=frozenset(trusted),
        )

    def _indexes(self, inputs: Inputs, environment: Mapping[str, str]) -> Iterator[Index]:
        settings = inputs.settings
        texts = [*self.indexes, *inputs.extra_index_urls]
        named = [parse_index(text, named=True) for text in texts]
        for name, setting in settings.indexes.items():
            if name not in {one.name for one in named}:
                index = replace(parse_index(setting.url), name=name, explicit=setting.explicit)
                named.append(index)
        named += (parse_index(text, named=True) for text in extra_indexes(environment))
        default = self.default_index or inputs.index_url or settings.default_index
        named.append(parse_index(default or configured_index(environment)))
        known: set[str] = set()
        for index in named:
            if index.url in known:
                continue
            known.add(index.url)
            login = index.login or (login_of_index(index.name, environment) if index.name else None)
            yield replace(index, login=login)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRequest:
    """The options that say how to choose among versions and files."""

    prerelease: str | None = None
    resolution: str | None = None
    exclude_newer: str | None = None
    no_binary: Sequence[str] = ()
    only_binary: Sequence[str] = ()
    allow_hosts: Sequence[str] = ()
    require_hashes: bool = False
    align: bool | None = None

    def resolve(self, inputs: Inputs, now: datetime) -> Policy:
        """Return the policy at the moment ``now``. Raise UsageError if an option is malformed."""
        settings = inputs.settings
        moment = self.exclude_newer or settings.exclude_newer
        align = settings.align if self.align is None else self.align
        return Policy(
            prereleases=Prereleases(
                self.prerelease or settings.prerelease or Prereleases.IF_NECESSARY
            ),
            ordering=Ordering(self.resolution or settings.resolution or Ordering.HIGHEST),
            uploaded_before=parse_moment(moment, now) if moment else None,
            no_binary=parse_names([*settings.no_binary, *inputs.no_binary, *self.no_binary]),
            only_binary=parse_names(
                [*settings.only_binary, *inputs.only_binary, *self.only_binary]
            ),
            hosts=frozenset([*settings.allow_hosts, *self.allow_hosts]),
            require_hashes=self.require_hashes,
            align=True if align is None else align,
        )

    def to_table(self, policy: Policy, inputs: Inputs) -> dict[str, Any]:
        """Return the settings of ``policy`` that differ from the defaults. The lock records them,
        because another policy could have made another lock.
        """
        settings = inputs.settings
        table: dict[str, Any] = {}
        if policy.prereleases is not Prereleases.IF_NECESSARY:
            table["prerelease"] = str(policy.prereleases)
        if policy.ordering is not Ordering.HIGHEST:
            table["resolution"] = str(policy.ordering)
        if moment := self.exclude_newer or settings.exclude_newer:
            table["exclude-newer"] = moment
        if no_binary := [*settings.no_binary, *inputs.no_binary, *self.no_binary]:
            table["no-binary"] = no_binary
        if only_binary := [*settings.only_binary, *inputs.only_binary, *self.only_binary]:
            table["only-binary"] = only_binary
        if policy.hosts:
            table["allow-hosts"] = sorted(policy.hosts)
        if policy.require_hashes:
            table["require-hashes"] = True
        if not policy.align:
            table["align"] = False
        return table


def index_table(indexes: Indexes, folder: str) -> dict[str, Any]:
    """Return the table of the places that were searched, for a lock in ``folder``."""
    places = []
    for place in indexes.places:
        if isinstance(place, Index):
            address = f"{place.name}={place.url}" if place.name else place.url
            places.append(f"{address} (explicit)" if place.explicit else address)
        elif place.is_page:
            places.append(storable(place.place))
        else:
            places.append(Path(os.path.relpath(place.place, folder)).as_posix())
    table: dict[str, Any] = {"indexes": places}
    if indexes.strategy is not Strategy.FIRST_INDEX:
        table["index-strategy"] = str(indexes.strategy)
    if indexes.pins:
        table["sources"] = dict(sorted(indexes.pins.items()))
    return table


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        project, equals, name = word.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--package-index {word!r} is not a pair", hint="write it as PROJECT=NAME"
            )
        yield project, name
