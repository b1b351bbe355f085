"""Fetch the source of a direct reference: an archive, a repository or a folder.

Source: https://packaging.python.org/specifications/version-specifiers/#direct-references.
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from executor import check_out
from planner.builds.sdist import fetch_source
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile
from planner.lock.tree_digest import digest_of_tree
from planner.model.direct_reference import DirectReference
from schemas.data_class import frozen

__all__ = ["Fetched", "fetch_tree"]


@frozen
class Fetched:
    """A source on this machine."""

    path: str
    """The path of an archive or a folder."""
    digest: str
    """SHA-256 of an archive or of the content of a folder, or the name of a commit."""


def fetch_tree(
    reference: DirectReference, package: str, client: IndexClient, folder: str
) -> Fetched:
    """Fetch the source of ``package`` into ``folder``; a folder stays where it is.

    Raise RepositoryUnusable, or for archives what ``fetch_source`` raises.
    """
    if reference.kind == "directory":
        return Fetched(reference.address, digest_of_tree(reference.address))
    if reference.kind == "vcs":
        tree = os.path.join(folder, "repository")
        revision = reference.commit or reference.revision
        return Fetched(tree, check_out(package, reference.address, revision, tree))
    name = unquote(urlsplit(reference.address).path.rpartition("/")[2]) or package
    entry = {"url": reference.address, "hashes": dict(reference.hashes)}
    file = ProjectFile(name, "", entry, path=reference.path, is_direct=True)
    return Fetched(*fetch_source(client, file, folder))
