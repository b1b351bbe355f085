"""The indexes that the user has configured for pip and uv.

Sources: https://pip.pypa.io/en/stable/topics/configuration/ and
https://docs.astral.sh/uv/reference/environment/.
"""

from __future__ import annotations

import configparser
import os
from collections.abc import Iterator, Mapping

from schemas.errors import UsageError

__all__ = ["PUBLIC_INDEX", "configured_index", "extra_indexes"]


PUBLIC_INDEX = "https://" + "pypi" + ".org/simple/"


_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "PIP_INDEX_URL", "UV_INDEX_URL")


_EXTRA_VARIABLES = ("UV_INDEX", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL")


def configured_index(environment: Mapping[str, str]) -> str:
    """Return the index to use if neither the command line nor an input names one: that of the
    environment variables, else that of pip's configuration files, else PyPI.
    """
    for variable in _INDEX_VARIABLES:
        if url := environment.get(variable):
            return url
    for path in _pip_configuration_files(environment):
        if url := _read_index_url(path):
            return url
    return PUBLIC_INDEX


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
        yield os.path.join(settings, "pip", "pip.conf")
        yield os.path.join(home, ".pip", "pip.conf")
    yield "/etc/pip.conf"


def _read_index_url(path: str) -> str | None:
    parser = configparser.RawConfigParser()
    try:
        with open(path, encoding="utf-8") as file:
            parser.read_file(file)
    except OSError:
        return None
    except (configparser.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: pip's configuration cannot be read: {error}") from None
    for name in ("index-url", "index_url"):
        if url := parser.get("global", name, fallback=""):
            return url
    return None


def extra_indexes(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the further indexes of the environment variables: ``URL``, or uv's ``NAME=URL``."""
    for variable in _EXTRA_VARIABLES:
        yield from environment.get(variable, "").split()
