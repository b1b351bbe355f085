"""The files that a package of a lock lists, for comparing one lock with another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.pylock import Package

__all__ = ["locked_files"]


def locked_files(package: Package) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the name and the hashes of each file of ``package``.

    A wheel or source distribution of an index has its file name; a file that is required by its
    address has that address, or its path.
    """
    for wheel in package.wheels or ():
        yield wheel.filename, wheel.hashes
    for file in (package.archive, package.sdist):
        if file is not None:
            yield file.url or file.path or "", file.hashes
