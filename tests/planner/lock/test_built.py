"""The builds of an earlier lock are known again, if their wheels can still be had."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w
from packaging.pylock import Pylock
from packaging.utils import canonicalize_name

from helpers.build_records import build_record
from helpers.sdists import build_sdist
from helpers.wheels import build_wheel
from planner.index.pages import ProjectFile, ProjectPage
from planner.lock.built import KnownBuild, known_builds
from schemas.target import Target

SDIST, WHEEL = build_sdist(), build_wheel("demo", "1.0")
PATH = f"wheelhouse/{WHEEL.filename}"
RECORD = build_record()


def lock(**wheel: object) -> Pylock:
    document = {
        "lock-version": "1.0",
        "created-by": "lockstream",
        "packages": [
            {
                "name": "demo",
                "version": "1.0",
                "sdist": {
                    "url": f"https://files.example/{SDIST.filename}",
                    "size": len(SDIST.content),
                    "hashes": {"sha256": SDIST.sha256},
                },
                "wheels": [{"hashes": {"sha256": WHEEL.sha256}, **wheel}],
                "tool": {"lockstream": {"build": {RECORD.wheel: RECORD.to_table()}}},
            }
        ],
    }
    return Pylock.from_dict(tomllib.loads(tomli_w.dumps(document)))


@pytest.fixture
def known(tmp_path: Path) -> KnownBuild:
    (tmp_path / "wheelhouse").mkdir()
    WHEEL.write(tmp_path / "wheelhouse")
    (build,) = known_builds(lock(path=PATH), str(tmp_path))
    return build


def test_a_build_is_known_by_its_wheel_and_its_source(known: KnownBuild, tmp_path: Path) -> None:
    assert known.path == str(tmp_path / PATH)
    assert known.sha256 == WHEEL.sha256
    assert known.suits(Target.named("3.12", "linux"))
    built = known.to_built()
    assert built is not None
    assert (built.source.sha256, built.source.size) == (SDIST.sha256, len(SDIST.content))
    assert built.wheel.path == known.path
    assert built.wheel.is_built


def test_a_wheel_that_is_served_is_also_in_the_wheelhouse(tmp_path: Path) -> None:
    served = lock(url=f"https://wheels.example/{WHEEL.filename}")
    (build,) = known_builds(served, str(tmp_path), "wheelhouse")
    assert build.path == str(tmp_path / PATH)
    built = build.to_built()
    assert built is not None
    assert (built.url, built.wheel.path) == (f"https://wheels.example/{WHEEL.filename}", None)


def test_a_wheel_that_is_gone_is_not_used(known: KnownBuild) -> None:
    Path(known.path).unlink()
    assert known.to_built() is None


def test_it_is_of_a_page_that_still_has_its_source(known: KnownBuild) -> None:
    name = canonicalize_name("demo")

    def page(sha256: str) -> ProjectPage:
        entry = {"url": "https://files.example/x", "hashes": {"sha256": sha256}}
        return ProjectPage(name, {"1.0": [ProjectFile(SDIST.filename, "", entry)]})

    assert known.is_of(page(SDIST.sha256))
    assert not known.is_of(page("0" * 64))
    assert not replace(known, sdist=None).is_of(page(SDIST.sha256))


def test_a_source_in_a_folder_is_told_by_its_content(known: KnownBuild, tmp_path: Path) -> None:
    path = SDIST.write(tmp_path)
    file = ProjectFile(SDIST.filename, "", {"url": path.as_uri()}, path=str(path))
    page = ProjectPage(canonicalize_name("demo"), {"1.0": [file]})
    assert known.is_of(page)
    path.write_bytes(b"exchanged")
    assert not known.is_of(page)
    path.unlink()
    assert not known.is_of(page)


def test_a_source_of_an_index_without_hashes_is_told_by_its_address(known: KnownBuild) -> None:
    assert known.sdist is not None
    for address, is_it in ((known.sdist.url, True), ("https://files.example/other", False)):
        file = ProjectFile(SDIST.filename, "", {"url": address})
        assert known.is_of(ProjectPage(canonicalize_name("demo"), {"1.0": [file]})) is is_it


def test_a_package_without_a_record_has_no_build(tmp_path: Path) -> None:
    plain = lock(path=PATH)
    packages = [replace(one, tool=None) for one in plain.packages]
    assert known_builds(replace(plain, packages=packages), str(tmp_path)) == ()
