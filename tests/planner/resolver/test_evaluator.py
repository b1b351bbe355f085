"""A file suits the target, or is refused with a sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.index.pages import ProjectFile
from planner.inputs.inputs import InputRequirement
from planner.metadata.distribution import Distribution
from planner.model.policy import UploadLimits
from planner.model.project_set import ProjectSet
from planner.resolver.evaluator import FileEvaluator, FileRules, Rejection
from planner.resolver.required_hashes import RequiredHashes
from schemas.target import Target

NAME = canonicalize_name("demo")
TARGET = Target.named("3.11", "manylinux_2_28_x86_64")
REQUIRED = InputRequirement(
    requirement=Requirement("demo"), origin="requirements.in:1", hashes=frozenset({"sha256:aa"})
)


def evaluate(filename: str, target: Target = TARGET, **told: Any) -> Distribution | Rejection:
    entry = {"filename": filename, "url": filename, **told}
    file = ProjectFile(filename, "https://index.example/simple/demo/", entry)
    rules = FileRules(
        hashes=RequiredHashes([REQUIRED] if "hashes" in told else []),
        pins={NAME: frozenset({Version("2.0")})},
    )
    return FileEvaluator(target, rules).evaluate(NAME, file)


@pytest.mark.parametrize(
    "filename",
    [
        pytest.param("demo-1.0-py3-none-any.whl", id="any Python 3"),
        pytest.param("demo-1.0-py2.py3-none-any.whl", id="a compressed set"),
        pytest.param("demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl", id="made for it"),
        pytest.param("demo-1.0-cp311-cp311-manylinux2014_x86_64.whl", id="an older platform"),
        pytest.param("demo-1.0-cp38-abi3-manylinux_2_17_x86_64.whl", id="the stable ABI"),
        pytest.param("Demo-1.0-1build-py3-none-any.whl", id="a build tag, another spelling"),
    ],
)
def test_a_wheel_that_the_target_can_load_suits(filename: str) -> None:
    wheel = evaluate(filename)
    assert isinstance(wheel, Distribution)
    assert (wheel.name, wheel.version) == (NAME, Version("1.0"))
    assert not FileEvaluator(TARGET).is_elsewhere(filename)


@pytest.mark.parametrize("interpreter", ["cp311", "CP311", "py2.py3", "cp312", ""])
@pytest.mark.parametrize("abi", ["cp311", "none.abi3", "cp312", "."])
@pytest.mark.parametrize("platform", ["any", "manylinux2014_x86_64.win32", "ANY", "win32", "-any"])
def test_a_name_that_is_elsewhere_is_refused(interpreter: str, abi: str, platform: str) -> None:
    filename = f"demo-1.0-{interpreter}-{abi}-{platform}.whl"
    is_elsewhere = FileEvaluator(TARGET).is_elsewhere(filename)
    if is_elsewhere or "312" in filename or platform == "win32":
        assert is_elsewhere
        assert isinstance(evaluate(filename), Rejection)


@pytest.mark.parametrize("filename", ["demo-1.0.tar.gz", "demo-win32.zip", "demo-1-any-any-win32"])
def test_only_the_name_of_a_wheel_says_where_it_is_for(filename: str) -> None:
    assert not FileEvaluator(TARGET).is_elsewhere(filename)


@pytest.mark.parametrize(
    ("filename", "told", "reason"),
    [
        pytest.param("demo-1.0.tar.gz", {},
                     "it is a source distribution, and only wheels are used", id="sdist"),
        pytest.param("demo-1.0.exe", {}, "its name is not one that a wheel may have", id="other"),
        pytest.param("demo-1.0-py3-none.whl", {}, "its name is not one that a wheel may have",
                     id="malformed name"),
        pytest.param("other-1.0-py3-none-any.whl", {}, "it is a wheel of other", id="a stranger"),
        pytest.param("demo-1.0-cp312-cp312-manylinux_2_28_x86_64.whl", {},
                     "it is built for cp312-cp312", id="a newer Python"),
        pytest.param("demo-1.0-cp311-cp311-win_amd64.whl", {}, "it is built for win_amd64",
                     id="another platform"),
        pytest.param("demo-1.0-cp311-cp311-manylinux_2_34_x86_64.whl", {},
                     "it is built for manylinux_2_34_x86_64", id="a newer glibc"),
        pytest.param("demo-1.0-py3-none-any.whl", {"requires-python": ">=3.12"},
                     "it needs Python >=3.12", id="requires-python"),
        pytest.param("demo-1.0-py3-none-any.whl", {"requires-python": ">=3.x"},
                     "its Requires-Python '>=3.x' cannot be read", id="broken requires-python"),
        pytest.param("demo-1.0-py3-none-any.whl", {"yanked": "deletes files"},
                     "it was yanked: deletes files", id="yanked for a reason"),
        pytest.param("demo-1.0-py3-none-any.whl", {"yanked": True}, "it was yanked", id="yanked"),
        pytest.param("demo-1.0-py3-none-any.whl", {"hashes": {"sha256": "bb"}},
                     "its hash is not among those that the requirements give", id="hash"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_suit_says_why(
    filename: str, told: dict[str, Any], reason: str
) -> None:
    rejection = evaluate(filename, **told)
    assert isinstance(rejection, Rejection)
    assert rejection.reason == reason


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        pytest.param("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
                     "demo-1.0-py3-none-any.whl", id="native before pure"),
        pytest.param("demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl",
                     "demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", id="newer platform"),
        pytest.param("demo-1.0-2-py3-none-any.whl", "demo-1.0-1-py3-none-any.whl",
                     id="higher build"),
        pytest.param("demo-1.0-10-py3-none-any.whl", "demo-1.0-9-py3-none-any.whl",
                     id="builds are numbers"),
        pytest.param("demo-1.0-1-py3-none-any.whl", "demo-1.0-py3-none-any.whl",
                     id="any build before none"),
    ],
)  # fmt: skip
def test_among_wheels_that_suit_one_is_best(better: str, worse: str) -> None:
    first, second = evaluate(better), evaluate(worse)
    assert isinstance(first, Distribution)
    assert isinstance(second, Distribution)
    assert first.preference > second.preference


def test_a_pinned_version_may_be_yanked() -> None:
    assert isinstance(evaluate("demo-2.0-py3-none-any.whl", yanked="broken"), Distribution)


def test_a_hash_that_the_requirements_give_is_accepted() -> None:
    assert isinstance(evaluate("demo-1.0-py3-none-any.whl", hashes={"sha256": "aa"}), Distribution)


def test_a_pre_release_of_python_meets_a_plain_lower_bound() -> None:
    target = Target.named("3.14.0rc1", "manylinux_2_28_x86_64")
    assert isinstance(
        evaluate("demo-1.0-py3-none-any.whl", target, **{"requires-python": ">=3.9"}), Distribution
    )


WHEEL = "demo-1.0-py3-none-any.whl"
INDEX = "https://index.example/simple"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "told", "reason"),
    [
        pytest.param(FileRules(uploads=UploadLimits(default=NEW_YEAR)),
                     {"upload-time": "2025-12-31T23:59:59Z"}, None, id="in time"),
        pytest.param(FileRules(uploads=UploadLimits(default=NEW_YEAR)),
                     {"upload-time": "2026-01-01T00:00:00Z"},
                     "it was uploaded on 2026-01-01, too late for --exclude-newer", id="too late"),
        pytest.param(FileRules(uploads=UploadLimits(default=NEW_YEAR, of_indexes={INDEX: None})),
                     {}, None, id="an index without a limit"),
        pytest.param(FileRules(uploads=UploadLimits(of_indexes={INDEX: NEW_YEAR})),
                     {"upload-time": "2026-01-01T00:00:00Z"},
                     "it was uploaded on 2026-01-01, too late for --exclude-newer",
                     id="an index with a limit"),
        pytest.param(FileRules(uploads=UploadLimits(default=NEW_YEAR, of_projects={NAME: None})),
                     {}, None, id="a project without a limit"),
        pytest.param(FileRules(uploads=UploadLimits(of_projects={NAME: NEW_YEAR},
                                              of_indexes={INDEX: None})),
                     {"upload-time": "2026-01-01T00:00:00Z"},
                     "it was uploaded on 2026-01-01, too late for --exclude-newer",
                     id="a project with a limit on an index without one"),
        pytest.param(FileRules(uploads=UploadLimits(default=NEW_YEAR)), {},
                     "the index does not record when it was uploaded, which --exclude-newer needs",
                     id="nobody knows when"),
        pytest.param(FileRules(no_binary=ProjectSet(frozenset({NAME}))), {},
                     "it is a wheel, and --no-binary requires building the project", id="a build"),
        pytest.param(FileRules(no_binary=ProjectSet(frozenset({NAME}), are_excluded=True)), {},
                     None, id="a build of all others"),
        pytest.param(FileRules(hosts=frozenset({"index.example"})), {}, None, id="a known host"),
        pytest.param(FileRules(hosts=frozenset({"files.example"})), {},
                     "it is at index.example, which --allow-host does not name", id="another host"),
    ],
)  # fmt: skip
def test_rules_that_the_user_makes(
    rules: FileRules, told: dict[str, str], reason: str | None
) -> None:
    base = "https://index.example/simple/demo/"
    file = ProjectFile(WHEEL, base, {"url": WHEEL, **told}, index=INDEX)
    verdict = FileEvaluator(TARGET, rules).evaluate(NAME, file)
    assert (verdict.reason if isinstance(verdict, Rejection) else None) == reason


@pytest.mark.parametrize(
    ("rules", "told", "remedy"),
    [
        (FileRules(), {"yanked": "broken"}, "pin the yanked version"),
        (FileRules(hashes=RequiredHashes([REQUIRED])), {"hashes": {"sha256": "bb"}},
         "correct the hashes"),
        (FileRules(no_binary=ProjectSet(frozenset({NAME}))), {},
         "leave the project out of --no-binary"),
        (FileRules(hosts=frozenset({"other.example"})), {}, "name the host of its files"),
        (FileRules(uploads=UploadLimits(default=datetime(2026, 1, 1, tzinfo=UTC))),
         {"upload-time": "2026-02-01T00:00:00Z"}, "choose a later --exclude-newer"),
        (FileRules(uploads=UploadLimits(default=datetime(2026, 1, 1, tzinfo=UTC))), {},
         "leave out --exclude-newer"),
        (FileRules(), {"requires-python": ">=3.12"}, ""),
    ],
)  # fmt: skip
def test_a_rule_that_refuses_a_file_has_a_remedy(
    rules: FileRules, told: dict[str, Any], remedy: str
) -> None:
    filename = "demo-1.0-py3-none-any.whl"
    entry = {"filename": filename, "url": filename, **told}
    file = ProjectFile(filename, "https://index.example/simple/demo/", entry)
    found = FileEvaluator(TARGET, rules).evaluate(NAME, file)
    assert isinstance(found, Rejection)
    assert found.remedy.startswith(remedy)
    assert bool(found.remedy) is bool(remedy)
