"""A wheel of an earlier lock stands for its source as long as what it depends on is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from packaging.utils import canonicalize_name

from helpers.build_records import build_record
from helpers.wheels import build_wheel
from planner.builds.earlier_builds import EarlierBuilds
from planner.builds.policy import BuildPolicy
from planner.builds.source_build import SourceBuild
from planner.lock.built import KnownBuild
from planner.model.direct_reference import DirectReference
from schemas.builds import BuildFlags
from schemas.target import Target

DEMO = canonicalize_name("demo")
LINUX, WINDOWS = Target.named("3.12", "linux"), Target.named("3.12", "windows")
WHEEL = build_wheel("demo", "1.0")
ADDRESS = "git+https://forge.example/demo@main"


class Keyed:
    """A build of which only the key is asked for."""

    def __init__(self, key: str) -> None:
        self._key = key

    def key(self, _flags: BuildFlags, _lock: str | None) -> str:
        return self._key


def keyed(key: str) -> SourceBuild:
    return cast("SourceBuild", Keyed(key))


@pytest.fixture
def known(tmp_path: Path) -> KnownBuild:
    return KnownBuild(
        folder=str(tmp_path),
        name=DEMO,
        record=build_record(source=ADDRESS, commit="c" * 40),
        path=str(WHEEL.write(tmp_path)),
        url=None,
        sha256=WHEEL.sha256,
        sdist=None,
    )


def earlier(known: KnownBuild, policy: BuildPolicy | None = None) -> EarlierBuilds:
    return EarlierBuilds(known=(known,), policy=policy or BuildPolicy(), folder=known.folder)


def test_a_build_is_found_again_by_its_key(known: KnownBuild) -> None:
    assert earlier(known).of_build(DEMO, keyed("a" * 64), LINUX) is known
    assert earlier(known).of_build(DEMO, keyed("b" * 64), LINUX) is None


def test_a_wheel_that_was_exchanged_or_lost_is_not_used(known: KnownBuild) -> None:
    Path(known.path).write_bytes(b"exchanged")
    assert earlier(known).of_build(DEMO, keyed("a" * 64), LINUX) is None
    Path(known.path).unlink()
    assert earlier(known).of_build(DEMO, keyed("a" * 64), LINUX) is None


def test_a_wheel_for_another_target_is_not_used(known: KnownBuild) -> None:
    other = replace(known, record=replace(known.record, wheel="demo-1.0-cp311-abi3-win_amd64.whl"))
    assert earlier(other).of_build(DEMO, keyed("a" * 64), LINUX) is None
    assert earlier(other).of_build(DEMO, keyed("a" * 64), WINDOWS) is other


def test_a_reference_is_pinned_to_the_commit_that_was_built(known: KnownBuild) -> None:
    reference = DirectReference.parse(ADDRESS)
    assert earlier(known).pinned(reference).commit == "c" * 40
    assert earlier(known).pinned(DirectReference.parse(f"{ADDRESS}-2")).commit == ""
    built = earlier(known).of_reference(DEMO, reference, LINUX)
    assert built is not None
    assert built.source.reference is not None
    assert built.source.reference.commit == "c" * 40


def test_a_build_of_others_with_other_flags_is_not_used(known: KnownBuild) -> None:
    """Here it would be built again; left to others, the lock would keep what nobody asked for."""
    reference = DirectReference.parse(ADDRESS)
    same = BuildPolicy(deferred=True, defaults=False)
    assert earlier(known, same).of_reference(DEMO, reference, LINUX) is not None
    record = replace(known.record, flags=BuildFlags(environment={"LEVEL": "1"}))
    assert earlier(replace(known, record=record), same).of_reference(DEMO, reference, LINUX) is None


def test_a_build_of_others_whose_lock_is_gone_is_not_used(known: KnownBuild) -> None:
    gone = replace(known, record=replace(known.record, lock="pylock.build-demo.toml"))
    policy = BuildPolicy(deferred=True, defaults=False)
    reference = DirectReference.parse(ADDRESS)
    assert earlier(gone, policy).of_reference(DEMO, reference, LINUX) is None
