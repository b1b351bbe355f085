"""The laws of a subset, for locks of small projects that are drawn at random.

What is executed of it is what is executed of its lock with the same selection, and what else
changes in that lock changes no byte of it.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from executor.lock.options import SelectOptions
from executor.lock.reader import LockReader
from executor.lock.selection import Selector
from executor.lock.step import Step, fixed_order
from helpers.index import Index
from helpers.wheels import build_wheel
from planner import PlanRequest, SubsetChoice, check_lock, plan_lock, subset_lock
from planner.index.access import Access
from planner.inputs.options import IndexRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.lock.reader import read_lock
from schemas.errors import LockstreamError
from schemas.lock import recorded_targets
from schemas.target import Target

EXAMPLES = int(os.environ.get("LOCKSTREAM_EXAMPLES", "60"))

LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"
NATIVE = tuple(
    f"cp3{minor}-cp3{minor}-{platform}" for minor in (11, 12) for platform in (LINUX, WINDOWS)
)
WHEELS = (
    build_wheel("a", "1.0", requires=["b", "win; sys_platform == 'win32'"],
                extras={"x": ["c"], "y": ["d", "b[z]"]}),
    build_wheel("b", "1.0", requires=["c; python_version < '3.12'"], extras={"z": ["e"]}),
    build_wheel("c", "1.0"), build_wheel("c", "2.0"),
    build_wheel("d", "1.0", requires=["a[x]", "c<2"]), build_wheel("d", "2.0", requires=["e"]),
    build_wheel("win", "1.0", requires=["e"]),
    build_wheel("all", "1.0", requires=["all[some]"], extras={"some": ["d", "b"], "more": ["e"]}),
    build_wheel("new", "1.0", requires=["c>=2"], requires_python=">=3.12"),
    build_wheel("new", "0.5", requires=["b"]),
    *(build_wheel("e", "1.0", tag=tag, requires=["c"]) for tag in NATIVE),
)  # fmt: skip
LINES = st.sampled_from([
    "a", "a[x]", "a[y]", "a[x,y]; sys_platform == 'win32'", "b", "b[z]", "c", "c<2", "d", "d<2",
    "e", "e; python_version >= '3.12'", "win; os_name == 'nt'", "all", "all[more]", "new",
    "b[z]; python_version >= '3.12'",
])  # fmt: skip
SCOPES = ("one", "two", "dev", "docs")
TARGETS = st.sampled_from([
    (("3.11",), (LINUX,)), (("3.11", "3.12"), (LINUX,)), (("3.11", "3.12"), (LINUX, WINDOWS)),
    (("3.12",), (WINDOWS, LINUX)),
])  # fmt: skip
PROJECTS = st.fixed_dictionaries({
    "always": st.lists(LINES, max_size=3),
    "scopes": st.dictionaries(st.sampled_from(SCOPES), st.lists(LINES, max_size=2), max_size=4),
    "targets": TARGETS,
})  # fmt: skip


@dataclass(slots=True)
class Lab:
    """A folder with a project, its lock and a subset in another folder; one for all examples."""

    index: Index
    folder: Path

    @property
    def lock(self) -> str:
        return str(self.folder / "pylock.toml")

    @property
    def part(self) -> str:
        return str(self.folder / "parts" / "pylock.part.toml")

    def plan(self, project: Mapping[str, Any], *, again: bool = False) -> None:
        """Plan the project; ``again``: with the versions of its lock preferred."""
        if not again:
            Path(self.lock).unlink(missing_ok=True)
        scopes = project["scopes"]
        table = {
            "project": {
                "name": "top",
                "version": "1",
                "dependencies": project["always"],
                "optional-dependencies": {one: scopes[one] for one in SCOPES[:2] if one in scopes},
            },
            "dependency-groups": {one: scopes[one] for one in SCOPES[2:] if one in scopes},
        }
        (self.folder / "pyproject.toml").write_text(tomli_w.dumps(table))
        pythons, platforms = project["targets"]
        try:
            plan_lock(
                PlanRequest(
                    sources=Provenance(projects=(str(self.folder),)),
                    targets=TargetRequest(python_versions=pythons, platforms=platforms),
                    output=self.lock,
                    indexes=IndexRequest(default_index=self.index.url),
                    access=Access(),
                )
            )
        except LockstreamError as error:
            note(str(error))
            assume(False)

    def subset(self, choice: SubsetChoice, of: str = "") -> str:
        """Return the text of the subset that was written."""
        Path(self.part).unlink(missing_ok=True)
        return subset_lock(of or self.lock, self.part, choice).text


@pytest.fixture(name="lab")
def _lab(index: Index) -> Iterator[Lab]:
    for wheel in WHEELS:
        index.add(wheel, upload_time="2024-01-01T00:00:00Z")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "parts").mkdir()
        yield Lab(index, Path(folder))


def steps_of(path: str, target: Target, select: SelectOptions | None = None) -> list[Step]:
    """Return what an execution of the lock makes, in its order."""
    reader = LockReader(path)
    selector = Selector(reader.header, target, select or SelectOptions())
    steps = [selector.select(package, line) for package, line in reader.packages()]
    selector.finish()
    return fixed_order(filter(None, steps))


def choice_of(project: Mapping[str, Any], chosen: set[str], **more: Any) -> SubsetChoice:
    known = [one for one in SCOPES if one in project["scopes"] and one in chosen]
    extras = tuple(one for one in known if one in SCOPES[:2])
    return SubsetChoice(extras=extras, groups=tuple(one for one in known if one not in extras),
                        **more)  # fmt: skip


def selected(lab: Lab, choice: SubsetChoice) -> dict[str, list[Step]]:
    return {
        str(target): steps_of(lab.lock, target, choice.select)
        for target in recorded_targets(read_lock(lab.lock))
    }


CHOSEN = st.sets(st.sampled_from(SCOPES))
IN_THE_LAB = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@IN_THE_LAB
@given(project=PROJECTS, chosen=CHOSEN, data=st.data())
def test_its_steps_are_those_of_the_lock_with_the_same_selection(
    lab: Lab, project: dict[str, Any], chosen: set[str], data: st.DataObject
) -> None:
    lab.plan(project)
    pythons, platforms = project["targets"]
    choice = choice_of(
        project,
        chosen,
        python_versions=data.draw(st.sampled_from([(), pythons[:1], pythons])),
        platforms=data.draw(st.sampled_from([(), platforms[:1]])),
    )
    text = lab.subset(choice)
    document = tomllib.loads(text)
    assert not {"extras", "dependency-groups", "default-groups"} & document.keys()
    assert "dependency_groups" not in text
    targets = recorded_targets(read_lock(lab.part))
    assert len(targets) == len(choice.python_versions or pythons) * len(
        choice.platforms or platforms
    )
    used = set()
    for target in targets:
        wanted = steps_of(lab.lock, target, choice.select)
        assert steps_of(lab.part, target) == wanted
        used |= {step.filename for step in wanted}
    listed = [wheel for package in read_lock(lab.part).packages for wheel in package.wheels or ()]
    assert {wheel.filename for wheel in listed} == used, "it has files that nothing installs"
    assert check_lock(lab.part).problems == ()


@IN_THE_LAB
@given(project=PROJECTS, chosen=CHOSEN)
def test_a_subset_of_a_subset_is_that_subset(
    lab: Lab, project: dict[str, Any], chosen: set[str]
) -> None:
    lab.plan(project)
    first = tomllib.loads(lab.subset(choice_of(project, chosen)))
    again = subset_lock(lab.part, str(Path(lab.part).with_name("pylock.again.toml")))
    second = tomllib.loads(again.text)
    for document in (first, second):
        del document["tool"]["lockstream"]["subset"]
    assert second == first


@IN_THE_LAB
@given(old=PROJECTS, new=PROJECTS, chosen=CHOSEN)
def test_it_changes_only_if_what_it_selects_changes(
    lab: Lab, old: dict[str, Any], new: dict[str, Any], chosen: set[str]
) -> None:
    new = {**new, "targets": old["targets"]}
    for one in chosen:
        new["scopes"].setdefault(one, [])
        old["scopes"].setdefault(one, [])
    choice = choice_of(old, chosen)
    lab.plan(old)
    before = lab.subset(choice), selected(lab, choice)
    lab.plan(new, again=True)
    after = lab.subset(choice), selected(lab, choice)
    assert (before[0] == after[0]) == (before[1] == after[1])


@IN_THE_LAB
@given(project=PROJECTS, chosen=CHOSEN, data=st.data())
def test_a_package_and_the_rest_are_two_layers_of_one_environment(
    lab: Lab, project: dict[str, Any], chosen: set[str], data: st.DataObject
) -> None:
    lab.plan(project)
    choice = choice_of(project, chosen)
    everything = selected(lab, choice)
    names = sorted({step.name for steps in everything.values() for step in steps})
    assume(names)
    name = data.draw(st.sampled_from(names))
    found: dict[str, list[list[Step]]] = {target: [] for target in everything}
    for part in ({"packages": (name,)}, {"without": (name,)}):
        lab.subset(choice_of(project, chosen, **part))
        for target in recorded_targets(read_lock(lab.part)):
            found[str(target)].append(steps_of(lab.part, target))
    for where, (first, second) in found.items():
        assert fixed_order([*first, *second]) == everything[where]
        is_there = any(step.name == name for step in everything[where])
        assert any(step.name == name for step in first) == is_there
        requires = {"all": "d", "d": "", "win": "e", "e": "c"}.get(name)
        if requires and is_there:
            assert requires in {step.name for step in first}


@IN_THE_LAB
@given(project=PROJECTS, chosen=CHOSEN, data=st.data())
def test_a_package_of_a_subset_is_that_package_of_its_lock(
    lab: Lab, project: dict[str, Any], chosen: set[str], data: st.DataObject
) -> None:
    lab.plan(project)
    choice = choice_of(project, chosen)
    names = sorted({step.name for steps in selected(lab, choice).values() for step in steps})
    assume(names)
    name = data.draw(st.sampled_from(names))
    direct = tomllib.loads(lab.subset(choice_of(project, chosen, packages=(name,))))
    lab.subset(choice)
    other = str(Path(lab.part).with_name("pylock.again.toml"))
    indirect = tomllib.loads(subset_lock(lab.part, other, SubsetChoice(packages=(name,))).text)
    assert indirect["packages"] == direct["packages"]
    assert indirect["environments"] == direct["environments"]


@IN_THE_LAB
@given(project=PROJECTS, chosen=CHOSEN)
def test_the_tool_tables_decide_nothing(
    lab: Lab, project: dict[str, Any], chosen: set[str]
) -> None:
    """Without them the lock is one of another tool: all its wheels stay, and the same are taken."""
    lab.plan(project)
    choice = choice_of(project, chosen)
    expected = selected(lab, choice)
    document = tomllib.loads(Path(lab.lock).read_text())
    targets = recorded_targets(read_lock(lab.lock))
    for table in (document, *document["packages"]):
        table.pop("tool", None)
    bare = lab.folder / "pylock.bare.toml"
    bare.write_text(tomli_w.dumps(document))
    lab.subset(choice, str(bare))
    for target in targets:
        assert steps_of(lab.part, target) == [
            replace(step, hints=None) for step in expected[str(target)]
        ]
