"""A policy says the flags of each build, and what of it a lock records."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from planner.builds.build_request import BuildRequest
from planner.builds.policy import BuildPolicy
from planner.inputs.build_settings import BuildSetting
from schemas.errors import UsageError

DEMO = canonicalize_name("demo")


def test_one_job_is_used_unless_the_project_says_otherwise() -> None:
    policy = BuildPolicy(configured={"demo": BuildSetting(jobs=3)}, defaults=False)
    assert policy.flags("demo", "backend").jobs == 3
    assert policy.flags("other", "backend").jobs == 1


def test_what_a_source_does_not_declare_is_required_for_its_package() -> None:
    request = BuildRequest(requires=("Demo: numpy < 3", "demo:torch", "other:cython"))
    policy = request.resolve({"Demo": BuildSetting(requires=("torch", "wheel"))})
    assert policy.requires("demo") == ("numpy < 3", "torch", "wheel")
    assert policy.requires("third") == ()
    allowed = BuildRequest(select=("missing",), requires=("demo:torch",)).resolve({})
    assert allowed.to_table()["flags"] == {"demo": {"requires": ["torch"]}}


def test_wheels_that_are_not_kept_cannot_be_listed() -> None:
    policy = BuildRequest(no_wheelhouse=True).resolve({})
    with pytest.raises(UsageError, match="keeps no wheels, and --fragments lists them") as raised:
        policy.check_keeps("--fragments")
    assert "--wheelhouse DIR" in str(raised.value.hint)
    BuildRequest().resolve({}).check_keeps("--fragments")


def test_only_what_influences_the_lock_is_recorded() -> None:
    assert BuildRequest(environment=("A=1",)).resolve({}).to_table() == {}
    policy = BuildRequest(
        select=("missing",),
        environment=("A=1",),
        defaults=False,
        measured_jobs=4,
        no_wheelhouse=True,
        network=False,
    ).resolve({"demo": BuildSetting(jobs=2)})
    assert policy.to_table() == {
        "packages": "missing",
        "flags": {"*": {"environment": {"A": "1"}}},
        "settings": {"demo": {"jobs": 2}},
        "defaults": False,
        "measured-jobs": 4,
        "wheelhouse": False,
    }
