"""Which packages may be built, and with which flags: from the command line and the project.

::

    [tool.lockstream.build.kiwisolver]
    environment = { CXXFLAGS = "-O2" }
    config-settings = { "--build-option" = ["--verbose"] }
    jobs = 2
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.utils import canonicalize_name

from planner.inputs.build_settings import BuildSetting
from planner.model.project_set import ProjectSet, parse_names
from schemas.builds import BuildFlags
from schemas.errors import UsageError

__all__ = ["BuildPolicy", "BuildRequest"]


WHEELHOUSE = "wheelhouse"
"""The folder beside the lock, where none is named."""


_ASSIGNMENT = re.compile(
    r"(?:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*):)?(?P<key>[^=\s]+)=(?P<value>.*)", re.DOTALL
)


_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASS(?:WORD|WD|PHRASE)?|CREDENTIALS?|AUTH|API_?KEY|ACCESS_?KEY|"
    r"PRIVATE_?KEY)(?:$|_)",
    re.IGNORECASE,
)


_SECRET_VALUE = re.compile(r"://[^/\s@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPolicy:
    """What is decided about building."""

    allowed: ProjectSet = field(default_factory=ProjectSet)
    """Projects of which wheels may be built where there are none."""
    asked: Mapping[str, BuildSetting] = field(default_factory=dict)
    """Flags by project, as the command line has them; under the empty name, those of all."""
    settled: Mapping[str, BuildSetting] = field(default_factory=dict)
    """The same, as the project has them."""
    defaults: bool = True
    """Whether flags are added that bound memory without changing what is built."""
    measured_jobs: int = 1
    """Up to so many compilers at once are measured."""
    network: bool = True
    seconds: float = 3600.0
    """After which a build is given up."""
    wheelhouse: str | None = WHEELHOUSE
    """The folder that wheels are kept in; None where none are."""
    wheelhouse_url: str | None = None
    """The address under which that folder will be served."""

    def flags(self, package: str, backend: str) -> BuildFlags:
        """The flags for one build, at one job or at what is asked for."""
        # Loading the executor takes a tenth of a plan, and few build anything.
        from executor import default_flags, with_jobs  # noqa: PLC0415

        told = [
            setting
            for setting in (
                self.settled.get(package),
                self.asked.get(""),
                self.asked.get(package),
            )
            if setting is not None
        ]
        wants_defaults = self.defaults and all(one.defaults is not False for one in told)
        flags = default_flags(backend) if wants_defaults else BuildFlags()
        jobs = 1
        for one in told:
            flags = replace(
                flags,
                config_settings={**flags.config_settings, **one.config_settings},
                environment={**flags.environment, **one.environment},
            )
            jobs = one.jobs or jobs
        return with_jobs(flags, backend, jobs) if wants_defaults else replace(flags, jobs=jobs)

    def to_table(self) -> dict[str, Any]:
        """What of it makes another lock, for the lock."""
        if not self.allowed:
            return {}
        table: dict[str, Any] = {
            "packages": "missing" if self.allowed.are_excluded else sorted(self.allowed.named)
        }
        for key, settings in (("flags", self.asked), ("settings", self.settled)):
            if told := {name or "*": one.to_table() for name, one in sorted(settings.items())}:
                table[key] = told
        if not self.defaults:
            table["defaults"] = False
        if self.measured_jobs > 1:
            table["measured-jobs"] = self.measured_jobs
        if self.wheelhouse is None:
            table["wheelhouse"] = False
        if self.wheelhouse_url:
            table["wheelhouse-url"] = self.wheelhouse_url
        return table


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """What a command line says about building."""

    select: Sequence[str] = ()
    """``never``, ``missing``, or names divided by commas."""
    environment: Sequence[str] = ()
    """``[PACKAGE:]NAME=VALUE``."""
    config_settings: Sequence[str] = ()
    """``[PACKAGE:]KEY=VALUE``."""
    defaults: bool = True
    measured_jobs: int = 1
    network: bool = True
    seconds: float = 3600.0
    wheelhouse: str | None = None
    no_wheelhouse: bool = False
    wheelhouse_url: str | None = None

    def resolve(self, settled: Mapping[str, BuildSetting]) -> BuildPolicy:
        """The policy, with what the project settles. Raises UsageError."""
        asked: dict[str, BuildSetting] = {}
        for option, words in (
            ("--build-env", self.environment),
            ("--config-setting", self.config_settings),
        ):
            for package, key, value in _assignments(option, words):
                before = asked.get(package, BuildSetting())
                asked[package] = (
                    before.with_variable(key, value)
                    if option == "--build-env"
                    else before.with_setting(key, value)
                )
        for settings in (asked, settled):
            for one in settings.values():
                _refuse_secrets(one.environment)
                _refuse_secrets(one.texts())
        if self.no_wheelhouse and (self.wheelhouse or self.wheelhouse_url):
            raise UsageError(
                "--no-wheelhouse leaves no wheel to name a place for", hint="leave one of them out"
            )
        return BuildPolicy(
            allowed=_parse_select(self.select),
            asked=asked,
            settled={canonicalize_name(name): one for name, one in settled.items()},
            defaults=self.defaults,
            measured_jobs=self.measured_jobs,
            network=self.network,
            seconds=self.seconds,
            wheelhouse=None if self.no_wheelhouse else self.wheelhouse or WHEELHOUSE,
            wheelhouse_url=self.wheelhouse_url,
        )


def _parse_select(words: Sequence[str]) -> ProjectSet:
    found: list[str] = []
    for word in (one.strip() for text in words for one in text.split(",")):
        if word == "never":
            found.clear()
        elif word:
            found.append(":all:" if word == "missing" else word)
    return parse_names(found)


def _assignments(option: str, words: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for word in words:
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            # The value may be a secret that was not meant to be seen.
            raise UsageError(
                f"{option} {word.partition('=')[0]!r} gives no value",
                hint="write it as KEY=VALUE, or PACKAGE:KEY=VALUE",
            )
        package = match["package"]
        yield canonicalize_name(package) if package else "", match["key"], match["value"]


def _refuse_secrets(flags: Mapping[str, str]) -> None:
    for name, value in flags.items():
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
            raise UsageError(
                f"the build flag {name} looks like a secret, and flags are written into the lock",
                hint="builds get no secrets: let the index serve what it needs, or build the "
                "wheel where the secret is and list that folder with --find-links",
            )
