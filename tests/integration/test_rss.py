"""What an execution holds in memory depends neither on how much it installs nor on its size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.locks import write_lock
from helpers.wheels import Wheel, build_wheel
from schemas.zipformat import Method

MIB = 1 << 20

CEILING = 32 * MIB
"""Of the largest process, whatever is installed."""

GROWTH = 2 * MIB
"""Between the smallest and the largest wheel."""

NAME = 16
"""Of each member, at most: a hash of 8 bytes, in an array that grows by copying, tells names that
some file systems take for one."""

PACKAGE = 5 << 9
"""Of each package that is selected: what the lock says of its wheel, and where that is staged."""


def rss_peak(folder: Path, wheels: list[Wheel], *, lanes: int) -> int:
    """Bytes of the largest process of an execution of these wheels."""
    folder.mkdir()
    write_lock(folder, wheels)
    command = [sys.executable, "-m", "lockstream", "execute", str(folder / "pylock.toml")]
    options = [
        "--target",
        str(folder / "tree"),
        "--lanes",
        str(lanes),
        "--progress",
        "none",
        "--json",
    ]
    run = subprocess.run(
        [*command, *options],
        check=False,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert run.returncode == 0, run.stderr.decode()
    peak = json.loads(run.stdout)["rss_peak"]
    assert isinstance(peak, int)
    return peak


@pytest.fixture(name="least", scope="module")
def peak_of_one_small_wheel(tmp_path_factory: pytest.TempPathFactory) -> int:
    return rss_peak(tmp_path_factory.mktemp("least") / "work", [build_wheel()], lanes=1)


def test_of_100_000_members_a_hash_of_each_name_is_kept(tmp_path: Path, least: int) -> None:
    files = {f"demo/p{number % 100:02}/m{number:06}.py": b"x = 1\n" for number in range(100_000)}
    wheel = build_wheel(files=files, zip64=True)
    peak = rss_peak(tmp_path / "work", [wheel], lanes=1)
    assert peak <= CEILING
    assert peak - least <= GROWTH + 100_000 * NAME


def test_a_large_member_takes_no_more(tmp_path: Path, least: int) -> None:
    block = os.urandom(MIB)
    files = {"demo/data.bin": b"".join(block[n:] + block[:n] for n in range(256))}
    wheel = build_wheel(files=files, method=Method.STORED)
    peak = rss_peak(tmp_path / "work", [wheel], lanes=1)
    assert peak <= CEILING
    assert peak - least <= GROWTH


def test_a_thousand_packages_take_a_few_kilobytes_each(tmp_path: Path, least: int) -> None:
    wheels = [build_wheel(f"p{number}", files={f"p{number}.py": ""}) for number in range(1_000)]
    peak = rss_peak(tmp_path / "work", wheels, lanes=2)
    assert peak <= CEILING
    assert peak - least <= 1_000 * PACKAGE
