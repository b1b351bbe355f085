"""Source distributions made to measure, which need nothing to be built: their backend is theirs.

::

    sdist = build_sdist("demo", "1.0", before_wheel="import time; time.sleep(60)")
    (folder / sdist.filename).write_bytes(sdist.content)
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import tomli_w

__all__ = ["Sdist", "archive_of", "build_sdist"]

_BACKEND = '''\
"""Builds the wheel of the tree that it is in, with the standard library."""
import base64, hashlib, json, os, subprocess, sys, zipfile

TOLD = json.load(open(os.path.join(os.path.dirname(__file__), "told.json")))
STEM = TOLD["name"].replace("-", "_") + "-" + TOLD["version"]


def _files():
    exec(TOLD["before_wheel"])
    files = {TOLD["name"] + "/__init__.py": TOLD["module"].encode()}
    for name, text in TOLD["native"].items():
        files[name] = text.encode()
    return files


def _pack(path, files):
    rows = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            rows.append(f"{name},sha256={digest},{len(data)}")
        rows.append(STEM + ".dist-info/RECORD,,")
        record = zipfile.ZipInfo(STEM + ".dist-info/RECORD", (1980, 1, 1, 0, 0, 0))
        archive.writestr(record, "\\n".join(rows) + "\\n")


def _metadata():
    wheel = "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: " + TOLD["tag"]
    return {
        STEM + ".dist-info/METADATA": TOLD["metadata"].encode(),
        STEM + ".dist-info/WHEEL": (wheel + "\\n").encode(),
    }


def get_requires_for_build_wheel(config_settings=None):
    return TOLD["dynamic_requires"]


def prepare_metadata_for_build_wheel(folder, config_settings=None):
    for name, data in _metadata().items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "wb").write(data)
    return STEM + ".dist-info"


def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = STEM + "-" + TOLD["tag"] + ".whl"
    _pack(os.path.join(folder, name), {**_files(), **_metadata()})
    return name


def build_editable(folder, config_settings=None, metadata_directory=None):
    name = STEM + "-py3-none-any.whl"
    tree = os.path.dirname(os.path.abspath(__file__))
    files = {"_" + STEM.partition("-")[0] + ".pth": os.path.join(tree, "src").encode()}
    _pack(os.path.join(folder, name), {**files, **_metadata()})
    return name
'''


@dataclass(frozen=True, slots=True)
class Sdist:
    """A source distribution in memory."""

    filename: str
    files: Mapping[str, bytes]
    """Below its one folder."""
    content: bytes

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()

    def write(self, folder: Path) -> Path:
        """Write it into ``folder`` under its file name; the path of it."""
        path = folder / self.filename
        path.write_bytes(self.content)
        return path

    def spread(self, folder: Path) -> Path:
        """Write its tree as ``folder``; the path of it."""
        for name, data in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return folder


def build_sdist(
    name: str = "demo",
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    build_requires: Sequence[str] = (),
    dynamic_requires: Sequence[str] = (),
    metadata_version: str = "2.2",
    dynamic: Sequence[str] = (),
    before_wheel: str = "pass",
    module: str = "",
    native: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
    files: Mapping[str, str] | None = None,
) -> Sdist:
    """One that keeps to the specification. ``before_wheel`` is Python that its backend runs when
    it builds a wheel; ``native`` are members of the wheel that are called as native modules are.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    lines += [f"Dynamic: {one}" for one in dynamic]
    metadata = [*lines, *(f"Requires-Dist: {one}" for one in requires), "", ""]
    told: dict[str, Any] = {
        "name": name,
        "version": version,
        "before_wheel": before_wheel,
        "module": module or f'__version__ = "{version}"\n',
        "native": dict(native or {}),
        "tag": tag,
        "dynamic_requires": list(dynamic_requires),
        "metadata": "\n".join(metadata),
    }
    system = {
        "requires": list(build_requires),
        "build-backend": "backend",
        "backend-path": ["."],
    }
    project = {"name": name, "version": version, "dependencies": list(requires)}
    tree = {
        "pyproject.toml": tomli_w.dumps({"build-system": system, "project": project}),
        "backend.py": _BACKEND,
        "told.json": json.dumps(told),
        "PKG-INFO": "\n".join(metadata),
        f"src/{name.replace('-', '_')}/__init__.py": told["module"],
        **(files or {}),
    }
    encoded = {path: text.encode() for path, text in tree.items()}
    content = archive_of({f"{stem}/{path}": data for path, data in encoded.items()})
    return Sdist(f"{stem}.tar.gz", encoded, content)


def archive_of(
    files: Mapping[str, bytes], members: Sequence[tuple[tarfile.TarInfo, bytes]] = ()
) -> bytes:
    """A ``.tar.gz`` that is the same whenever it is made."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)
