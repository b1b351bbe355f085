"""Readers of what comes with a source that is built: its archive, and the answers of its backend.

Whatever the bytes are, they are read, or refused by an error of lockstream; and nothing is written
outside of the folder.
"""

from __future__ import annotations

import atexit
import bz2
import gzip
import io
import json
import lzma
import os
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from unittest.mock import patch

from executor.builds.backend import Backend
from executor.builds.build_system import BuildSystem, read_build_system
from executor.builds.sandbox import SandboxResult
from executor.builds.source_archive import unpack_source
from executor.files.folders import remove_tree
from helpers.trees import IN_MEMORY
from schemas.errors import BuildFailed, LockstreamError

__all__ = ["make_answer", "make_source", "read_answer", "read_source"]

_ROOT = Path(tempfile.mkdtemp(prefix="readers-", dir=IN_MEMORY))
atexit.register(remove_tree, str(_ROOT))


# Source archives.


def read_source(data: bytes) -> None:
    """It is unpacked inside of the folder, where no link leads out, or refused."""
    remove_tree(str(_ROOT))
    folder = _ROOT / "a" / "folder"
    folder.mkdir(parents=True)
    archive = _ROOT / "demo-1.0.tar.gz"
    archive.write_bytes(data)
    with suppress(LockstreamError):
        tree = unpack_source(str(archive), str(folder))
        assert os.path.commonpath([tree, folder]) == str(folder)
        for place, folders, files, _ in os.fwalk(folder):
            for name in (*folders, *files):
                path = os.path.join(place, name)
                mode = os.lstat(path).st_mode
                assert not mode & 0o7000
                if stat.S_ISLNK(mode):
                    real = os.path.realpath(path)
                    assert os.path.commonpath([real, folder]) == str(folder), (path, real)
        with suppress(BuildFailed):
            read_build_system("demo", tree)
    assert archive.read_bytes() == data
    assert sorted(os.listdir(_ROOT)) == ["a", "demo-1.0.tar.gz"]
    assert os.listdir(_ROOT / "a") == ["folder"]


_NAMES = (
    "demo-1.0/a", "demo-1.0/b/c", "demo-1.0/l", "demo-1.0/l/x", "demo-1.0/", "..", "/x", "../x",
    "demo-1.0/../../x", "demo-1.0/./a", "a" * 300, "d/" * 90 + "f", "d/" * 1100 + "f",
    "d/" * 1020 + "f", "", "demo-1.0/\ud800", "demo-1.0/pyproject.toml", "l", "l/x",
)  # fmt: skip
_TARGETS = ("a", "../x", "..", "/etc", ".", "", "../../..", "l", "demo-1.0/a", "../a", "b/../../..")
_KINDS = (
    *(tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE),
    *(tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.CONTTYPE, tarfile.GNUTYPE_SPARSE, b"V", b"\xff"),
)
_PACKERS: Sequence[Callable[[bytes], bytes]] = (bytes, gzip.compress, bz2.compress, lzma.compress)


def make_source(rng: Random) -> bytes:
    """An archive of one of the formats, with members that lead elsewhere."""
    data = _make_zip(rng) if rng.random() < 0.2 else _make_tar(rng)
    return _damaged(rng, data)


def _make_tar(rng: Random) -> bytes:
    out = io.BytesIO()
    form = rng.choice([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for _ in range(rng.randrange(5)):
            member = tarfile.TarInfo(rng.choice(_NAMES))
            member.type = rng.choice([*_KINDS, tarfile.REGTYPE, tarfile.REGTYPE])
            member.linkname = rng.choice(_TARGETS)
            member.mode = rng.choice([0o644, 0o4755, 0o7777, 0])
            content = rng.choice([b"", b"[build-system]\nrequires = [", bytes(600)])
            member.size = len(content) if member.isreg() else 0
            if form == tarfile.PAX_FORMAT and rng.random() < 0.4:
                key = rng.choice(["path", "linkpath", "size", "GNU.sparse.name", "comment", "uid"])
                value = rng.choice(["../x", "/x", "9" * 30, "-1", "1", "", "x" * 9999, "\u0663"])
                member.pax_headers = {key: value}
            with suppress(ValueError, UnicodeError):
                archive.addfile(member, io.BytesIO(content))
    return rng.choice(_PACKERS)(out.getvalue())


def _make_zip(rng: Random) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        names = rng.sample([name for name in _NAMES if "\ud800" not in name], rng.randrange(4))
        for name in names:
            info = zipfile.ZipInfo(name)
            info.external_attr = rng.choice([0o100644, 0o120777, 0o104755, 0o010644]) << 16
            info.compress_type = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
            archive.writestr(info, rng.choice([b"", b"x", bytes(600)]))
    return out.getvalue()


# Answers of hooks.


def read_answer(data: bytes) -> None:
    """A hook answers, or there is an error of the build."""
    remove_tree(str(_ROOT))
    tree, result = _ROOT / "build" / "tree", _ROOT / "build" / "result"
    for folder in (tree, result):
        folder.mkdir(parents=True)
    backend = Backend(
        package="demo", tree=str(tree), system=BuildSystem(backend="b", requires=()),
        python="/usr/bin/python3", folder=str(_ROOT / "build"), logs=str(_ROOT),
    )  # fmt: skip

    def contained(command: Sequence[str], **_: object) -> SandboxResult:
        Path(command[-1], "output.json").write_bytes(data)
        return SandboxResult(
            status=0, seconds=0.0, demand=0, files=0, charged_peak=None, kills=0, stopped="",
            tier="", network="", writes="",
        )  # fmt: skip

    with patch("executor.builds.backend.contained", contained):
        with suppress(BuildFailed):
            assert all(isinstance(one, str) for one in backend.requires())
        for answer in (backend.metadata, backend.build):
            with suppress(BuildFailed):
                answer(str(result))


def make_answer(rng: Random) -> bytes:
    """Answers of all kinds."""
    odd: tuple[object, ...] = (
        None, 0, 1e999, True, [], {}, "", ["x"], [1], "x.whl", "../x.whl", "\0", "\ud800.whl",
        "/", "..", "x" * 5000, ["\ud800"], [[]], {"a": 1},
    )  # fmt: skip
    fields = {"return_val": rng.choice(odd)}
    for _ in range(rng.randrange(3)):
        key = rng.choice(["no_backend", "unsupported", "hook_missing", "traceback", "warnings",
                          "backend_error", "missing_hook_name", "more"])  # fmt: skip
        fields[key] = rng.choice([*odd, [{"message": 1, "filename": [], "lineno": 10**30}]])
    if rng.random() < 0.2:
        del fields["return_val"]
    return _damaged(rng, json.dumps(rng.choice([fields, fields, fields, *odd[:4]])).encode())


def _damaged(rng: Random, data: bytes) -> bytes:
    if rng.random() > 0.3 or not data:
        return data
    place = rng.randrange(len(data))
    match rng.randrange(3):
        case 0:
            return data[:place]
        case 1:
            return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]
        case _:
            return data[:place] + b"[" * 100_000 + data[place:]
