"""The text of a requirements file and its logical lines.

Source: https://pip.pypa.io/en/stable/reference/requirements-file-format/; encodings, continued
lines and comments are read as pip reads them.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

__all__ = ["decode", "logical_lines"]


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # Before UTF-16, whose little-endian mark this one begins with.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")
"""The encoding that a comment in one of the first two lines names (PEP 263)."""


_COMMENT = re.compile(r"(?<!\S)#")


def decode(data: bytes) -> str:
    """Return the text of ``data``: in the encoding of its byte order mark, of its PEP 263 comment,
    or in UTF-8.

    Raise ValueError, which says which byte is wrong or which encoding is unknown.
    """
    encoding = "utf-8"
    for mark, its_encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], its_encoding
            break
    else:
        comments = (line for line in data.split(b"\n")[:2] if line.startswith(b"#"))
        if found := next(filter(None, map(_CODING.search, comments)), None):
            encoding = found[1].decode("ascii", "replace")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        shown = "UTF-8" if encoding == "utf-8" else encoding
        raise ValueError(f"byte {error.start} is not {shown} text") from None
    except (LookupError, UnicodeError):
        raise ValueError(f"its encoding {encoding!r} is not known") from None


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line that is not empty, with the number of its first part.

    A backslash at its end continues a line. Parts are joined before comments are removed, and a
    comment ends a continued line, whatever it ends with.
    """
    for number, line in _joined(text):
        comment = _COMMENT.search(line)
        if stripped := line[: comment.start() if comment else None].strip():
            yield number, stripped


def _joined(text: str) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            parts.append(line.strip("\\"))
            continue
        # A comment is one after any text, which it may not touch.
        parts.append(f" {line}" if is_comment else line)
        yield start, "".join(parts)
        parts.clear()
    if parts:
        yield start, "".join(parts)
