"""Sources: what a lock lists of what its wheels were built of, and addresses as it may have them.

Source: https://packaging.python.org/specifications/pylock-toml/: a package has either a tree (a
repository, a folder, an archive), or wheels and a source distribution.
"""

from __future__ import annotations

import os
from urllib.parse import parse_qsl, urlsplit

from packaging.pylock import PackageArchive, PackageDirectory, PackageSdist, PackageVcs

from planner.index.pages import parse_time
from planner.lock.built import Built
from planner.lock.errors import SecretInURL
from planner.model.paths import relative_path

__all__ = ["list_sdist", "list_tree", "lockable_url"]


_SIGNING_PARAMETERS = (
    "access_token", "awsaccesskeyid", "expires", "key-pair-id", "policy", "se", "sig",
    "signature", "token", "x-amz-", "x-goog-",
)  # fmt: skip
"""Query parameters by which storage services grant access for a while, or their beginnings."""


_SDISTS = (".tar.gz", ".zip")
"""What the name of a source distribution ends with."""


def list_sdist(built: Built, folder: str) -> PackageSdist | None:
    """What a wheel was built of, for those who have not got the wheel; None where that is no
    archive, or the package is in a part of it, which only an entry without wheels can tell.

    Raises SecretInURL.
    """
    file, hashes, origin = built.source, {"sha256": built.sha256}, built.origin
    if origin and (origin.kind != "archive" or origin.subdirectory):
        return None
    if not file.filename.endswith(_SDISTS):
        return None
    if file.path is not None:
        path = relative_path(file.path, folder)
        name = None if os.path.basename(path) == file.filename else file.filename
        return PackageSdist(name=name, path=path, size=built.size, hashes=hashes)
    url = lockable_url(file.url, file.filename)
    name = None if urlsplit(url).path.endswith(f"/{file.filename}") or not origin else file.filename
    return PackageSdist(
        name=name,
        upload_time=parse_time(file.upload_time),
        url=url,
        size=built.size,
        hashes=hashes,
    )


def list_tree(built: Built, folder: str) -> PackageArchive | PackageDirectory | PackageVcs | None:
    """What a wheel would be built of, where that is no source distribution. Raises SecretInURL."""
    origin = built.origin
    if origin is None:
        return None
    part = origin.subdirectory or None
    path = relative_path(origin.path, folder) if origin.path else None
    if path is not None and origin.kind == "directory":
        return PackageDirectory(path=path, subdirectory=part)
    url = None if path else lockable_url(origin.url, built.source.filename)
    if origin.kind == "vcs":
        return PackageVcs(
            type="git",
            url=url,
            path=path,
            requested_revision=origin.revision or None,
            commit_id=origin.commit,
            subdirectory=part,
        )
    hashes = {"sha256": built.sha256}
    return PackageArchive(url=url, path=path, size=built.size, hashes=hashes, subdirectory=part)


def lockable_url(url: str, filename: str) -> str:
    """``url``, that of ``filename``. Raises SecretInURL where it would open a door to readers of
    the lock.
    """
    names = {name.lower() for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    if secret := sorted(name for name in names if _grants_access(name)):
        raise SecretInURL(filename, tuple(secret))
    return url


def _grants_access(parameter: str) -> bool:
    return any(
        parameter.startswith(known) if known.endswith("-") else parameter == known
        for known in _SIGNING_PARAMETERS
    )
