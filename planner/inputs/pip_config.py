"""The places for files that the user has configured for pip and uv.

Sources: https://pip.pypa.io/en/stable/topics/configuration/ and
https://docs.astral.sh/uv/reference/environment/.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping

from executor import read_input
from planner.inputs.uv_config import uv_configuration
from schemas.errors import UsageError

__all__ = [
    "PUBLIC_INDEX",
    "configured_index",
    "configured_links",
    "configured_values",
    "extra_indexes",
    "unread_settings",
    "without_indexes",
]


PUBLIC_INDEX = "https://" + "pypi" + ".org/simple/"


_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_INDEX_URL")


_SECTIONS = ("install", "global")
"""Of pip's configuration: a key of the command counts before a global one, in whichever file."""


_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"", "0", "false", "no", "off"})


_UNREAD = (
    *("PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_ONLY_BINARY", "PIP_PRE", "PIP_REQUIRE_HASHES"),
    *("PIP_BUILD_CONSTRAINT", "PIP_UPLOADED_PRIOR_TO"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_EXCLUDE", "UV_BUILD_CONSTRAINT", "UV_EXCLUDE_NEWER"),
    *("UV_PRERELEASE", "UV_RESOLUTION", "UV_FORK_STRATEGY", "UV_INDEX_STRATEGY"),
    *("UV_NO_BINARY", "UV_NO_BINARY_PACKAGE", "UV_NO_SOURCES", "UV_NO_SOURCES_PACKAGE"),
    "UV_TORCH_BACKEND",
)
"""Variables that change what pip or uv install. Here the inputs say it, so that a lock does not
depend on the shell."""


_UNREAD_OPTIONS = (
    *("build-constraint", "constraint", "no-binary", "only-binary", "pre", "require-hashes"),
    "uploaded-prior-to",
)
"""The same in pip's configuration files."""


def configured_index(environment: Mapping[str, str]) -> str:
    """Return the index to use if neither the command line nor an input names one: that of the
    environment variables, else of uv's or pip's configuration files, else PyPI.
    """
    for variable in _INDEX_VARIABLES:
        if url := environment.get(variable):
            return url
    if url := uv_configuration(environment).default_index:
        return url
    return next(iter(configured_values("index-url", environment)), PUBLIC_INDEX)


def extra_indexes(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the further indexes: ``URL``, or uv's ``NAME=URL``."""
    for variable in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        yield from environment.get(variable, "").split()
    yield from uv_configuration(environment).indexes
    yield from configured_values("extra-index-url", environment)


def configured_links(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the folders and pages with links."""
    yield from filter(None, environment.get("UV_FIND_LINKS", "").split(","))
    yield from uv_configuration(environment).links
    yield from configured_values("find-links", environment)


def configured_values(option: str, environment: Mapping[str, str]) -> list[str]:
    """Return the values of pip's ``option``: of its variable, else of the most specific of pip's
    configuration files that has it. Raise UsageError if such a file cannot be read.
    """
    if value := environment.get(f"PIP_{option.replace('-', '_').upper()}"):
        return value.split()
    files = [_read(path) for path in _pip_configuration_files(environment)]
    for section in _SECTIONS:
        for parser in files:
            for key in _spellings(option):
                if value := parser.get(section, key, fallback=""):
                    return value.split()
    return []


def _spellings(option: str) -> tuple[str, str]:
    return option, option.replace("-", "_")


def without_indexes(environment: Mapping[str, str]) -> bool:
    """Return whether pip or uv are configured to use nothing but links."""
    closed = configured_values("no-index", environment)
    return (bool(closed) and closed[0].lower() in _YES) or uv_configuration(environment).no_index


def unread_settings(environment: Mapping[str, str]) -> list[str]:
    """Return the variables of pip and uv, and the keys of their configuration files, that are set,
    would change a plan, and are not read.
    """
    found = [name for name in _UNREAD if environment.get(name)]
    found += uv_configuration(environment).unread
    for path in _pip_configuration_files(environment):
        parser = _read(path)
        for section in _SECTIONS:
            for option in _UNREAD_OPTIONS:
                values = (parser.get(section, one, fallback="") for one in _spellings(option))
                if next(filter(None, values), "").lower() not in _NO:
                    found.append(f"{path}: {option}")
    return found


def _pip_configuration_files(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the paths of the files that pip reads, the most specific first."""
    own = environment.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return
    if own:
        yield own
    if folder := environment.get("VIRTUAL_ENV"):
        yield os.path.join(folder, "pip.conf")
    if home := environment.get("HOME"):
        settings = environment.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        yield os.path.join(home, "Library", "Application Support", "pip", "pip.conf")
        yield os.path.join(settings, "pip", "pip.conf")
        yield os.path.join(home, ".pip", "pip.conf")
    for folder in (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep):
        yield os.path.join(folder, "pip", "pip.conf")
    yield "/Library/Application Support/pip/pip.conf"
    yield "/etc/pip.conf"


def _read(path: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_input(path).decode(), path)
    except OSError:
        return configparser.RawConfigParser()
    except (configparser.Error, UnicodeDecodeError, ValueError) as error:
        raise UsageError(
            f"{path}: pip's configuration cannot be read: {error}",
            hint="correct it, or plan without it: PIP_CONFIG_FILE=/dev/null",
        ) from None
    return parser
