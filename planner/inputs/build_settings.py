"""What a project sets for builds in ``[tool.lockstream.build.NAME]``: flags, and requirements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from schemas.builds import BuildFlags, ConfigSettings
from schemas.data_class import frozen
from schemas.urls import storable

__all__ = ["BuildSetting", "check_requirement", "read_build_settings"]


_KEYS = {"config-settings", "environment", "requires", "jobs", "defaults"}


@frozen(kw_only=True)
class BuildSetting:
    """What the user says of the build of one package; what is not given is None or empty."""

    config_settings: ConfigSettings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    """Requirements of the build that its source does not declare."""
    jobs: int | None = None
    defaults: bool | None = None

    def with_variable(self, name: str, value: str) -> BuildSetting:
        """Return a copy with one more environment variable."""
        return replace(self, environment={**self.environment, name: value})

    def with_setting(self, key: str, value: str) -> BuildSetting:
        """Return a copy with one more config setting; a key given twice becomes a list."""
        before = self.config_settings.get(key)
        several = [*([before] if isinstance(before, str) else before or []), value]
        setting: str | list[str] = several if len(several) > 1 else value
        return replace(self, config_settings={**self.config_settings, key: setting})

    def with_requirement(self, text: str) -> BuildSetting:
        """Return a copy with one more requirement."""
        return replace(self, requires=(*self.requires, text))

    def texts(self) -> dict[str, str]:
        """Return the config settings, each as one text."""
        return {
            key: value if isinstance(value, str) else " ".join(value)
            for key, value in self.config_settings.items()
        }

    def to_table(self) -> dict[str, Any]:
        """Return the TOML table that the lock records."""
        table = BuildFlags(
            config_settings=self.config_settings, environment=self.environment
        ).to_table()
        del table["jobs"]
        if self.requires:
            table["requires"] = sorted(self.requires)
        if self.jobs is not None:
            table["jobs"] = self.jobs
        if self.defaults is not None:
            table["defaults"] = self.defaults
        return table


def check_requirement(place: str, text: str) -> None:
    """Raise ValueError, which says what is wrong, unless ``text`` at ``place`` is a requirement
    (PEP 508) that a lock may hold.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        problem = str(error).partition("\n")[0]
        raise ValueError(f"{place} has {text!r}, which is not a requirement: {problem}") from None
    if requirement.url is not None and storable(requirement.url) != requirement.url:
        raise ValueError(f"{place} has an address with a login for {requirement.name}")


def read_build_settings(value: object) -> dict[str, BuildSetting]:
    """Return the settings by package. Raise ValueError, which says what is wrong."""
    if not isinstance(value, Mapping):
        raise ValueError("is not a table")  # noqa: TRY004  # the user's mistake, not a programmer's
    return {name: _read_one(name, table) for name, table in value.items()}


def _read_one(name: str, table: object) -> BuildSetting:
    if not isinstance(table, Mapping) or not table.keys() <= _KEYS:
        raise ValueError(f"{name} is not a table of {', '.join(sorted(_KEYS))}")
    flags = BuildFlags.from_table(table)
    jobs, defaults = table.get("jobs"), table.get("defaults")
    if dict(flags.environment) != table.get("environment", {}):
        raise ValueError(f"{name}.environment is not a table of strings")
    if dict(flags.config_settings) != table.get("config-settings", {}):
        raise ValueError(f"{name}.config-settings is not a table of strings and lists of strings")
    requires = table.get("requires", [])
    if not isinstance(requires, list) or not all(isinstance(one, str) for one in requires):
        raise ValueError(f"{name}.requires is not a list of strings")
    for text in requires:
        check_requirement(f"{name}.requires", text)
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise ValueError(f"{name}.jobs is not a number above 0")
    if defaults is not None and not isinstance(defaults, bool):
        raise ValueError(f"{name}.defaults is neither true nor false")
    return BuildSetting(
        config_settings=flags.config_settings,
        environment=flags.environment,
        requires=tuple(requires),
        jobs=jobs,
        defaults=defaults,
    )
