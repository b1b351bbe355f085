"""One lock for three Pythons on four platforms: each target gets what it would get alone, and other
installers read the same out of it.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from helpers.index import Index
from helpers.locks import plan_into
from helpers.wheels import build_wheel
from schemas.target import Target

pytestmark = pytest.mark.usefixtures("cache_folder")

PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "manylinux_2_28_x86_64": "x86_64-manylinux_2_28",
    "manylinux_2_28_aarch64": "aarch64-manylinux_2_28",
    "macosx_14_0_arm64": "aarch64-apple-darwin",
    "win_amd64": "x86_64-pc-windows-msvc",
}
"""As wheels and as uv call them."""

UV = Path(sys.executable).with_name("uv")


@pytest.fixture
def lines(index: Index) -> list[str]:
    """Requirements of everything that makes targets differ."""
    for version in ("1.0", "2.0"):
        for python in PYTHONS:
            tag = f"cp3{python[2:]}"
            for platform in PLATFORMS:
                # The newest has no wheel for one of the twelve.
                if (version, python, platform) != ("2.0", "3.11", "win_amd64"):
                    requires = ["older; python_version < '3.12'", "wide; sys_platform != 'win32'"]
                    wheel = build_wheel(
                        "native", version, tag=f"{tag}-{tag}-{platform}", requires=requires
                    )
                    index.add(wheel)
    index.add(build_wheel("older"), build_wheel("wide", requires=["arm"]), build_wheel("mac"))
    index.add(build_wheel("arm", requires=["far; platform_machine == 'aarch64'"]))
    index.add(build_wheel("far"), build_wheel("split", "1.0"))
    index.add(build_wheel("split", "2.0", requires_python=">=3.12"), requires_python=">=3.12")
    return ["native", "mac; sys_platform == 'darwin'", "split"]


def words(pythons: tuple[str, ...], platforms: tuple[str, ...]) -> list[str]:
    told = [word for python in pythons for word in ("--python-version", python)]
    return told + [word for platform in platforms for word in ("--platform", platform)]


def versions(lock: Path, target: Target) -> Mapping[str, str]:
    document = Pylock.from_dict(tomllib.loads(lock.read_text()))
    chosen = document.select(
        environment=target.environment,  # type: ignore[arg-type]
        tags=target.tags,
    )
    return {str(package.name): str(package.version) for package, _ in chosen}


def read_by_uv(lock: Path, python: str, platform: str) -> Mapping[str, str]:
    told = subprocess.run(
        [
            UV, "pip", "sync", "--no-config", "--offline", "--no-cache", "--dry-run",
            "--preview-features", "pylock", "--python", sys.executable, "--no-python-downloads",
            "--target", lock.parent / "nowhere", "--python-version", python,
            "--python-platform", platform, lock,
        ],
        env={"MACOSX_DEPLOYMENT_TARGET": "14.0"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return dict(re.findall(r"^ \+ (\S+)==(\S+)", told.stderr, re.MULTILINE))


def test_each_target_gets_what_it_would_get_alone(
    index: Index, lines: list[str], tmp_path: Path
) -> None:
    targets = words(PYTHONS, tuple(PLATFORMS))
    lock = plan_into(index, tmp_path, lines, "--no-align", targets=targets)
    alone = tmp_path / "pylock.alone.toml"
    for python in PYTHONS:
        for platform in PLATFORMS:
            alone.unlink(missing_ok=True)
            one = words((python,), (platform,))
            plan_into(index, tmp_path, lines, name=alone.name, targets=one)
            target = Target.named(python, platform)
            assert versions(lock, target) == versions(alone, target)


def test_another_installer_reads_the_same(index: Index, lines: list[str], tmp_path: Path) -> None:
    targets = words(PYTHONS, tuple(PLATFORMS))
    lock = plan_into(index, tmp_path, lines, targets=targets)
    for python in PYTHONS:
        for platform, name in PLATFORMS.items():
            ours = versions(lock, Target.named(python, platform))
            assert read_by_uv(lock, python, name) == ours
            # The one target that cannot have the newest decides for all.
            assert ours["native"] == "1.0"
