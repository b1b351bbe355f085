"""The memory that reading a lock takes: that of its largest package, however many it has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

WHEELS = 40
ALLOWED = 2 << 20
"""Bytes that 1,000 packages may take more than 10."""

_PLATFORMS = (
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "musllinux_1_2_aarch64",
    "musllinux_1_2_x86_64",
    "win32",
    "win_amd64",
)
_PURE = ("win_arm64", "win32", "win_amd64", "linux_x86_64", "any")
TAGS = [
    *(f"cp3{minor}-cp3{minor}-{name}" for minor in range(10, 15) for name in _PLATFORMS),
    *(f"py3-none-{name}" for name in _PURE),
]
"""What a compiled project of today publishes; one of them suits every machine."""

SELECT = """
import sys
from executor.environment.environment import Environment
from executor.install.decide import decide
environment = Environment.target(sys.argv[2])
changes = decide(sys.argv[1], environment)
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
print(len(changes.install), peak * 1024)
"""


def package(number: int) -> Iterator[str]:
    name = f"project-{number:04}"
    stem = f"project_{number:04}-1.{number}.0"
    yield f'[[packages]]\nname = "{name}"\nversion = "1.{number}.0"\nrequires-python = ">=3.8"\n'
    yield "wheels = [\n"
    for place, tag in enumerate(TAGS):
        digest = f"{number * WHEELS + place:064x}"
        url = f"https://files.example.com/packages/{digest[-2:]}/{digest}/{stem}-{tag}.whl"
        yield (
            f'    {{ name = "{stem}-{tag}.whl", url = "{url}", '
            "upload-time = 2025-01-25T11:30:10.164985+00:00, "
            f'size = {1000 + place}, hashes = {{ sha256 = "{digest}" }} }},\n'
        )
    yield "]\n\n"


def write_lock(path: Path, packages: int) -> None:
    with path.open("w") as file:
        file.write('lock-version = "1.0"\ncreated-by = "tests"\n\n')
        for number in range(packages):
            file.writelines(package(number))


def peak(folder: Path, packages: int) -> int:
    """Peak RSS, in bytes, of a process that decides what to install from such a lock."""
    lock = folder / f"pylock.{packages}.toml"
    write_lock(lock, packages)
    run = subprocess.run(
        [sys.executable, "-c", SELECT, lock, folder / "target"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    selected, size = map(int, run.stdout.split())
    assert selected == packages
    return size


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_a_lock_of_a_thousand_packages_takes_hardly_more_than_one_of_ten(tmp_path: Path) -> None:
    assert len(TAGS) == WHEELS
    # The least of two: what else the machine does can only add to it.
    few, many = (min(peak(tmp_path, count) for _ in range(2)) for count in (10, 1000))
    assert many - few < ALLOWED
