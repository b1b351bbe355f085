"""Options of the command line, resolved over the settings of the project and the machine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from packaging.utils import canonicalize_name

from planner.index.indexes import (
    Index,
    Indexes,
    Links,
    Pin,
    Strategy,
    parse_index,
    parse_links_place,
)
from planner.inputs.inputs import Inputs
from planner.inputs.pip_config import (
    PUBLIC_INDEX,
    configured_index,
    configured_links,
    configured_values,
    extra_indexes,
    without_indexes,
)
from planner.inputs.recorded_options import options_from_table, options_to_table
from planner.inputs.settings import Settings
from planner.model.paths import relative_path
from planner.model.policy import (
    Ordering,
    Policy,
    Prereleases,
    UploadLimits,
    parse_limit,
    parse_moment,
    parse_moments,
)
from planner.model.project_set import parse_names
from schemas.credentials import Login, login_of_index
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import redacted, storable

__all__ = ["IndexRequest", "PolicyRequest", "conflicts_table", "index_table"]


@frozen(kw_only=True)
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
    configured: Sequence[str] = ()
    """The indexes that pip or uv is configured for on the machine that planned the lock first, the
    default index last."""
    configured_links: Sequence[str] = ()
    """The folders and pages with links of the same."""
    is_complete: bool = False
    """Whether the configuration of a machine is among these options already."""

    def with_configured(self, inputs: Inputs, environment: Mapping[str, str]) -> IndexRequest:
        """Return the options with what pip and uv are configured for on this machine. Those that
        an earlier plan recorded are complete.
        """
        if self.is_complete:
            return self
        complete = replace(
            self,
            configured_links=tuple(configured_links(environment)),
            no_index=self.no_index or without_indexes(environment),
            is_complete=True,
        )
        if complete.no_index or inputs.no_index:
            return complete
        extra = [*extra_indexes(environment)]
        default = self.default_index or inputs.index_url or inputs.settings.default_index
        if default and not extra:
            return complete
        own = default or configured_index(environment)
        return replace(complete, configured=(*extra, own))

    def resolve(self, inputs: Inputs, environment: Mapping[str, str]) -> Indexes:
        """Return all places in the order of their rank: folders and pages with links, then the
        named indexes, then the default index. Raise UsageError if an option is malformed.
        """
        if not self.is_complete:
            return self.with_configured(inputs, environment).resolve(inputs, environment)
        settings = inputs.settings
        links = dict.fromkeys([*self.find_links, *self.configured_links, *inputs.find_links])
        places: list[Links | Index] = [parse_links_place(place) for place in links]
        if not self.no_index and not inputs.no_index:
            places += self._indexes(inputs, environment)
        pins = {
            **settings.sources,
            **{canonicalize_name(project): (Pin(name),) for project, name in _pairs(self.pins)},
        }
        strategy = self.strategy or settings.index_strategy or Strategy.FIRST_INDEX
        trusted = [*inputs.trusted_hosts, *configured_values("trusted-host", environment)]
        return Indexes(
            places=tuple(places),
            strategy=Strategy(strategy),
            pins={project: found for project, found in pins.items() if found},
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
        default = self.default_index or inputs.index_url or settings.default_index
        own = self.configured or [""]
        named += (parse_index(text, named=True) for text in own[:-1])
        named.append(parse_index(default or own[-1] or configured_index(environment)))
        logins = _configured_logins(environment) if self.configured else {}
        known: set[str] = set()
        for index in named:
            # One that is for its sources only leaves its projects to others, and sources need the
            # name of theirs.
            if index.url in known and index.name is None:
                continue
            if not index.explicit:
                known.add(index.url)
            login = index.login or logins.get(index.url)
            if login is None and index.name:
                login = login_of_index(index.name, environment)
            yield replace(index, login=login)

    def to_options(self, folder: str) -> dict[str, Any]:
        """Return the table of these options for a lock in ``folder``: without credentials, and
        with paths relative to that folder.
        """
        default = self.default_index and parse_index(self.default_index).url
        indexes = [_spelled(parse_index(text, named=True)) for text in self.indexes]
        configured = [_spelled(parse_index(text, named=True)) for text in self.configured]
        shown = replace(
            self,
            find_links=_spelled_links(self.find_links, folder),
            configured_links=_spelled_links(self.configured_links, folder),
            default_index=default,
            indexes=indexes,
            configured=() if configured == [parse_index(PUBLIC_INDEX).url] else configured,
            is_complete=False,
        )
        return options_to_table(shown)

    @classmethod
    def from_options(cls, table: object, folder: str) -> IndexRequest:
        """Return what ``to_options`` recorded in a lock in ``folder``."""
        found = options_from_table(cls, table)
        return replace(
            found,
            find_links=_read_links(found.find_links, folder),
            configured_links=_read_links(found.configured_links, folder),
            is_complete=True,
        )


def _spelled_links(links: Sequence[str], folder: str) -> tuple[str, ...]:
    """Return links as a lock in ``folder`` records them."""
    return tuple(
        storable(place.place) if place.is_page else relative_path(place.place, folder)
        for place in map(parse_links_place, links)
    )


def _read_links(links: Sequence[str], folder: str) -> tuple[str, ...]:
    """Return links that a lock in ``folder`` records."""
    return tuple(
        place if "://" in place else os.path.normpath(os.path.join(folder, place))
        for place in links
    )


@frozen(kw_only=True)
class PolicyRequest:
    """The options that say how to choose among versions and files."""

    prerelease: str | None = None
    resolution: str | None = None
    exclude_newer: str | None = None
    exclude_newer_package: Sequence[str] = ()
    """``NAME=MOMENT``."""
    no_binary: Sequence[str] = ()
    only_binary: Sequence[str] = ()
    allow_hosts: Sequence[str] = ()
    require_hashes: bool | None = None
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
            uploads=UploadLimits(
                default=parse_moment(moment, now) if moment else None,
                of_projects=parse_moments(self._moments(settings), now),
                of_indexes={
                    parse_index(one.url).url: parse_limit(one.exclude_newer, now)
                    for one in settings.indexes.values()
                    if one.exclude_newer is not None
                },
            ),
            no_binary=parse_names([*settings.no_binary, *inputs.no_binary, *self.no_binary]),
            only_binary=parse_names(
                [*settings.only_binary, *inputs.only_binary, *self.only_binary]
            ),
            hosts=_hosts([*settings.allow_hosts, *self.allow_hosts]),
            require_hashes=bool(self.require_hashes),
            align=True if align is None else align,
        )

    def _moments(self, settings: Settings) -> list[str]:
        """Return the moments of single projects: those of the settings, then the options."""
        of_settings = [f"{name}={one}" for name, one in settings.exclude_newer_package.items()]
        return [*of_settings, *self.exclude_newer_package]

    def to_table(self, policy: Policy, inputs: Inputs) -> dict[str, Any]:
        """Return the settings of ``policy`` that differ from the defaults. The lock records them,
        because another policy could have made another lock.
        """
        settings = inputs.settings
        table: dict[str, Any] = {}
        prereleases = Prereleases.ALLOW if inputs.prereleases else policy.prereleases
        if prereleases is not Prereleases.IF_NECESSARY:
            table["prerelease"] = str(prereleases)
        if policy.ordering is not Ordering.HIGHEST:
            table["resolution"] = str(policy.ordering)
        if moment := self.exclude_newer or settings.exclude_newer:
            table["exclude-newer"] = moment
        if moments := self._moments(settings):
            table["exclude-newer-package"] = moments
        limits = {name: one.exclude_newer for name, one in settings.indexes.items()}
        if limits := {name: text for name, text in limits.items() if text is not None}:
            table["exclude-newer-index"] = limits
        for key in ("no_binary", "only_binary"):
            sets = [one for given in (settings, inputs, self) for one in getattr(given, key)]
            if sets:
                table[key.replace("_", "-")] = sets
        if policy.hosts:
            table["allow-hosts"] = sorted(policy.hosts)
        if policy.require_hashes or inputs.require_hashes:
            table["require-hashes"] = True
        if not policy.align:
            table["align"] = False
        if stated := {one.subject: one.to_table() for one in settings.dependency_metadata[::-1]}:
            table["dependency-metadata"] = stated
        return table


def _configured_logins(environment: Mapping[str, str]) -> dict[str, Login]:
    """Return the logins in the addresses that this machine is configured for, by address."""
    texts = [*extra_indexes(environment), configured_index(environment)]
    own = [parse_index(text, named=True) for text in texts]
    return {index.url: index.login for index in own if index.login}


def _spelled(index: Index) -> str:
    return f"{index.name}={index.url}" if index.name else index.url


def index_table(indexes: Indexes, folder: str) -> dict[str, Any]:
    """Return the table of the places that were searched, for a lock in ``folder``."""
    places = []
    for place in indexes.places:
        if isinstance(place, Index):
            address = _spelled(place)
            places.append(f"{address} (explicit)" if place.explicit else address)
        elif place.is_page:
            places.append(storable(place.place))
        else:
            places.append(relative_path(place.place, folder))
    table: dict[str, Any] = {"indexes": places}
    if indexes.strategy is not Strategy.FIRST_INDEX:
        table["index-strategy"] = str(indexes.strategy)
    if indexes.pins:
        table["sources"] = {
            name: _spelled_pins(pins) for name, pins in sorted(indexes.pins.items())
        }
    return table


def conflicts_table(inputs: Inputs) -> dict[str, Any]:
    """Return the table of the extras and groups that exclude each other, for a lock."""
    conflicts = sorted(" and ".join(sorted(map(str, one))) for one in inputs.conflicts)
    return {"conflicts": conflicts} if conflicts else {}


def _spelled_pins(pins: Sequence[Pin]) -> str | list[str | dict[str, str]]:
    values = [one.to_value() for one in pins]
    first, *others = values
    return values if others or not isinstance(first, str) else first


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        project, equals, name = word.partition("=")
        if not equals or not name:
            raise UsageError(
                f"--package-index {word!r} is not a pair", hint="write it as PROJECT=NAME"
            )
        yield project, name


def _hosts(words: Iterable[str]) -> frozenset[str]:
    hosts = frozenset(map(str.lower, words))
    for word in hosts:
        if "/" in word:
            raise UsageError(
                f"--allow-host {redacted(word)!r} is not a host",
                hint="write the host alone, such as files.example.org",
            )
    return hosts
