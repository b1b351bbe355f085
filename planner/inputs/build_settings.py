"""Flags of builds that a project sets in ``[tool.lockstream.build.NAME]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

from schemas.builds import BuildFlags, ConfigSettings
from schemas.data_class import frozen

__all__ = ["BuildSetting", "read_build_settings"]


_KEYS = {"config-settings", "environment", "jobs", "defaults"}


@frozen(kw_only=True)
class BuildSetting:
    """Build flags as the user gives them, for one package; a flag not given is None or empty."""

    config_settings: ConfigSettings = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
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
        if self.jobs is not None:
            table["jobs"] = self.jobs
        if self.defaults is not None:
            table["defaults"] = self.defaults
        return table


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
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise ValueError(f"{name}.jobs is not a number above 0")
    if defaults is not None and not isinstance(defaults, bool):
        raise ValueError(f"{name}.defaults is neither true nor false")
    return BuildSetting(
        config_settings=flags.config_settings,
        environment=flags.environment,
        jobs=jobs,
        defaults=defaults,
    )
