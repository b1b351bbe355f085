"""Direct url."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from executor.lock.step import Step
from schemas.hints import TOOL_NAME

__all__ = ["installer_metadata"]


def installer_metadata(step: Step, url: str) -> Mapping[str, bytes]:
    """What this installer writes into dist-info. Both pip and uv mark all packages of a lock as
    requested.
    """
    metadata = {"INSTALLER": f"{TOOL_NAME}\n".encode(), "REQUESTED": b""}
    if step.is_direct:
        metadata["direct_url.json"] = json.dumps({"url": url, **_direct_url(step)}).encode()
    return metadata


def _direct_url(step: Step) -> dict[str, Any]:
    """What there is to say of what is at the address
    (https://packaging.python.org/specifications/direct-url-data-structure/).
    """
    source = step.source
    told: dict[str, Any] = {"archive_info": {"hashes": dict(sorted(step.hashes))}}
    if source and source.commit:
        asked = {"requested_revision": source.revision} if source.revision else {}
        told = {"vcs_info": {"vcs": "git", **asked, "commit_id": source.commit}}
    elif source and source.folder:
        told = {"dir_info": {"editable": True} if source.editable else {}}
    if source and source.subdirectory:
        told["subdirectory"] = source.subdirectory
    return told
