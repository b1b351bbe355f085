"""Markers of which a part is decided: that part goes, and what is left decides the same.

Source: https://packaging.python.org/specifications/dependency-specifiers/#environment-markers.
``packaging`` has no public tree of a marker, so the text is read that it prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from packaging.markers import Marker

__all__ = ["Decide", "decided"]


Decide = Callable[[Marker, str], bool | None]
"""Returns whether a comparison holds, or None if that is open; it gets the name of its variable."""


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<bracket>[()])
        | (?P<word>and|or)\b
        | (?P<comparison>
            (?P<left>"[^"]*"|'[^']*'|\w+)
            \s*(?:[<>=!~]+|not\s+in\b|in\b)\s*
            (?P<right>"[^"]*"|'[^']*'|\w+)
          )
    )\s*""",
    re.VERBOSE,
)


def decided(marker: Marker, decide: Decide) -> Marker | bool:
    """Return what is left of ``marker`` once its comparisons are decided: True or False if it is
    decided as a whole.
    """
    found = _MarkerReader(str(marker), decide).read()
    return found if isinstance(found, bool) else Marker(found)


_Part = bool | str
"""Whether a part of a marker holds, or the text of what is open of it."""


class _MarkerReader:
    """Reads one marker from left to right; ``and`` binds closer than ``or``."""

    def __init__(self, text: str, decide: Decide) -> None:
        self._tokens = list(_tokens(text))
        self._decide = decide

    def read(self) -> _Part:
        parts = [self._read_all()]
        while self._takes("or"):
            parts.append(self._read_all())
        return _joined(parts, "or", settles=True)

    def _read_all(self) -> _Part:
        parts = [self._read_one()]
        while self._takes("and"):
            parts.append(self._read_one())
        return _joined(parts, "and", settles=False)

    def _read_one(self) -> _Part:
        token = self._tokens.pop(0)
        if token["bracket"]:
            found = self.read()
            self._tokens.pop(0)
            return found
        names = [one for one in (token["left"], token["right"]) if one[0] not in "\"'"]
        known = self._decide(Marker(token["comparison"]), names[0] if names else "")
        return token["comparison"] if known is None else known

    def _takes(self, word: str) -> bool:
        if self._tokens and self._tokens[0]["word"] == word:
            self._tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        token = _TOKEN.match(text, position)
        assert token is not None, text
        yield token
        position = token.end()


def _joined(parts: list[_Part], word: str, *, settles: bool) -> _Part:
    """Return ``parts`` joined by ``word``; a part that ``settles`` it decides all."""
    if any(part is settles for part in parts):
        return settles
    left = dict.fromkeys(part for part in parts if isinstance(part, str))
    if not left:
        return not settles
    if len(left) == 1:
        return next(iter(left))
    texts = (f"({text})" if word == "and" and _has_or(text) else text for text in left)
    return f" {word} ".join(texts)


def _has_or(text: str) -> bool:
    """Return whether an ``or`` stands in ``text`` outside of brackets."""
    depth = 0
    for token in _tokens(text):
        if token["bracket"]:
            depth += 1 if token["bracket"] == "(" else -1
        elif token["word"] == "or" and depth == 0:
            return True
    return False
