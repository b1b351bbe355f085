"""Install real wheels one by one; compare the trees with zipfile's, RECORD with installer's.

    python -m stress.real_wheels FOLDER [--corpora] [--odd]

takes every wheel in FOLDER. ``--corpora`` first fills it with the wheels of all corpora, for three
systems, and ``--odd`` with the oddest wheels known, through pip. Each is executed from a lock of
its own into an environment of its own: the tree must be what zipfile extracts, sorted into schemes
by the standard, with the modes of the archive, and RECORD what the installer library writes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import httpx
from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile
from packaging.utils import parse_wheel_filename

from benchmarks.installers import LOCKSTREAM, run
from benchmarks.mirror import CORPORA, fetch, wheels_of
from executor.api import execute
from executor.environment.schemes import Schemes
from executor.wheels.errors import WheelRefused
from executor.wheels.rules import Rules
from helpers.environments import (
    INSTALLERS_OWN,
    environment_below,
    places,
    read_record,
    record_row,
    schemes_below,
)
from helpers.wheels import Wheel, lock_of
from schemas.wheel import SCHEME_NAMES

TARGETS = (
    *("--python-version", "3.11", "--python-version", "3.13"),
    *("--platform", "linux", "--platform", "macos", "--platform", "windows"),
)
"""What the corpora are planned for: many wheels of one project."""

MAX_SIZE = 24 << 20
"""Bytes of a wheel that is downloaded."""

ODD: Mapping[str, tuple[str, ...]] = {
    "protobuf==7.36.2": (),  # ZIP64 fields everywhere
    "selenium==4.50.0": (),
    "torchdata==0.11.0": (),  # Info-ZIP's extra fields, dist-info first
    "toctree-plus==0.5.0": (),  # all stored, dist-info first
    "zeroconf==0.47.1": ("--python-version", "3.11", "--platform", "win_amd64"),  # 33 twice
    "selenium==4.1.0": (),  # absolute paths in RECORD
    "wheel==0.24.0": (),  # RECORD.jws
    "mkl-fft==1.3.6": ("--python-version", "3.9", "--platform", "manylinux2014_x86_64"),
    "numpy==2.0.2": ("--python-version", "3.11", "--platform", "manylinux2014_x86_64"),
    "gmsh==4.15.2": (),  # 441 files of .data/data
    "jupyterlab==4.6.4": (),
    "pygame==2.6.1": ("--python-version", "3.11", "--platform", "manylinux2014_x86_64"),
    "pygame-ce": ("--python-version", "3.11", "--platform", "manylinux2014_x86_64"),
    "libclang==18.1.1": ("--platform", "manylinux2010_x86_64"),  # .data/platlib
    "ruff": (),  # .data/scripts
    "uv": (),
    "z3-solver": (),  # .data/data/bin
    "pybind11-global": (),  # .data/headers
    "coverage==7.17.3": (),  # .pth
    "hunter==3.9.0": (),
    "pywin32==312": ("--python-version", "3.11", "--platform", "win_amd64"),
    "setuptools==84.0.0": (),
    "onnx==1.23.1": (),  # a file of 1016 times its size
    "opencv-python": (),
    "opencv-python-headless": (),
    "msgraph-sdk==1.65.0": (),  # names of 324 bytes
    "lm-eval==0.4.13": (),  # 15,586 files in 9 MB
    "homeassistant==2025.1.4": ("--python-version", "3.13"),  # 39,913 files
    "oci==2.189.0": (),
    "ansible==14.5.0": ("--python-version", "3.13"),
    "catboost==1.0.4": ("--python-version", "3.9", "--platform", "manylinux1_x86_64"),
    "meshlib==3.1.4.297": (),
    "kolo==2.20.0": (),
}
"""Requirements, and the other options that pip needs to download the wheel."""


@dataclass(slots=True)
class Result:
    """What became of one wheel."""

    wheel: str
    files: int = 0
    refusal: str = ""
    """Why the rules refuse it; then it was tried with ``--lenient``."""
    differences: list[str] = field(default_factory=list)
    """From what zipfile extracts and the installer library records."""
    installer: str = ""
    """Why the installer library could not be compared."""
    warnings: tuple[str, ...] = ()

    @property
    def is_installed(self) -> bool:
        return bool(self.files)


def installed(path: Path, work: Path) -> Result:
    """Install the wheel at ``path`` below ``work``, and compare."""
    result = Result(path.name)
    content = path.read_bytes()
    wheel = Wheel(path.name, (), content)
    lock = work / "pylock.toml"
    lock.write_text(lock_of([wheel], folder=f"{path.parent}/"))
    environment = environment_below(work / "ours")
    interpreter = environment.interpreter
    # Of its own system, whatever that is.
    target = replace(interpreter.target, native_tags=tuple(parse_wheel_filename(path.name)[3]))
    environment = replace(environment, interpreter=replace(interpreter, target=target))
    rules = Rules(startup=frozenset({wheel.name}))
    try:
        report = execute(str(lock), environment, rules=rules, lanes=1, durability="kill")
    except WheelRefused as error:
        result.refusal = str(error)
        try:
            lenient = replace(rules, lenient=True)
            report = execute(str(lock), environment, rules=lenient, lanes=1, durability="kill")
        except WheelRefused:
            return result
    result.files, result.warnings = report.files, report.warnings
    schemes = interpreter.schemes
    with zipfile.ZipFile(path) as archive:
        result.differences += _unlike_zipfile(archive, path.name, schemes)
    result.differences += _unlike_record(work / "ours")
    if not result.refusal:
        try:
            theirs = _recorded_by_installer(path, work / "theirs")
        except Exception as error:  # noqa: BLE001  # whatever it is, it could not be compared
            result.installer = f"{type(error).__name__}: {error}"
        else:
            ours = _rows(work / "ours")
            result.differences += (
                f"{name}: {ours.get(name)}, installer records {theirs.get(name)}"
                for name in sorted(ours.keys() | theirs.keys())
                if ours.get(name) != theirs.get(name)
            )
    return result


def _unlike_zipfile(archive: zipfile.ZipFile, filename: str, schemes: Schemes) -> Iterator[str]:
    for info, place in places(archive, filename, schemes):
        if place.name in INSTALLERS_OWN or _is_byte_code(str(place)):
            continue
        if not place.is_file():
            yield f"{place}: is missing"
            continue
        expected, found = archive.read(info), place.read_bytes()
        is_script = place.parent == Path(schemes.scripts)
        if is_script and expected.startswith(b"#!python"):
            expected, found = (text.partition(b"\n")[2] for text in (expected, found))
        if found != expected and not _is_replaced(archive, place, schemes):
            yield f"{place}: another content"
        made_on_unix = info.create_system == 3
        is_executable = is_script or bool(made_on_unix and info.external_attr >> 16 & 0o111)
        if bool(place.stat().st_mode & 0o111) != is_executable:
            yield f"{place}: mode {place.stat().st_mode:o}"


def _is_replaced(archive: zipfile.ZipFile, place: Path, schemes: Schemes) -> bool:
    """Whether a wheel ships a script that its entry points make, too."""
    if place.parent != Path(schemes.scripts):
        return False
    texts = [archive.read(n) for n in archive.namelist() if n.endswith("/entry_points.txt")]
    return any(place.name.encode() in text for text in texts)


def _unlike_record(root: Path) -> Iterator[str]:
    """What RECORD says otherwise, or does not say."""
    (info,) = root.glob("lib/site-packages/*.dist-info")
    rows = read_record(info)
    there = {path.resolve() for path in root.rglob("*") if path.is_file()}
    yield from (f"{path}: not in RECORD" for path in sorted(there - rows.keys()))
    yield from (f"{path}: only in RECORD" for path in sorted(rows.keys() - there))
    for path in sorted(there & rows.keys()):
        if rows[path] not in {("", ""), record_row(path.read_bytes())}:
            yield f"{path}: another content than in RECORD"


def _recorded_by_installer(path: Path, root: Path) -> dict[str, tuple[str, str]]:
    """The rows of RECORD that the installer library writes for a wheel."""
    schemes = schemes_below(root)
    folders: dict[str, str] = {name: getattr(schemes, name) for name in SCHEME_NAMES}
    folders["headers"] += "/" + path.name.partition("-")[0]
    destination = SchemeDictionaryDestination(folders, sys.executable, "posix")
    with WheelFile.open(path) as source:
        install(source, destination, {"INSTALLER": b"lockstream\n", "REQUESTED": b""})
    return _rows(root)


def _rows(root: Path) -> dict[str, tuple[str, str]]:
    """Return the rows of RECORD that depend neither on the installer nor on the place."""
    (info,) = root.glob("lib/site-packages/*.dist-info")
    return {
        name: row
        for path, row in read_record(info).items()
        if not _is_byte_code(name := str(path.relative_to(root.resolve())))
        and not name.startswith("bin/")
        and path.name != "direct_url.json"
    }


def _is_byte_code(path: str) -> bool:
    """What is left out: compiled files would run unread, in the place of the sources."""
    return "__pycache__/" in path and path.endswith((".pyc", ".pyo"))


def download_corpora(folder: Path) -> None:
    """The wheels of all corpora, as far as they are small."""
    with httpx.Client(follow_redirects=True, timeout=60) as client:
        for corpus, requirements in CORPORA.items():
            lock = folder / f"pylock.{corpus}.toml"
            if not lock.exists():
                plan: list[str | Path] = [
                    "plan",
                    "--quiet",
                    "-r",
                    requirements,
                    "-o",
                    lock,
                    *TARGETS,
                ]
                if run(LOCKSTREAM, *plan).returncode:
                    print(f"{corpus} cannot be planned for all targets", flush=True)
                    continue
            for wheel in wheels_of(tomllib.loads(lock.read_text())):
                path = folder / wheel["url"].rpartition("/")[2]
                if wheel["size"] <= MAX_SIZE and not path.exists():
                    fetch(client, wheel["url"], wheel["hashes"]["sha256"], path)


def download_odd(folder: Path) -> None:
    """The wheels of ``ODD``, through pip."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet")
    for requirement, options in ODD.items():
        binary = ("--no-deps", "--only-binary", ":all:")
        done = run(*pip, *binary, *options, "-d", folder, requirement)
        if done.returncode:
            errors = done.stderr.strip().splitlines()
            print(f"{requirement} cannot be downloaded: {errors[-1] if errors else ''}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Install real wheels, and compare.")
    parser.add_argument("folder", type=Path, help="of wheels")
    parser.add_argument("--corpora", action="store_true", help="download those of the corpora")
    parser.add_argument("--odd", action="store_true", help="download the oddest ones")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write all of it as JSON")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if options.odd:
        download_odd(options.folder)
    if options.corpora:
        download_corpora(options.folder)
    results = []
    for path in sorted(options.folder.resolve().glob("*.whl")):
        with tempfile.TemporaryDirectory(prefix="real-") as work:
            results.append(installed(path, Path(work)))
        result = results[-1]
        for text in (result.refusal, *result.differences[:5]):
            if text:
                print(f"{result.wheel}: {text}", flush=True)
    files = sum(result.files for result in results)
    refused = [result for result in results if result.refusal]
    lenient = sum(result.is_installed for result in refused)
    compared = sum(not (result.installer or result.refusal) for result in results)
    differ = sum(bool(result.differences) for result in results)
    print(
        f"{len(results)} wheels, {files} files: {len(refused)} refused ({lenient} of them not with "
        f"--lenient), {differ} differ; the installer library read {compared}"
    )
    if options.report:
        options.report.write_text(json.dumps([asdict(result) for result in results], indent=1))
    return 1 if differ or not results else 0


if __name__ == "__main__":
    sys.exit(main())
