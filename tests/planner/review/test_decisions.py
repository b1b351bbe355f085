"""What decides about one package is a digest, which changes exactly if that does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from planner.index.indexes import Indexes, Links
from planner.inputs.inputs import InputRequirement, Inputs
from planner.inputs.question import Question
from planner.lock.markers import Conditions
from planner.model.environments import group_targets
from planner.model.policy import Policy
from planner.review.decisions import Decisions
from schemas.target import Target

DEMO = canonicalize_name("demo")
LINUX, WINDOWS = Target.named("3.11", "linux"), Target.named("3.11", "windows")
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def line(text: str, *hashes: str) -> InputRequirement:
    return InputRequirement(
        requirement=Requirement(text), origin="r.in:1", hashes=frozenset(hashes)
    )


def question_of(*lines: InputRequirement, folder: str = "/lock", links: str = "") -> Question:
    return Question(
        inputs=Inputs(requirements=lines),
        environments=group_targets([LINUX, WINDOWS]),
        policy=Policy(),
        indexes=Indexes(places=(Links(links),) if links else ()),
        folder=folder,
        provenance={},
    )


def facts(*lines: InputRequirement, folder: str = "/lock", links: str = "") -> dict[str, object]:
    question = question_of(*lines, folder=folder, links=links)
    conditions = Conditions([one.variables for one in question.environments])
    return dict(Decisions(question, conditions).of(DEMO))


def test_a_plain_requirement_decides_nothing_that_the_lock_does_not_show() -> None:
    assert facts(line("demo"), line("demo[x]>=1; os_name == 'nt'")) == {}


def test_hashes_count_as_a_set() -> None:
    assert facts(line("demo", ONE, TWO)) == facts(line("demo==1", TWO, ONE))
    assert facts(line("demo", ONE)) != facts(line("demo", ONE, TWO))
    assert facts(line("other", ONE)) == {}


def test_a_fact_of_some_environments_has_their_marker() -> None:
    (value,) = facts(line("demo; sys_platform == 'win32'", ONE)).values()
    assert isinstance(value, list)
    assert value[0].endswith('; sys_platform == "win32"')


def test_an_address_counts_without_its_credentials() -> None:
    plain = facts(line("demo @ https://files.example/demo-1-py3-none-any.whl"))
    assert plain == facts(line("demo @ https://u:p@files.example/demo-1-py3-none-any.whl"))
    assert plain != facts(line("demo @ https://files.example/demo-2-py3-none-any.whl"))
    assert list(plain) == ["address"]


def test_an_address_that_is_overridden_does_not_count() -> None:
    address = line("demo @ https://files.example/demo-1-py3-none-any.whl")
    inputs = Inputs(requirements=(address,), overrides=(line("demo<2"),))
    question = replace(question_of(address), inputs=inputs)
    conditions = Conditions([one.variables for one in question.environments])
    assert Decisions(question, conditions).of(DEMO) == {}


def test_a_local_address_counts_from_the_folder_of_the_lock(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "demo.whl").write_bytes(b"same")
    found = [
        facts(
            line(f"demo @ {(tmp_path / name / 'demo.whl').as_uri()}"), folder=str(tmp_path / name)
        )
        for name in ("one", "two")
    ]
    assert found[0] == found[1]
    assert sorted(found[0]) == ["address", "content"]


def test_the_content_of_a_local_file_or_folder_counts(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.py").write_text("a")
    lines = line(f"demo @ {tree.as_uri()}")
    before = facts(lines)
    (tree / "a.py").write_text("b")
    after = facts(lines)
    assert before["address"] == after["address"]
    assert before["content"] != after["content"]


def test_the_names_in_a_local_folder_of_wheels_count(tmp_path: Path) -> None:
    assert facts(links=str(tmp_path)) == {}
    (tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(b"")
    before = facts(links=str(tmp_path))
    assert list(before) == ["find-links"]
    (tmp_path / "other-1.0-py3-none-any.whl").write_bytes(b"")
    (tmp_path / "notes.txt").write_bytes(b"")
    assert facts(links=str(tmp_path)) == before
    (tmp_path / "demo-1.0.tar.gz").write_bytes(b"")
    assert facts(links=str(tmp_path)) != before
