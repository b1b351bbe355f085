# ruff: noqa: INP001  # mkdocs loads it as a file
"""What the site does with links that leave docs/: the pages are also read in the repository."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
PAGES = {
    "CHANGELOG.md": "project/changelog.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "SECURITY.md": "project/security.md",
    "examples/README.md": "project/examples.md",
    "docs/decisions/README.md": "project/decisions.md",
}
"""Pages outside of the folder of the site, or named like its start, and their place in it."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_config(config: Any) -> Any:
    decisions = sorted(path.name for path in (ROOT / "docs/decisions").glob("*.md"))
    own = [f"decisions/{name}" for name in decisions if name != "README.md"]
    config.nav.append({"Project": [*PAGES.values(), *own]})
    return config


def on_files(files: Files, config: Any) -> Files:
    for path, place in PAGES.items():
        text = _rebased((ROOT / path).read_text(), path, place)
        files.append(File.generated(config, place, content=text))
    style = Path(__file__).with_name("site.css").read_text()
    files.append(File.generated(config, "assets/site.css", content=style))
    return files


def on_page_markdown(markdown: str, page: Any, **_given: Any) -> str:
    place = page.file.src_uri
    return markdown if place in PAGES.values() else _rebased(markdown, f"docs/{place}", place)


def _rebased(text: str, path: str, place: str) -> str:
    """Return the text of the page ``path`` of the repository with links as from ``place``."""

    def link(found: re.Match[str]) -> str:
        mark, label, target, anchor = found[1], found[2], found[3], found[4] or ""
        if "://" in target or target.startswith("mailto:"):
            return found[0]
        full = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if full in PAGES:
            inside = PAGES[full]
        elif full.startswith("docs/") and full.endswith(".md"):
            inside = full.removeprefix("docs/")
        elif full == "README.md":
            inside, anchor = ("exit-codes.md" if "exit" in anchor else "index.md"), ""
        else:  # a file of the repository, which the site does not have
            assert (ROOT / full).exists(), f"{path}: {target} does not exist"
            return label if not mark else ""
        return (
            f"{mark}[{label}]({posixpath.relpath(inside, posixpath.dirname(place) or '.')}{anchor})"
        )

    return _LINK.sub(link, text)
