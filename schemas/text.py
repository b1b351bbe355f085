"""Text that is shown to the user."""

from __future__ import annotations

import re
from collections.abc import Iterable

from schemas.urls import hidden

__all__ = [
    "MERGE_CONFLICT",
    "conflict_line",
    "counted",
    "enumerate_some",
    "first_plan",
    "json_text",
    "lock_command",
    "one_line",
    "printable",
    "titled",
]


MERGE_CONFLICT = "it has the marks of a merge conflict"
"""The problem of a file of which ``conflict_line`` finds a line."""


_MERGE_MARK = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?: |\r?$)", re.MULTILINE)
"""https://git-scm.com/docs/git-merge#_how_conflicts_are_presented"""


_COMMAND = r"(?i)\A( *):(?=:[a-z])|#(?=#(?:[a-z]+ *)?\[)"
"""What runners of jobs take for a command to them: ``::set-output`` of GitHub and Gitea where a
line begins, after spaces too; ``##[...]``, ``##vso[...]`` and ``##teamcity[...]`` anywhere."""


_LOCK_PATH = r"(?:.*/)?pylock\.(?:[^./]+\.)?toml"
"""https://packaging.python.org/specifications/pylock-toml/#file-name"""


def conflict_line(text: str) -> int | None:
    """Return the line, from 1, of the first mark of a merge conflict in ``text``, if it has one."""
    mark = _MERGE_MARK.search(text)
    return text.count("\n", 0, mark.start()) + 1 if mark else None


def counted(number: int, noun: str) -> str:
    """Return ``1 package``, ``2 packages`` or ``1,000 packages``, for a noun with a plural in s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def lock_command(name: str, lock: str, inputs: str = "") -> str:
    """Return the command ``name`` for the file ``lock``, as it is typed in the working folder; of a
    plan, ``inputs`` come first.
    """
    import shlex  # noqa: PLC0415  # only for what went wrong

    # Between quotes that are quoted, a secret is not found any more.
    inputs, lock = hidden(inputs), hidden(lock)
    words = ["lockstream", name, *([shlex.quote(inputs)] if inputs else [])]
    if name != "plan":
        named = [shlex.quote(lock)]
    else:
        # plan writes no lock with a name that the standard does not allow.
        named = ["-o", shlex.quote(lock)] if re.fullmatch(_LOCK_PATH, lock) else []
    return " ".join(words + (named if lock.removeprefix("./") != "pylock.toml" else []))


def first_plan(lock: str) -> str:
    """Return the command that plans the project in the folder of ``lock``, which no plan wrote."""
    return lock_command("plan", lock, lock.rpartition("/")[0])


def titled(name: str, version: object) -> str:
    """Return a package as people read it: its name, and its version if that is known."""
    return f"{name} {version}" if version else str(name)


def enumerate_some(items: Iterable[object], limit: int = 5) -> str:
    """Return the first ``limit`` items, and how many more there are."""
    texts = [str(item) for item in items]
    more = len(texts) - limit
    shown = ", ".join(texts[:limit])
    return f"{shown} and {more} more" if more > 0 else shown


def printable(text: str) -> str:
    """Return a message so that a terminal shows all of it and obeys nothing in it, nor does what
    runs a job and reads its output.

    Servers, wheels and locks write parts of most messages. What is not printable, such as escape
    sequences and marks that reverse the direction, is replaced; lines after the first are indented,
    so that none passes for a message of its own. Secrets of addresses are hidden.
    """
    text = hidden(text)
    if text.isprintable():
        return _inert(text)
    return "\n  ".join(_indentable(line) for line in text.split("\n")).removesuffix("\n  ")


def json_text(content: object, *, indent: int | None = 2, sort_keys: bool = False) -> str:
    """Return ``content`` as JSON, which escapes what a terminal would obey.

    Runners of jobs obey ``##vso[...]`` anywhere in a line, so one of two such signs is escaped.
    """
    import json  # noqa: PLC0415  # only what prints it needs it

    return json.dumps(content, indent=indent, sort_keys=sort_keys).replace("##", "#\\u0023")


def one_line(text: str, limit: int | None = None) -> str:
    """Return foreign text on one line, cut to ``limit`` characters."""
    shown = _inert(text if text.isprintable() else "".join(map(_shown, text)))
    return shown if limit is None or len(shown) <= limit else f"{shown[:limit]}..."


def _indentable(line: str) -> str:
    return one_line(line.removeprefix("  "))


def _inert(line: str) -> str:
    """Return a line that no runner of jobs obeys: with a space in the mark of a command."""
    if "::" not in line and "##" not in line:
        return line
    return re.sub(_COMMAND, r"\g<0> ", line)


def _shown(char: str) -> str:
    return char if char.isprintable() else "\N{REPLACEMENT CHARACTER}"
