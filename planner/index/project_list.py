"""The list of projects of an index: what its root has, in HTML or JSON.

Source: https://packaging.python.org/specifications/simple-repository-api/ (PEP 503, PEP 691).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from packaging.utils import NormalizedName, canonicalize_name

__all__ = ["MAX_LIST_SIZE", "parse_project_list"]


MAX_LIST_SIZE = 1 << 20
"""Bytes: some 20,000 projects. The list of PyPI has 40 times as many, and is not worth it for a
name that may be wrong."""


def parse_project_list(content: bytes, url: str) -> frozenset[NormalizedName]:
    """Return the names that the page at ``url`` lists; empty if it lists none.

    Raises IndexAnswer if it is neither HTML nor JSON.
    """
    texts: Iterable[object]
    if content.lstrip().startswith(b"{"):
        try:
            page = json.loads(content)
        except (ValueError, RecursionError):
            return frozenset()
        projects = page.get("projects")
        entries = projects if isinstance(projects, list) else []
        texts = (one.get("name") for one in entries if isinstance(one, dict))
    else:
        from planner.index.html_page import read_anchors  # noqa: PLC0415  # most are in JSON

        texts = read_anchors(content, url).texts()
    found = (canonicalize_name(one.strip()) for one in texts if isinstance(one, str))
    return frozenset(one for one in found if one)
