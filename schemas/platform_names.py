"""What other tools call platforms: ``linux/amd64``, ``x86_64-unknown-linux-gnu``, ``alpine``.

Only an error loads this.
"""

from __future__ import annotations

import re

__all__ = ["meant_platform"]

_ARM = re.compile(r"aarch64|arm64")
_INTEL = re.compile(r"x86[_-]64|amd64|x64")
_GLIBC = re.compile(r"manylinux_(\d+_\d+)")
_SYSTEMS = (
    (re.compile(r"darwin|mac|osx|apple"), "macosx_13_0_{}", "arm64", "x86_64", "arm64"),
    (re.compile(r"win|msvc"), "win_{}", "arm64", "amd64", "amd64"),
    (re.compile(r"musl|alpine"), "musllinux_1_2_{}", "aarch64", "x86_64", "x86_64"),
    (re.compile(r"linux|gnu|debian|ubuntu"), "manylinux_2_28_{}", "aarch64", "x86_64", "x86_64"),
)
"""What names a system, its tag, what that calls the two machines, and the one that most have."""


def meant_platform(text: str) -> str:
    """Return the tag of the platform that ``text`` may mean; empty if nothing is near.

    A machine alone is one with Linux. A system alone has the machine that most of its kind have.
    """
    said = text.lower()
    is_arm, is_intel = _ARM.search(said) is not None, _INTEL.search(said) is not None
    for pattern, tag, arm, intel, usual in _SYSTEMS:
        if pattern.search(said):
            glibc = _GLIBC.search(said)
            wanted = f"manylinux_{glibc[1]}_{{}}" if glibc else tag
            return wanted.format(arm if is_arm else intel if is_intel else usual)
    if is_arm or is_intel:
        return f"manylinux_2_28_{'aarch64' if is_arm else 'x86_64'}"
    return ""
