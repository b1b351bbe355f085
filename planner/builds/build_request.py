"""Which packages may be built, and with which flags: from the command line and the project.

::

    [tool.lockstream.build.kiwisolver]
    environment = { CXXFLAGS = "-O2" }
    config-settings = { "--build-option" = ["--verbose"] }
    requires = ["numpy<3"]
    jobs = 2
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from planner.builds.policy import MAX_SECONDS, WHEELHOUSE, BuildPolicy
from planner.inputs.build_settings import BuildSetting, check_requirement
from planner.inputs.inputs import InputRequirement
from planner.inputs.recorded_options import keep_recorded, options_from_table, options_to_table
from planner.inputs.remote_file import FetchFile, refuse_remote
from planner.model.paths import relative_path
from planner.model.project_set import ProjectSet, first_invalid_name, parse_names
from schemas.data_class import frozen
from schemas.errors import UsageError
from schemas.urls import has_unquoted_login, redacted, storable, without_credentials

__all__ = ["BuildRequest"]


_ASSIGNMENT = re.compile(
    r"(?:(?P<package>[A-Za-z0-9][A-Za-z0-9._-]*):)?(?P<key>[^=\s]+)=(?P<value>.*)", re.DOTALL
)


_SECRET_NAME = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASS(?:WORD|WD|PHRASE)?|CREDENTIALS?|AUTH|API_?KEY|ACCESS_?KEY|"
    r"PRIVATE_?KEY)(?:$|_)",
    re.IGNORECASE,
)


_SECRET_VALUE = re.compile(r"://[^/\s@]+@")


@frozen(kw_only=True)
class BuildRequest:
    """The options of the command line about building."""

    select: Sequence[str] = ()
    """``never``, ``missing``, or names divided by commas."""
    environment: Sequence[str] = ()
    """``[PACKAGE:]NAME=VALUE``."""
    config_settings: Sequence[str] = ()
    """``[PACKAGE:]KEY=VALUE``."""
    requires: Sequence[str] = ()
    """``PACKAGE:REQUIREMENT``."""
    deferred: bool | None = None
    defaults: bool | None = None
    measured_jobs: int | None = None
    network: bool | None = None
    seconds: float | None = None
    """Time limit of one build."""
    wheelhouse: str | None = None
    no_wheelhouse: bool = False
    wheelhouse_url: str | None = None
    constraints: Sequence[str] = ()
    """Paths of files with constraints for build requirements."""

    def to_options(self, folder: str) -> dict[str, Any]:
        """Return the table of these options for a lock in ``folder``, with paths from there."""
        paths = (
            storable(path) if "://" in path else relative_path(path, folder)
            for path in self.constraints
        )
        address = _without_login(self.wheelhouse_url)
        return options_to_table(
            replace(self, constraints=tuple(paths), wheelhouse_url=address),
        )

    @classmethod
    def from_options(cls, table: object, folder: str) -> BuildRequest:
        """Return what ``to_options`` recorded in a lock in ``folder``."""
        found = options_from_table(cls, table)
        paths = [
            path if "://" in path else os.path.normpath(os.path.join(folder, path))
            for path in found.constraints
        ]
        return replace(found, constraints=tuple(paths))

    def keep(self, recorded: BuildRequest) -> BuildRequest:
        """Return these options, with those of ``recorded`` that they do not replace."""
        if self.no_wheelhouse:
            recorded = replace(recorded, wheelhouse=None, wheelhouse_url=None)
        elif self.wheelhouse or self.wheelhouse_url:
            recorded = replace(recorded, no_wheelhouse=False)
        return keep_recorded(self, recorded)

    def resolve(
        self, configured: Mapping[str, BuildSetting], fetch: FetchFile = refuse_remote
    ) -> BuildPolicy:
        """Return the policy, with the settings of the project and the lines of the constraints
        files. Raise UsageError, and what ``read_requirements`` raises.
        """
        requested: dict[str, BuildSetting] = {}
        for option, words in (
            ("--build-env", self.environment),
            ("--config-setting", self.config_settings),
        ):
            for package, key, value in _assignments(option, words):
                before = requested.get(package, BuildSetting())
                requested[package] = (
                    before.with_variable(key, value)
                    if option == "--build-env"
                    else before.with_setting(key, value)
                )
        for package, text in _requirements(self.requires):
            before = requested.get(package, BuildSetting())
            requested[package] = before.with_requirement(text)
        for settings in (requested, configured):
            for one in settings.values():
                _refuse_secrets(one.environment)
                _refuse_secrets(one.texts())
        if self.no_wheelhouse and (self.wheelhouse or self.wheelhouse_url):
            raise UsageError(
                "--no-wheelhouse keeps no wheels, so a wheelhouse cannot be named",
                hint="leave one of the options out",
            )
        return BuildPolicy(
            allowed=_parse_select(self.select),
            requested=requested,
            configured={canonicalize_name(name): one for name, one in configured.items()},
            deferred=bool(self.deferred),
            defaults=self.defaults is not False,
            measured_jobs=self.measured_jobs or 1,
            network=self.network is not False,
            seconds=self.seconds or MAX_SECONDS,
            wheelhouse=None if self.no_wheelhouse else self.wheelhouse or WHEELHOUSE,
            wheelhouse_url=_without_login(self.wheelhouse_url),
            constraints=_read_constraints(self.constraints, fetch) if self.constraints else (),
        )


def _without_login(url: str | None) -> str | None:
    """Return the address below which wheels will be served as a lock has it: whoever executes that
    looks for a login elsewhere. Raise UsageError if nothing can be fetched from there.
    """
    if not url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError if it is not a port
        place = parts.path if parts.scheme == "file" else parts.hostname
        is_served = parts.scheme in {"http", "https", "file"} and place and not parts.query
    except ValueError:
        is_served = False
    if not is_served or has_unquoted_login(url):
        raise UsageError(
            f"--wheelhouse-url {redacted(url)!r} is not the http, https or file address of a "
            "folder, without a query",
            hint="write it as https://wheels.example/folder/",
        )
    return without_credentials(url)


def _read_constraints(paths: Sequence[str], fetch: FetchFile) -> tuple[InputRequirement, ...]:
    # Few plans limit what builds require.
    from planner.inputs.requirements_file import read_requirements  # noqa: PLC0415

    return read_requirements((), paths, environment=os.environ, fetch=fetch).constraints


def _parse_select(words: Sequence[str]) -> ProjectSet:
    found: list[str] = []
    for word in (one.strip() for text in words for one in text.split(",")):
        if word == "never":
            found.clear()
        elif word:
            found.append(":all:" if word == "missing" else word)
    if (wrong := first_invalid_name(found, sets=True)) is not None:
        raise UsageError(
            f"--build takes never, missing or names of projects, and {wrong!r} is none of them",
            hint="say versions, extras and markers in the inputs, and missing before a folder: "
            "--build missing FOLDER",
        )
    return parse_names(found)


def _assignments(option: str, words: Iterable[str]) -> Iterable[tuple[str, str, str]]:
    for word in words:
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            # The value may be a secret, so it is not shown.
            raise UsageError(
                f"{option} {word.partition('=')[0]!r} has no value",
                hint="write it as KEY=VALUE, or PACKAGE:KEY=VALUE",
            )
        package = match["package"]
        yield canonicalize_name(package) if package else "", match["key"], match["value"]


def _requirements(words: Iterable[str]) -> Iterable[tuple[str, str]]:
    for word in words:
        package, colon, text = word.partition(":")
        package, text = package.strip(), text.strip()
        try:
            if not colon or first_invalid_name([package]) is not None:
                raise ValueError(
                    f"--build-requires {word!r} does not begin with the name of a package"
                )
            check_requirement(f"--build-requires {package}", text)
        except ValueError as error:
            raise UsageError(
                str(error), hint="write it as PACKAGE:REQUIREMENT, such as flash-attn:torch"
            ) from None
        yield canonicalize_name(package), text


def _refuse_secrets(flags: Mapping[str, str]) -> None:
    for name, value in flags.items():
        if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
            raise UsageError(
                f"the build flag {name} looks like a secret, and flags are written into the lock",
                hint="builds get no secrets: let the index serve what the build needs, or build "
                "the wheel on a machine that has the secret and list its folder with --find-links",
            )
