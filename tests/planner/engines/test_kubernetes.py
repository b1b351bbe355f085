"""A Job of Kubernetes for each build, with its request and the meaning of the exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.builds.unit import BuildUnit
from planner.engines import kubernetes
from planner.engines.work import Work
from schemas.target import Target


def jobs(*units: BuildUnit) -> list[dict[str, Any]]:
    text = kubernetes.render(Work(units=units, lock="pylock.toml", store="built"))
    found: list[dict[str, Any]] = json.loads(text)["items"]
    return found


def container(job: dict[str, Any]) -> dict[str, Any]:
    (found,) = job["spec"]["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def test_a_job_requests_what_was_measured_and_is_limited_with_its_files() -> None:
    record = build_record(demand={1: 100 << 20}, files=40 << 20)
    (job,) = jobs(build_unit(record=record))
    assert container(job)["resources"] == {
        "requests": {"memory": "137Mi", "cpu": "1"},
        "limits": {"memory": "177Mi"},
    }
    assert job["metadata"]["annotations"]["lockstream/measured"] == "true"


def test_a_build_that_was_never_measured_gets_the_first_class() -> None:
    (job,) = jobs(build_unit())
    assert container(job)["resources"]["requests"]["memory"] == "512Mi"


def test_wheels_go_to_an_address_with_the_credentials_of_a_secret() -> None:
    work = Work(units=[build_unit()], lock="pylock.toml", store="https://files.example.com/built")
    (job,) = json.loads(kubernetes.render(work))["items"]
    assert "https://files.example.com/built" in container(job)["command"]
    assert container(job)["env"] == [{"name": "NETRC", "value": "/login/netrc"}]
    volumes = {one["name"]: one for one in job["spec"]["template"]["spec"]["volumes"]}
    assert set(volumes) == {"lock", "login"}
    assert volumes["login"]["secret"] == {"secretName": "lockstream-netrc", "optional": True}


def test_only_what_may_pass_is_tried_again() -> None:
    (job,) = jobs(build_unit())
    rules = job["spec"]["podFailurePolicy"]["rules"]
    (final,) = [rule["onExitCodes"]["values"] for rule in rules if rule["action"] == "FailJob"]
    assert {7, 8} <= set(final)
    assert 5 not in final
    assert 0 not in final


def test_a_job_runs_on_the_machines_of_its_target() -> None:
    of = [job["spec"]["template"]["spec"]["nodeSelector"] for job in jobs(
        build_unit(platform="manylinux_2_28_x86_64"), build_unit(platform="musllinux_1_2_aarch64")
    )]  # fmt: skip
    assert of == [{"kubernetes.io/arch": "amd64"}, {"kubernetes.io/arch": "arm64"}]


@pytest.mark.parametrize(
    "name",
    ["a" * 39 + "-b-c", "Zope.Interface", "a" * 200, "x_.-_y", "0", "A" * 40 + "." * 9 + "b"],
)
def test_the_name_of_a_job_is_a_label_of_dns(name: str) -> None:
    (job,) = jobs(build_unit(name))
    found = job["metadata"]["name"]
    assert len(found) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", found)
    assert "--" not in found


@pytest.mark.parametrize(
    ("python", "platform", "tag"),
    [
        ("3.12", "linux", "3.12"),
        ("3.12.4", "linux", "3.12"),
        ("3.13t", "linux", "3.13t"),
        ("pypy3.11", "linux", "pypy3.11"),
        ("3.12", "musllinux_1_2_x86_64", "3.12-musl"),
    ],
)
def test_the_image_has_the_python_and_the_c_library_of_the_target(
    python: str, platform: str, tag: str
) -> None:
    (job,) = jobs(build_unit(target=Target.named(python, platform)))
    assert container(job)["image"].rpartition(":")[2] == tag


def test_the_jobs_are_valid_for_the_api_of_kubernetes(tmp_path: Path) -> None:
    found = jobs(
        build_unit(),
        build_unit("other", record=build_record()),
        build_unit("Long.Name_" * 20 + "x", version=Version("1!2.0rc1.post2.dev3+abc.1")),
        build_unit("of-32-bits", platform="manylinux_2_28_i686"),
        build_unit("of-a-repository", version=None),
    )
    found += json.loads(
        kubernetes.render(
            Work(units=[build_unit()], lock="a b.toml", store="https://h.example/%20'x'", least=1)
        )
    )["items"]
    documents = tmp_path / "jobs.yaml"
    documents.write_text("\n---\n".join(map(json.dumps, found)))
    program = Path(sys.executable).with_name("kubernetes-validate")
    run = subprocess.run(
        [program, "--strict", documents], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
