"""Fetch and verify source distributions, and read the metadata that needs no build.

Source: https://packaging.python.org/specifications/source-distribution-format/ and PEP 643: from
metadata version 2.2 on, every wheel has the fields of PKG-INFO that are not listed as dynamic.
"""

from __future__ import annotations

import email.parser
import errno
import os
import shutil

from executor import open_regular, read_input
from planner.index.client import IndexClient
from planner.index.pages import ProjectFile
from planner.metadata.core_metadata import split_headers
from planner.metadata.errors import UnreadableWheel, WheelDiffers
from planner.metadata.range_readers import held_digests

__all__ = ["archive_suffix", "fetch_source", "static_metadata"]


MAX_SOURCE_SIZE = 4 << 30
"""Bytes of an archive; the largest of the 360 most downloaded projects has 400 MB."""


_FULL = {errno.ENOSPC, errno.EDQUOT}


_FIRST_STATIC = (2, 2)


_NEEDED = {"requires-dist", "requires-python", "provides-extra"}
"""The fields that planning reads, apart from name and version, which are never dynamic."""


def fetch_source(client: IndexClient, file: ProjectFile, folder: str) -> tuple[str, str]:
    """Fetch ``file`` into ``folder``, check its size and hashes, and return its path and SHA-256.

    Raise WheelDiffers, UnreadableWheel, IndexUnreachable or IndexAnswer.
    """
    path = os.path.join(folder, os.path.basename(file.filename))
    try:
        if file.path is not None:
            with open_regular(file.path) as source, open(path, "wb") as copy:
                if os.fstat(source.fileno()).st_size > MAX_SOURCE_SIZE:
                    raise OSError(errno.EFBIG, f"larger than {MAX_SOURCE_SIZE} bytes", file.path)
                shutil.copyfileobj(source, copy)
        else:
            with client.download(file.url, limit=MAX_SOURCE_SIZE) as body, open(path, "wb") as copy:
                body.seek(0)
                shutil.copyfileobj(body, copy)
    except OSError as error:
        if error.errno in _FULL:
            raise  # no fault of the file
        problem = f"cannot be read: {error.strerror}"
        raise UnreadableWheel(file.path or file.filename, problem) from None
    size = os.path.getsize(path)
    if file.size not in {None, size}:
        raise WheelDiffers(file.filename, "size", f"{file.size} bytes", f"{size} bytes")
    with open(path, "rb") as body:
        return path, held_digests(file, body, ("sha256",))["sha256"]


def static_metadata(tree: str) -> bytes | None:
    """Return the metadata of every wheel of the source tree; None if only a build has it."""
    try:
        path = os.path.join(tree, "PKG-INFO")
        content = split_headers(read_input(path))
    except OSError:
        return None
    headers = email.parser.BytesHeaderParser().parsebytes(content)
    try:
        version = tuple(int(part) for part in str(headers.get("Metadata-Version")).split("."))
    except ValueError:
        return None
    dynamic = {str(name).strip().lower() for name in headers.get_all("Dynamic", ())}
    return None if version < _FIRST_STATIC or dynamic & _NEEDED else content


def archive_suffix(path: str) -> str:
    """Return the suffix of a source distribution of this content; empty if it is neither a zip
    file nor a tar file compressed by gzip.
    """
    if os.path.isdir(path):
        return ""
    with open_regular(path) as file:
        magic = file.read(4)
    return ".zip" if magic == b"PK\3\4" else ".tar.gz" if magic[:2] == b"\x1f\x8b" else ""
