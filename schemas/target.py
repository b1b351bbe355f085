"""The Python and the platform that wheels are selected for.

A target is made from facts, never from the interpreter that runs lockstream: either from the
options of the user (``--python-version 3.12 --platform manylinux_2_28_x86_64``) or from the report
of a probe of the target interpreter. Both ways give the same order of tags, that of
``packaging.tags.sys_tags``
(https://packaging.python.org/specifications/platform-compatibility-tags/).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from schemas.data_class import frozen
from schemas.errors import UsageError

if TYPE_CHECKING:  # packaging is imported where a target is compared: an installation compares none
    from packaging.tags import Tag
    from packaging.version import Version

__all__ = ["DEFAULT_PLATFORMS", "Target", "forget_tags", "platform_tags"]

DEFAULT_PLATFORMS: Mapping[str, str] = {
    "linux": "manylinux_2_28_x86_64",
    "macos": "macosx_13_0_arm64",
    "windows": "win_amd64",
}
"""The platform tag of a plain name: the baseline that most wheels of today are built for
(manylinux_2_28: https://github.com/pypa/manylinux#manylinux_2_28-almalinux-8-based)."""

_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""PEP 600: the legacy names are aliases of these glibc versions."""

# A target has one tag for each version up to its own, so the numbers have few digits.
_LIBC_PLATFORM = re.compile(
    r"(?P<libc>manylinux|musllinux)_(?P<major>\d{1,2})_(?P<minor>\d{1,2})_(?P<arch>\w+)"
)
_MAC_PLATFORM = r"macosx_(?P<major>\d{1,2})_(?P<minor>\d{1,2})_(?P<arch>arm64|x86_64)"
_LEGACY_PLATFORM = re.compile(r"(?P<name>manylinux2014|manylinux2010|manylinux1)_(?P<arch>\w+)")
_LINUX_MACHINE = re.compile(
    r"(?:(?:many|musl)linux_\d{1,2}_\d{1,2}|manylinux\d+|linux)_(?P<arch>\w+)"
)
_MISNAMED = {
    "amd64": "x86_64", "arm64": "aarch64", "armhf": "armv7l", "armv7": "armv7l", "i386": "i686",
    "ppc64el": "ppc64le", "x64": "x86_64", "x86": "i686",
}  # fmt: skip
"""What images and other systems call machines, and Linux does not."""
_OTHER_PLATFORM = r"linux_\w+|win_amd64|win_arm64|win32"

_MIN_MINOR = 6
"""The oldest Python that uv plans for, too."""

_MIN_MINOR_WITHOUT_M = 8

_MAX_MINOR = 99
"""A target accepts tags of all older minor versions of Python too."""

_RELEASES = 100
"""More than any version of Python has had: the most, 3.9, had 25."""

_PYPY_VERSION = "7.3.0"
_PYPY_ABI = "pp73"
"""The version of PyPy itself, which every release since 2020 satisfies, and its ABI."""

_MACHINES = {"win_amd64": "AMD64", "win_arm64": "ARM64", "win32": "x86"}


@frozen(kw_only=True)
class Target:
    """One environment to plan for or to fill."""

    environment: Mapping[str, str]
    """All marker variables of the dependency specifier standard, except ``extra``."""
    platform: str
    """The newest platform tag that it accepts, such as ``manylinux_2_28_x86_64``."""
    abis: tuple[str, ...] = ()
    """The native ABIs of its Python, best first: ``cp312``, ``cp313t``, ``pypy310_pp73``."""
    native_tags: tuple[Tag, ...] = ()
    """The tags of an interpreter that has said them itself; empty if they follow from the rest."""
    is_series: bool = False
    """Whether it stands for its release of Python and all later ones of the same version, because
    3.11 was named and no release of it."""

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The wheel tags that it accepts, best first."""
        return self.native_tags or _tags(
            self.environment["python_version"],
            self.environment["implementation_name"],
            self.abis,
            self.platform,
        )

    @property
    def python_version(self) -> Version:
        """The full version of the target's Python, as specifiers compare it."""
        return _full_version(self.environment["python_full_version"])

    def __str__(self) -> str:
        implementation = self.environment["platform_python_implementation"]
        return f"{implementation} {self.environment['python_full_version']} on {self.platform}"

    @property
    def python_name(self) -> str:
        """The version as ``named`` takes it: ``3.12``, ``3.12.4``, ``3.13t`` or ``pypy3.11``."""
        implementation = self.environment["implementation_name"]
        full = self.environment["python_full_version"]
        version = full.removesuffix(".0") if full.count(".") == 2 else full
        free_threaded = any(tag.abi == f"{tag.interpreter}t" for tag in self.tags)
        prefix = "" if implementation == "cpython" else implementation
        return f"{prefix}{version}{'t' if free_threaded else ''}"

    @property
    def command(self) -> str:
        """The name of its Python in a PATH: ``python3.12``, ``python3.13t`` or ``pypy3.11``."""
        name = "pypy" if self.environment["implementation_name"] == "pypy" else "python"
        threading = "t" if self.python_name.endswith("t") else ""
        return f"{name}{self.environment['python_version']}{threading}"

    def releases(self) -> Iterator[Target]:
        """Yield the target; if it stands for a series, also the later releases of it, in order."""
        yield self
        if self.is_series:
            first = self.python_version.micro + 1
            yield from map(self.with_release, range(first, _RELEASES))

    def with_release(self, release: int) -> Target:
        """Return the target with this release of its version of Python: 5 for 3.11.5."""
        names = ("python_full_version", "implementation_version")
        before = self.environment["python_full_version"]
        full = f"{self.environment['python_version']}.{release}"
        changed = {name: full for name in names if self.environment[name] == before}
        return replace(self, environment={**self.environment, **changed})

    def to_table(self) -> dict[str, str]:
        """Return the TOML table that a lock has for it."""
        return {"python": self.python_name, "platform": self.platform}

    @classmethod
    def from_table(cls, table: object) -> Target | None:
        """Return what ``to_table`` wrote; None if it is not usable."""
        if not isinstance(table, Mapping):
            return None
        python, platform = table.get("python"), table.get("platform")
        if not isinstance(python, str) or not isinstance(platform, str):
            return None
        try:
            return cls.named(python, platform)
        except UsageError:
            return None

    @classmethod
    def named(cls, python_version: str, platform: str) -> Target:
        """Return the target that a user names: ``3.12`` or ``3.12.4``, with a platform tag or one
        of the plain names of ``DEFAULT_PLATFORMS``. A trailing ``t`` means free-threaded, a leading
        ``pypy`` PyPy.

        Raises UsageError for an unknown version or platform.
        """
        is_pypy = python_version.startswith("pypy")
        free_threaded = python_version.endswith("t") and not is_pypy
        from packaging.version import InvalidVersion, Version  # noqa: PLC0415  # as above

        try:
            version = Version(python_version.removeprefix("pypy").removesuffix("t"))
        except InvalidVersion:
            version = Version("0")
        if version.major != 3 or len(version.release) < 2 or version.minor > _MAX_MINOR:
            raise UsageError(
                f"--python-version {python_version!r} is not a version of Python 3",
                hint="name it as 3.12, 3.12.4, 3.13t (free-threaded) or pypy3.11",
            )
        if version.minor < _MIN_MINOR:
            raise UsageError(
                f"--python-version {python_version!r} is older than 3.{_MIN_MINOR}, and nothing is "
                "planned for it",
                hint=f"in YAML, 3.{version.minor}0 is 3.{version.minor} unless it is quoted; "
                "name it as 3.12",
            )
        minor = f"{version.major}.{version.minor}"
        full = str(version) if len(version.release) > 2 else f"{minor}.0"
        platform = DEFAULT_PLATFORMS.get(platform, platform)
        _check_machine(platform)
        python = _pypy_environment if is_pypy else _cpython_environment
        # Until 3.7 the name of the ABI said that Python has an allocator of its own (PEP 3149).
        suffix = "t" if free_threaded else "m" if version.minor < _MIN_MINOR_WITHOUT_M else ""
        abi = f"cp3{version.minor}{suffix}"
        target = cls.from_facts(
            {**_platform_environment(platform), **python(minor, full)},
            platform=platform,
            abis=(f"pypy3{version.minor}_{_PYPY_ABI}" if is_pypy else abi,),
        )
        return replace(target, is_series=len(version.release) == 2)

    @classmethod
    def from_facts(
        cls, environment: Mapping[str, str], *, platform: str, abis: Iterable[str]
    ) -> Target:
        """Return the target with these marker variables, newest platform tag and native ABIs.

        ``abis`` are those that ``packaging`` finds on that interpreter. Raises UsageError if wheels
        are not built for ``platform``.
        """
        next(platform_tags(platform))  # raises for an unknown one
        return cls(environment=dict(environment), platform=platform, abis=tuple(abis))


def forget_tags() -> None:
    """Free the memory of the tags of all targets; ``Target.tags`` makes them again."""
    _tags.cache_clear()


@cache
def _tags(
    python_version: str, implementation: str, abis: tuple[str, ...], platform: str
) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags, generic_tags  # noqa: PLC0415  # above

    python = tuple(int(part) for part in python_version.split("."))
    platforms = list(platform_tags(platform))
    nodot = "".join(str(part) for part in python)
    tags: list[Tag]
    if implementation == "cpython":
        tags = list(cpython_tags(python, abis, platforms))
        interpreter = f"cp{nodot}"
    else:
        short = {"pypy": "pp"}.get(implementation, implementation)
        interpreter = f"{short}{nodot}"
        tags = list(generic_tags(interpreter, abis, platforms))
        if short == "pp":
            interpreter = "pp3"
    tags.extend(compatible_tags(python, interpreter, platforms))
    return tuple(tags)


def platform_tags(platform: str) -> Iterator[str]:
    """Yield all platform tags that a machine accepts whose newest tag is ``platform``, best first.

    Raises UsageError if wheels are not built for ``platform``.
    """
    if legacy := _LEGACY_PLATFORM.fullmatch(platform):
        major, minor = next(v for v, name in _LEGACY_MANYLINUX.items() if name == legacy["name"])
        platform = f"manylinux_{major}_{minor}_{legacy['arch']}"
    if libc := _LIBC_PLATFORM.fullmatch(platform):
        # packaging >= 26.3 puts the native tag first (its CHANGELOG, #160).
        yield f"linux_{libc['arch']}"
        oldest = 0
        if libc["libc"] == "manylinux":
            # No older glibc is supported by any manylinux policy (PEP 513, PEP 599).
            oldest = 5 if libc["arch"] in {"x86_64", "i686"} else 17
        for minor in range(int(libc["minor"]), oldest - 1, -1):
            yield f"{libc['libc']}_{libc['major']}_{minor}_{libc['arch']}"
            name = _LEGACY_MANYLINUX.get((int(libc["major"]), minor))
            if name and libc["libc"] == "manylinux":
                yield f"{name}_{libc['arch']}"
    elif mac := re.fullmatch(_MAC_PLATFORM, platform):
        from packaging.tags import mac_platforms  # noqa: PLC0415  # as above

        yield from mac_platforms((int(mac["major"]), int(mac["minor"])), mac["arch"])
    elif re.fullmatch(_OTHER_PLATFORM, platform):
        yield platform
    else:
        from schemas.platform_names import meant_platform  # noqa: PLC0415  # only an error needs it

        meant = meant_platform(platform)
        raise UsageError(
            f"--platform {platform!r} is not a platform that wheels are built for",
            hint=(f"did you mean {meant}? " if meant else "")
            + "name a tag such as manylinux_2_28_x86_64, musllinux_1_2_aarch64, "
            "macosx_14_0_arm64 or win_amd64, or one of "
            f"{', '.join(sorted(DEFAULT_PLATFORMS))}",
        )


def _check_machine(platform: str) -> None:
    """Raise UsageError if the machine of a tag has another name on Linux: a lock for it could be
    installed nowhere.
    """
    found = _LINUX_MACHINE.fullmatch(platform)
    name = found["arch"].lower() if found else ""
    if found and (right := _MISNAMED.get(name, name)) != found["arch"]:
        raise UsageError(
            f"--platform {platform!r}: no Linux calls a machine {found['arch']}",
            hint=f"name it as {platform[: found.start('arch')]}{right}",
        )


def _platform_environment(platform: str) -> dict[str, str]:
    """Return the marker variables that follow from a platform tag.

    ``platform_release`` and ``platform_version`` are unknown before the machine is: empty, as
    in ``uv pip compile --python-platform``. Only a macOS has one kernel.
    """
    unknown = {"platform_release": "", "platform_version": ""}
    if platform.startswith("win"):
        machine = _MACHINES.get(platform, "")
        return {
            "os_name": "nt",
            "sys_platform": "win32",
            "platform_system": "Windows",
            "platform_machine": machine,
            **unknown,
        }
    if mac := re.fullmatch(_MAC_PLATFORM, platform):
        return {
            "os_name": "posix",
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "platform_machine": mac["arch"],
            **unknown,
            "platform_release": _darwin(int(mac["major"]), int(mac["minor"])),
        }
    libc = _LIBC_PLATFORM.fullmatch(platform) or _LEGACY_PLATFORM.fullmatch(platform)
    return {
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": libc["arch"] if libc else platform.removeprefix("linux_"),
        **unknown,
    }


def _darwin(major: int, minor: int) -> str:
    """Return the version of the kernel of a macOS
    (https://en.wikipedia.org/wiki/Darwin_(operating_system)#Release_history).
    """
    if major == 10:
        return f"{minor + 4}.0.0"
    return f"{major + 9 if major < 26 else major - 1}.{minor}.0"


def _cpython_environment(minor: str, full: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "platform_python_implementation": "CPython",
        "python_full_version": full,
        "python_version": minor,
    }


def _pypy_environment(minor: str, full: str) -> dict[str, str]:
    return {
        "implementation_name": "pypy",
        "implementation_version": _PYPY_VERSION,
        "platform_python_implementation": "PyPy",
        "python_full_version": full,
        "python_version": minor,
    }


def _full_version(text: str) -> Version:
    """Return the version of a Python. One built from a checkout reports ``3.14.0+``, which is not a
    version of PEP 440.
    """
    from packaging.version import Version  # noqa: PLC0415  # as above

    return Version(text.removesuffix("+"))
