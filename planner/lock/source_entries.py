"""The entries of a lock for sources that wheels are built from.

Source: https://packaging.python.org/specifications/pylock-toml/: a package has either a tree (a
repository, a folder, an archive), or wheels and a source distribution.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from packaging.pylock import PackageArchive, PackageDirectory, PackageSdist, PackageVcs

from planner.index.pages import parse_time
from planner.lock.built import LockedSource
from planner.lock.errors import SecretInURL
from planner.model.paths import relative_path
from schemas.urls import secret_parameters

__all__ = ["list_sdist", "list_tree", "lockable_url"]


_SDISTS = (".tar.gz", ".zip")
"""The suffixes of source distributions."""


def list_sdist(source: LockedSource, folder: str) -> PackageSdist | None:
    """Return the source distribution that wheels are built from; installers that cannot use these
    wheels have it too.

    None if the source is not an archive, or if the package is in a subdirectory, which only an
    entry without wheels can record. Raise SecretInURL.
    """
    file, hashes, reference = source.file, {"sha256": source.sha256}, source.reference
    if reference and (reference.kind != "archive" or reference.subdirectory):
        return None
    if not file.filename.endswith(_SDISTS):
        return None
    if file.path is not None:
        path = relative_path(file.path, folder)
        name = None if os.path.basename(path) == file.filename else file.filename
        return PackageSdist(name=name, path=path, size=source.size, hashes=hashes)
    url = lockable_url(file.url, file.filename)
    is_named = urlsplit(url).path.endswith(f"/{file.filename}") or not reference
    return PackageSdist(
        name=None if is_named else file.filename,
        upload_time=parse_time(file.upload_time),
        url=url,
        size=source.size,
        hashes=hashes,
    )


def list_tree(
    source: LockedSource, folder: str
) -> PackageArchive | PackageDirectory | PackageVcs | None:
    """Return the repository, folder or archive to build from; None if the source is a source
    distribution of an index. Raise SecretInURL.
    """
    reference = source.reference
    if reference is None:
        return None
    part = reference.subdirectory or None
    path = relative_path(reference.path, folder) if reference.path else None
    if path is not None and reference.kind == "directory":
        return PackageDirectory(path=path, subdirectory=part)
    url = None if path else lockable_url(reference.url, source.file.filename)
    if reference.kind == "vcs":
        return PackageVcs(
            type="git",
            url=url,
            path=path,
            requested_revision=reference.revision or None,
            commit_id=reference.commit,
            subdirectory=part,
        )
    hashes = {"sha256": source.sha256}
    return PackageArchive(url=url, path=path, size=source.size, hashes=hashes, subdirectory=part)


def lockable_url(url: str, filename: str) -> str:
    """Return ``url``, the address of ``filename``. Raise SecretInURL if it would grant access to
    every reader of the lock.
    """
    if secret := secret_parameters(urlsplit(url).query):
        raise SecretInURL(filename, secret)
    return url
