"""What the file name of a wheel says: project, version, tags.

Source: https://packaging.python.org/specifications/binary-distribution-format/. ``packaging`` is
imported where versions or tags are compared: an installation that gets its steps from the fork that
read the lock needs neither, and packaging brings ``logging`` and ``subprocess``, 7 ms and 1 MiB.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING

from schemas.wheel import MAX_NAME_SIZE

if TYPE_CHECKING:
    from packaging.tags import Tag
    from packaging.utils import BuildTag, NormalizedName
    from packaging.version import Version

__all__ = [
    "MAX_TAGS",
    "dist_info_matches",
    "has_too_many_tags",
    "is_for_linux",
    "normalized_name",
    "parse_wheel_filename",
    "same_version",
    "split_wheel_filename",
    "stated_tags",
    "version_in_name",
]


MAX_TAGS = 1000
"""Combinations of a compressed tag set; a real file name has up to about 20."""


def normalized_name(name: str) -> NormalizedName:
    """Return the name of a project in the form in which names are compared
    (https://packaging.python.org/specifications/name-normalization/).
    """
    plain = name.lower().replace("_", "-").replace(".", "-")
    while "--" in plain:
        plain = plain.replace("--", "-")
    return plain  # type: ignore[return-value]  # made of str by packaging's cast alone


def same_version(one: str, other: str) -> bool:
    """Return whether two texts are spellings of one version. What is not a version is compared as
    text.
    """
    if one == other:
        return True
    from packaging.version import Version  # noqa: PLC0415  # see above

    try:
        return Version(one) == Version(other)
    except ValueError:  # InvalidVersion is one, and so is a number of 5,000 digits
        return False


def parse_wheel_filename(
    filename: str,
) -> tuple[NormalizedName, Version, BuildTag, frozenset[Tag]]:
    """Return the name, version, build tag and tags that a file name states, in bounded time.

    Raises packaging.utils.InvalidWheelFilename.
    """
    from packaging.utils import InvalidWheelFilename  # noqa: PLC0415  # see above
    from packaging.utils import parse_wheel_filename as parse  # noqa: PLC0415

    if len(filename) > MAX_NAME_SIZE or has_too_many_tags(filename):
        raise InvalidWheelFilename(f"it is too long, or has more than {MAX_TAGS} tags")
    try:
        return parse(filename)
    except InvalidWheelFilename:
        raise
    except ValueError as error:  # a number of more digits than int() takes
        raise InvalidWheelFilename(str(error)) from None


def is_for_linux(filename: str) -> bool:
    """Return whether every platform tag of a wheel's file name is one of Linux."""
    platforms = filename.removesuffix(".whl").rpartition("-")[2].split(".")
    return all(tag.startswith(("linux_", "manylinux", "musllinux_")) for tag in platforms)


def stated_tags(filename: str) -> set[str]:
    """Return the tags of a wheel's file name, each as text: ``py2-none-any``, ``py3-none-any``."""
    parts = filename.removesuffix(".whl").lower().split("-")[-3:]
    return {"-".join(tag) for tag in product(*(part.split(".") for part in parts))}


def has_too_many_tags(filename: str) -> bool:
    """Return whether a file name states more than ``MAX_TAGS`` tags."""
    parts = filename.removesuffix(".whl").split("-")[-3:]
    return prod(part.count(".") + 1 for part in parts) > MAX_TAGS


def split_wheel_filename(filename: str) -> tuple[str, str]:
    """Return the name and the version of a wheel as its file name spells them.

    Raises packaging.utils.InvalidWheelFilename.
    """
    parts = filename.removesuffix(".whl").split("-")
    if not filename.endswith(".whl") or len(parts) not in {5, 6}:
        from packaging.utils import InvalidWheelFilename  # noqa: PLC0415  # see above

        raise InvalidWheelFilename(f"Invalid wheel filename: {filename!r}")
    return parts[0], parts[1]


def dist_info_matches(folder: str, name: str, version: str) -> bool:
    """Return whether ``folder`` (``demo-1.0.dist-info``, or with ``.data``) belongs to a wheel of
    this name and version, in any spelling.
    """
    stem = folder.rpartition(".")[0]
    if stem == f"{name}-{version}" and name and "-" not in name:
        return True
    folder_name, dash, folder_version = stem.partition("-")
    return (
        bool(dash)
        and normalized_name(folder_name) == normalized_name(name)
        and same_version(version_in_name(folder_version), version_in_name(version))
    )


def version_in_name(text: str) -> str:
    """Return the version that the name of a wheel or of its dist-info folder spells as ``text``.

    Some tools write ``_`` for each mark: ``1.0_cu12_x`` is ``1.0+cu12.x``, as ``1.0+cu12_x`` is.
    """
    return text if "+" in text else text.replace("_", "+", 1)
