"""Environments to install into, and what an installation of wheels must look like there."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from executor.budget.budget import History
from executor.environment.environment import Environment
from executor.environment.installed import installed_distributions
from executor.environment.interpreter import Interpreter, probe
from executor.environment.schemes import Schemes
from executor.files.held_folder import HeldFolder
from executor.install.decide import verify_environment
from executor.wheels.rules import STRICT, Rules
from executor.wheels.staged_wheel import StagedWheel
from executor.wheels.unpack import StageOptions, stage_wheel
from helpers.wheels import Wheel
from schemas.target import Target

__all__ = [
    "INSTALLERS_OWN",
    "check_nothing_lies",
    "chunked",
    "drifts_of_venv",
    "environment_below",
    "packages_of_venv",
    "places",
    "read_record",
    "record_row",
    "schemes_below",
    "spread",
    "stage",
]

INSTALLERS_OWN = {"INSTALLER": b"lockstream\n", "REQUESTED": b""}
"""What an installation adds to each dist-info folder, other than RECORD."""


def schemes_below(root: Path, executable: str = sys.executable) -> Schemes:
    """Folders of an environment as Linux has them; nothing is made."""
    packages = str(root / "lib" / "site-packages")
    return Schemes(
        purelib=packages,
        platlib=packages,
        scripts=str(root / "bin"),
        data=str(root),
        headers=str(root / "include"),
        executable=executable,
    )


def environment_below(root: Path) -> Environment:
    """An environment for the running Python that is folders and nothing else; made at once."""
    Path(schemes_below(root).purelib).mkdir(parents=True, exist_ok=True)
    return Environment(str(root), Interpreter(_target(), schemes_below(root), None), exists=True)


@cache
def _target() -> Target:
    return probe(sys.executable).target


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    """``content`` in chunks of ``size`` bytes."""
    return (content[start : start + size] for start in range(0, len(content), size))


def stage(
    wheel: Wheel,
    folder: Path,
    *,
    schemes: Schemes | None = None,
    chunk: int = 64 << 10,
    chunks: Iterable[bytes] | None = None,
    wrote: Callable[[int], None] = lambda _: None,
    rules: Rules = STRICT,
    history: History | None = None,
) -> StagedWheel:
    """Stage ``wheel`` in ``folder``, which is made; from other ``chunks`` than its own, if any."""
    folder.mkdir(parents=True)
    options = StageOptions(
        schemes=schemes or schemes_below(folder / "environment"),
        metadata=INSTALLERS_OWN,
        wrote=wrote,
        rules=rules,
        history=history,
    )
    given = chunked(wheel.content, chunk) if chunks is None else chunks
    with HeldFolder.at(str(folder)) as held:
        return stage_wheel(wheel.filename, given, held, options)


def places(
    archive: zipfile.ZipFile, filename: str, schemes: Schemes
) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    """The files of the wheel ``filename``, but RECORD, and the places the standard gives them."""
    names = archive.namelist()
    stem = next(n for n in names if n.endswith(".dist-info/WHEEL")).partition(".dist-info/")[0]
    pure = b"root-is-purelib: true" in archive.read(f"{stem}.dist-info/WHEEL").lower()
    root = schemes.purelib if pure else schemes.platlib
    for info in archive.infolist():
        if info.is_dir() or info.filename == f"{stem}.dist-info/RECORD":
            continue
        folder, path = root, info.filename
        if path.startswith(f"{stem}.data/"):
            _, key, path = path.split("/", 2)
            folder = getattr(schemes, key)
            if key == "headers":
                folder += "/" + filename.partition("-")[0]
        yield info, Path(folder, path)


def spread(wheels: Iterable[Wheel], schemes: Schemes) -> dict[Path, bytes]:
    """The files of ``wheels`` by the place that the standard gives them, as zipfile reads them.

    Without what an installer adds: RECORD, INSTALLER, scripts of entry points.
    """
    files: dict[Path, bytes] = {}
    for wheel in wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            for info, place in places(archive, wheel.filename, schemes):
                files[place] = archive.read(info)
    return files


def read_record(dist_info: Path) -> dict[Path, tuple[str, str]]:
    """Hash and size that the RECORD of an installation has, by absolute path."""
    rows: dict[Path, tuple[str, str]] = {}
    for path, digest, size in csv.reader(io.StringIO((dist_info / "RECORD").read_text("utf-8"))):
        place = Path(dist_info.parent, path).resolve()
        assert place not in rows, f"RECORD lists {path} twice"
        rows[place] = (digest, size)
    return rows


def check_nothing_lies(environment: Environment, *, allows_bare: bool = False) -> None:
    """Check that each package that says "installed" is complete, to the byte.

    With ``allows_bare`` a dist-info folder without a RECORD does not say so: in a lower layer of an
    overlay no folder can be removed at once.
    """
    for found in installed_distributions(environment.interpreter.schemes.purelib):
        if allows_bare and not found.is_complete:
            continue
        for path, row in read_record(Path(found.path)).items():
            assert path.is_file(), f"{found.name} claims {path}"
            assert row in {("", ""), record_row(path.read_bytes())}, f"{path} is of another content"


def record_row(content: bytes) -> tuple[str, str]:
    """Hash and size as RECORD spells them."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"sha256={digest}", str(len(content))


def drifts_of_venv(root: Path) -> list[str]:
    """Return how the virtual environment at ``root`` differs from the lock next to it, with paths
    below the environment.
    """
    _, drifts = verify_environment(str(root.parent / "pylock.toml"), Environment.venv(str(root)))
    return [str(drift).replace(f"{root}/", "") for drift in drifts]


def packages_of_venv(root: Path) -> Path:
    """Return the folder of the pure packages of the virtual environment at ``root``."""
    return Path(Environment.venv(str(root)).interpreter.schemes.purelib)
