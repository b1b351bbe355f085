"""The requirements that a script of a single file carries in a comment.

Source: https://packaging.python.org/specifications/inline-script-metadata/ (PEP 723).
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

__all__ = ["parse_script"]


_BLOCK = re.compile(
    r"^# /// (?P<type>[a-zA-Z0-9-]+)[ \t]*\r?\n(?P<content>(?:^#(?:| .*)\r?\n)+)^# ///[ \t]*\r?$",
    re.MULTILINE,
)
"""The expression of the standard, which also accepts the line ends of Windows here."""


def parse_script(text: str) -> dict[str, Any]:
    """Return the metadata of a script in the shape of a ``pyproject.toml``.

    Raise ValueError if the script has no such block or several, or if it is not valid TOML.
    """
    blocks = [one["content"] for one in _BLOCK.finditer(text) if one["type"] == "script"]
    if len(blocks) != 1:
        count = "several" if blocks else "no"
        raise ValueError(f"it has {count} '# /// script' blocks")
    lines = (line[2:] if line.startswith("# ") else line[1:] for line in blocks[0].splitlines())
    document = tomllib.loads("\n".join(lines))
    project = {key: document[key] for key in ("dependencies", "requires-python") if key in document}
    return {"project": project, "tool": document.get("tool", {})}
