"""Unpack a source archive into a folder of its own, so that nothing lands outside of it.

Source: https://packaging.python.org/specifications/source-distribution-format/ (PEP 721: the
``data`` filter of tarfile: no absolute or escaping names and links, no devices, no set-uid bits).
"""

from __future__ import annotations

import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO

from executor.builds.errors import SourceRefused

__all__ = ["MAX_MEMBERS", "MAX_SIZE", "unpack_source"]


MAX_SIZE = 8 << 30
"""Bytes of all members; the sdist of torch has 400 MiB unpacked."""


MAX_MEMBERS = 500_000
"""Files and folders; the most in a real sdist are some 60,000 (vendored C++ libraries)."""


_CHUNK = 256 << 10


def unpack_source(archive: str, folder: str) -> str:
    """Unpack the file ``archive`` into the empty ``folder``; the path of the source tree, which is
    the one folder that the archive holds, or ``folder`` where it holds more.

    Raises SourceRefused.
    """
    name = os.path.basename(archive)
    try:
        if _is_zip(archive):
            _unpack_zip(archive, folder)
        else:
            _unpack_tar(archive, folder)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise SourceRefused(name, f"cannot be unpacked: {error}") from None
    except (ValueError, RuntimeError) as error:  # zlib's and lzma's errors come as OSError too
        raise SourceRefused(name, f"cannot be unpacked: {error}") from None
    entries = os.listdir(folder)
    only = os.path.join(folder, entries[0]) if len(entries) == 1 else folder
    return only if os.path.isdir(only) and not os.path.islink(only) else folder


def _is_zip(archive: str) -> bool:
    """By its content: archives of a forge are called as the branch is."""
    with open(archive, "rb") as file:
        return file.read(4) == b"PK\3\4"


def _unpack_tar(archive: str, folder: str) -> None:
    with tarfile.open(archive) as tar:
        tar.extractall(folder, members=_counted(tar, archive), filter="data")


def _counted(tar: tarfile.TarFile, archive: str) -> Iterator[tarfile.TarInfo]:
    size = 0
    for count, member in enumerate(tar, 1):
        size += member.size
        _check_bounds(archive, size, count)
        yield member


def _check_bounds(archive: str, size: int, count: int) -> None:
    name = os.path.basename(archive)
    if size > MAX_SIZE:
        raise SourceRefused(name, f"its members have more than {MAX_SIZE} bytes")
    if count > MAX_MEMBERS:
        raise SourceRefused(name, f"it has more than {MAX_MEMBERS} members")


def _unpack_zip(archive: str, folder: str) -> None:
    root = os.path.realpath(folder)
    written = 0
    with zipfile.ZipFile(archive) as opened:
        for count, info in enumerate(opened.infolist(), 1):
            _check_bounds(archive, written, count)
            path = os.path.join(root, info.filename)
            mode = info.external_attr >> 16
            if os.path.commonpath([root, os.path.normpath(path)]) != root or "\\" in info.filename:
                raise SourceRefused(os.path.basename(archive), f"{info.filename!r} is outside")
            if stat.S_ISLNK(mode):
                raise SourceRefused(os.path.basename(archive), f"{info.filename!r} is a link")
            if info.is_dir():
                os.makedirs(path, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with opened.open(info) as source, open(path, "xb") as file:
                written += _copy(source, file, archive, MAX_SIZE - written)
            os.chmod(path, 0o755 if mode & 0o100 else 0o644)


def _copy(source: IO[bytes], file: IO[bytes], archive: str, room: int) -> int:
    """What a header says of a size is not believed."""
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > room:
            _check_bounds(archive, MAX_SIZE + 1, 0)
        file.write(chunk)
    return copied
