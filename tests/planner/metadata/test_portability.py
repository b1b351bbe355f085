"""A plan knows the names for which an execution refuses a wheel."""

from __future__ import annotations

import io
import zipfile

import pytest

from executor.archive.central_directory import read_directory
from helpers.wheels import build_wheel
from planner.metadata.collisions import Listing
from planner.metadata.portability import find_unportable


def listing_of(files: dict[str, str], folder: object) -> Listing:
    wheel = build_wheel(files=files)
    path = wheel.write(folder)  # type: ignore[arg-type]
    assert zipfile.is_zipfile(io.BytesIO(wheel.content))
    return Listing.of(read_directory(str(path)))


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["demo/a.py", "demo/b.py"], ()),
        (["demo/aux.py", "demo/b.py"], ("demo/aux.py",)),
        (["demo/mpicc", "demo/mpiCC"], ("demo/mpiCC",)),
        (["demo/a:b"], ("demo/a:b",)),
        (["demo/nul", "demo/con", "demo/prn", "demo/aux"], ("demo/nul", "demo/con", "demo/prn")),
    ],
)
def test_they_are_found_in_wheels_for_all_systems(
    tmp_path: object, names: list[str], found: tuple[str, ...]
) -> None:
    listing = listing_of(dict.fromkeys(names, "x"), tmp_path)
    assert find_unportable("demo-1.0-py3-none-any.whl", listing) == found
    assert find_unportable("demo-1.0-py3-none-win_amd64.whl", listing) == found
    assert find_unportable("demo-1.0-py3-none-manylinux_2_17_x86_64.whl", listing) == ()
