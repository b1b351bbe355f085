"""The requirements that a script of a single file carries in a comment.

Source: https://packaging.python.org/specifications/inline-script-metadata/ (PEP 723).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from schemas.toml import parse_toml

__all__ = ["SCRIPT", "parse_script"]


SCRIPT = re.compile(r"^# /// script[ \t]*\r?$", re.MULTILINE)
"""The line that the metadata of a script begins with."""


_OPENING = re.compile(r"# /// ([a-zA-Z0-9-]+)[ \t]*")


_CLOSING = re.compile(r"# ///[ \t]*")


def parse_script(text: str) -> dict[str, Any]:
    """Return the metadata of a script in the shape of a ``pyproject.toml``.

    Raise ValueError if the script has no such block or several, or if it is not valid TOML.
    """
    blocks = [lines for kind, lines in _blocks(text) if kind == "script"]
    if len(blocks) != 1:
        count = "several" if blocks else "no"
        if not blocks and SCRIPT.search(text):
            raise ValueError(
                "its '# /// script' block has no end: '# ///' is missing, or a line in it does not "
                "begin with '# '"
            )
        raise ValueError(f"it has {count} '# /// script' blocks")
    document = parse_toml("\n".join(blocks[0]))
    project = {key: document[key] for key in ("dependencies", "requires-python") if key in document}
    return {"project": project, "tool": document.get("tool", {})}


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the type and the lines of each block. As in the expression of the standard, a block
    reaches from its opening to the last closing among the comment lines that follow it.
    """
    kind: str | None = None
    lines: list[str] = []
    closed = 0
    for line in (*(one.removesuffix("\r") for one in text.split("\n")), ""):
        if kind is not None and (line == "#" or line.startswith("# ")):
            if _CLOSING.fullmatch(line) and lines:
                closed = len(lines)
            lines.append(line[2:])
            continue
        if kind is not None and closed:
            yield kind, lines[:closed]
        opening = _OPENING.fullmatch(line)
        kind, lines, closed = opening[1] if opening else None, [], 0
