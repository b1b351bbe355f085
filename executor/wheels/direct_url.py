"""The metadata that an installer adds to dist-info: INSTALLER, REQUESTED and direct_url.json.

Sources: https://packaging.python.org/specifications/recording-installed-packages/ and
https://packaging.python.org/specifications/direct-url-data-structure/.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from executor.lock.step import Step
from schemas.hints import TOOL_NAME

__all__ = ["installer_metadata"]


def installer_metadata(step: Step, url: str) -> Mapping[str, bytes]:
    """Return the files to write into the dist-info folder of ``step``, contents by file name.

    ``url`` is the address that the wheel, or its source, came from. Every package of a lock counts
    as requested, as with pip and uv.
    """
    metadata = {"INSTALLER": f"{TOOL_NAME}\n".encode(), "REQUESTED": b""}
    if step.is_direct:
        metadata["direct_url.json"] = json.dumps({"url": url, **_direct_url(step)}).encode()
    return metadata


def _direct_url(step: Step) -> dict[str, Any]:
    """Return the members of direct_url.json except ``url``: an archive, a commit or a folder."""
    source = step.source
    members: dict[str, Any] = {"archive_info": {"hashes": dict(sorted(step.hashes))}}
    if source and source.commit:
        requested = {"requested_revision": source.revision} if source.revision else {}
        members = {"vcs_info": {"vcs": "git", **requested, "commit_id": source.commit}}
    elif source and source.folder:
        members = {"dir_info": {"editable": True} if source.editable else {}}
    if source and source.subdirectory:
        members["subdirectory"] = source.subdirectory
    return members
