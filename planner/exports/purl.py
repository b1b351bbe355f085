"""Package URLs, by which other tools know a package.

Sources: https://github.com/package-url/purl-spec and the type ``pypi`` in it. A scanner looks for
vulnerabilities of what has one, so a folder of this machine has none: it need not be the project of
that name on PyPI.
"""

from __future__ import annotations

from urllib.parse import quote

from planner.exports.addresses import (
    PUBLIC,
    files_of,
    index_of,
    local_path,
    plain_url,
    repository_url,
)
from planner.exports.selection import ExportedPackage

__all__ = ["package_url", "plain_package_url"]


def package_url(one: ExportedPackage) -> str | None:
    """Return the package URL of ``one``, with the place that it comes from unless that is PyPI;
    None if it comes from a place on this machine that the lock names.
    """
    package = one.package
    if (qualifier := _origin(one)) is None:
        return None
    base = plain_package_url(package.name, str(one.version or ""))
    return f"{base}?{qualifier}" if qualifier else base


def plain_package_url(name: str, version: str) -> str:
    """Return the package URL of a project on PyPI; ``version`` may be empty."""
    return f"pkg:pypi/{name}@{quote(version, safe='')}" if version else f"pkg:pypi/{name}"


def _origin(one: ExportedPackage) -> str | None:
    """Return the qualifier for the place of a package."""
    package = one.package
    if url := repository_url(package):
        return f"vcs_url={quote(url, safe=':/')}"
    if package.archive is not None and package.archive.url:
        is_local = local_path(package.archive, "") is not None
        return (
            None if is_local else f"download_url={quote(plain_url(package.archive.url), safe=':/')}"
        )
    if not any(files_of(package)) or package.archive is not None:
        return None
    index = index_of(package)
    if index is None or index == PUBLIC or index.startswith("file:"):
        return ""
    return f"repository_url={quote(index, safe=':/')}"
