"""Locks of a few tables, for the modules that export them."""

from __future__ import annotations

from typing import Any

import tomli_w
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from planner.exports.direct import Direct
from planner.lock.reader import parse_lock

__all__ = ["PYPI", "digest", "directly", "lock_with", "sdist", "wheel"]

PYPI = "https://" + "pypi" + ".org/simple"


def lock_with(*packages: dict[str, Any], **header: Any) -> Pylock:
    """A lock of these ``[[packages]]`` tables; ``header`` adds keys, with ``_`` for ``-``."""
    named = {key.replace("_", "-"): value for key, value in header.items()}
    document = {"lock-version": "1.0", "created-by": "tests", **named, "packages": list(packages)}
    return parse_lock(tomli_w.dumps(document))


def wheel(
    name: str, version: str = "1.0", *, at: str = "https://files.example", **keys: Any
) -> dict[str, Any]:
    """The table of a package with one wheel, whose digest is 64 times the first letter of its name
    or 64 zeros; ``keys`` are further ones of the package.
    """
    place = f"{at}/{name}-{version}-py3-none-any.whl"
    kind = "url" if "://" in at else "path"
    file = {kind: place, "hashes": {"sha256": digest(name)}}
    return {"name": name, "version": version, "wheels": [file], **keys}


def sdist(name: str, version: str = "1.0", **keys: Any) -> dict[str, Any]:
    """The table of a package that is a source distribution only."""
    file = {
        "url": f"https://files.example/{name}-{version}.tar.gz",
        "hashes": {"sha256": digest(name)},
    }
    return {"name": name, "version": version, "sdist": file, **keys}


def digest(name: str) -> str:
    return (name[0] if name[0] in "abcdef" else "0") * 64


def directly(*names: str, project: str = "", version: str = "") -> Direct:
    """What the inputs of a lock require themselves."""
    return Direct(names=frozenset(map(canonicalize_name, names)), project=project, version=version)
