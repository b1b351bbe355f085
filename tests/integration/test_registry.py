"""Against the real registry: the same versions as uv's, in a lock that other tools read."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
from packaging.pylock import PackageWheel, Pylock
from uv import find_uv_bin

import lockstream
from planner.inputs.pip_config import PUBLIC_INDEX
from schemas.target import Target

pytestmark = [pytest.mark.registry, pytest.mark.usefixtures("cache_folder")]

PYTHON, PLATFORM = "3.12", "manylinux_2_28_x86_64"
TARGET = Target.named(PYTHON, PLATFORM)
NAMED = ("--python-version", PYTHON, "--platform", PLATFORM)


def plan(folder: Path, *lines: str, target: Sequence[str] = NAMED) -> Pylock:
    (folder / "requirements.in").write_text("\n".join(lines))
    arguments = ["plan", "-r", str(folder / "requirements.in"), "-o", str(folder / "pylock.toml")]
    assert lockstream.main([*arguments, *target, "--default-index", PUBLIC_INDEX]) == 0
    return Pylock.from_dict(tomllib.loads((folder / "pylock.toml").read_text()))


def versions_of_uv(folder: Path) -> dict[str, str]:
    """What uv resolves the same requirements to, at the same time."""
    command = [
        find_uv_bin(),
        "pip",
        "compile",
        "--no-config",
        "--quiet",
        "--no-header",
        "--no-annotate",
    ]
    target = ["--python-version", PYTHON, "--python-platform", "x86_64-manylinux_2_28"]
    policy = ["--only-binary", ":all:", "--default-index", PUBLIC_INDEX]
    result = subprocess.run(
        [*command, *target, *policy, str(folder / "requirements.in")],
        check=True,
        capture_output=True,
        text=True,
    )
    pins = (line.partition("==") for line in result.stdout.splitlines() if "==" in line)
    return {name: version for name, _, version in pins}


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(["requests"], id="a few pure wheels"),
        pytest.param(["aiohttp", "cryptography", "pandas<3"], id="native wheels"),
        pytest.param(["httpx[http2,cli]", "uvicorn[standard]"], id="extras"),
        pytest.param(["boto3", "aiobotocore"], id="versions that must go together"),
        pytest.param(["opentelemetry-distro[otlp]"], id="pre-releases that packages ask for"),
        pytest.param(["xarray", "pandas<2.2"], id="many versions to give up"),
    ],
)
def test_the_versions_are_those_of_uv(tmp_path: Path, lines: list[str]) -> None:
    lock = plan(tmp_path, *lines)
    planned = {package.name: str(package.version) for package in lock.packages}
    assert planned == versions_of_uv(tmp_path)


def test_uv_reads_the_lock(tmp_path: Path) -> None:
    lock = plan(tmp_path, "requests", "cryptography", target=())
    command = [find_uv_bin(), "pip", "sync", "--no-config", "--dry-run", "--no-cache"]
    where = ["--python", sys.executable, "--target", str(tmp_path / "target")]
    result = subprocess.run(
        [*command, *where, str(tmp_path / "pylock.toml")],
        check=True,
        capture_output=True,
        text=True,
    )
    for package in lock.packages:
        assert f"+ {package.name}=={package.version}" in result.stderr


def test_pip_reads_the_lock(tmp_path: Path) -> None:
    lock = plan(tmp_path, "requests", "cryptography", target=())
    command = [sys.executable, "-m", "pip", "--isolated", "install", "--dry-run", "--no-deps"]
    result = subprocess.run(
        [*command, "--ignore-installed", "-r", str(tmp_path / "pylock.toml")],
        check=True,
        capture_output=True,
        text=True,
    )
    for package in lock.packages:
        assert f"{package.name}-{package.version}" in result.stdout


def test_each_wheel_is_sized_as_the_zip_says(tmp_path: Path) -> None:
    lock = plan(tmp_path, "click==8.1.8")
    ((package, wheel),) = lock.select(environment=TARGET.environment, tags=TARGET.tags)  # type: ignore[arg-type]
    assert isinstance(wheel, PackageWheel)
    assert package.tool is not None
    # Measured once with unzip -l; the files of a release never change.
    assert wheel.size == 98188
    assert package.tool["lockstream"]["wheels"][wheel.filename] == {
        "unpacked-size": 355272, "files": 21, "largest-file": 114748,
    }  # fmt: skip
