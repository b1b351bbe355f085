"""A check says yes exactly if a plan that prefers the versions of the lock writes the same bytes.

Small projects are planned, edited at random, checked, and planned again with every shortcut off.
The kinds of edits are those of ``EDITS``; some change nothing that counts, such as a comment.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given, note, settings
from hypothesis import strategies as st

from helpers.index import Index
from helpers.wheels import Wheel, build_wheel
from planner import PlanRequest, check_lock, plan_lock
from planner.index.access import Access
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from planner.inputs.targets import TargetRequest
from planner.review.planned_lock import PlannedLock
from schemas.errors import LockstreamError

EXAMPLES = int(os.environ.get("LOCKSTREAM_EXAMPLES", "60"))
"""How many projects are edited; thousands in a long run."""

LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"
TARGETS: tuple[list[tuple[str, str]], ...] = (
    [("3.11", LINUX)],
    [("3.12", LINUX)],
    [("3.11", LINUX), ("3.11", WINDOWS)],
    [("3.11", WINDOWS), ("3.11", LINUX)],
    [("3.11", LINUX), ("3.12", LINUX)],
    [("3.13", LINUX), ("3.13t", LINUX)],
    [],
)
NATIVE = tuple(
    f"cp3{minor}-cp3{minor}{suffix}-{platform}"
    for minor in (11, 12, 13)
    for suffix in ("", "t")
    for platform in (LINUX, WINDOWS)
)

C2 = build_wheel("c", "2.0")
LOCAL = build_wheel("local", "1.0", requires=["c"], extras={"x": ["d"]})
WHEELS = (
    build_wheel("a", "1.0", requires=["b"], extras={"x": ["c"]}),
    build_wheel("a", "2.0", requires=["b>=1", "win; sys_platform == 'win32'"],
                extras={"x": ["c"], "y": ["d", "b[z]"]}),
    build_wheel("a", "3.0rc1", requires=["b"]),
    build_wheel("b", "1.0", extras={"z": ["e"]}),
    build_wheel("b", "2.0", requires=["c"], extras={"z": ["e", "c; python_version < '3.12'"]}),
    build_wheel("c", "1.0"), build_wheel("c", "1.5"), C2,
    build_wheel("d", "1.0", requires=["c<2", "a"]), build_wheel("d", "2.0", requires=["e"]),
    build_wheel("win", "1.0"),
    build_wheel("split", "1.0", tag=f"cp311-cp311-{LINUX}", requires=["c<2"]),
    build_wheel("split", "2.0", tag=f"cp312-cp312-{LINUX}", requires=["b"]),
    build_wheel("split", "3.0", requires=["e"], requires_python=">=3.12"),
    build_wheel("above", "1.0", requires=["split<3", "a"]),
    build_wheel("gone", "1.0"), build_wheel("mixed", "1.0"), build_wheel("mixed", "2.0"),
    *(build_wheel("e", version, tag=tag) for version in ("1.0", "2.0") for tag in NATIVE),
)  # fmt: skip
RIGHT, WRONG = f"--hash=sha256:{C2.sha256}", f"--hash=sha256:{'0' * 64}"

LINES = (
    "a", "a>=1", "a<2", "a==2.0", "a[x]", "a[x,y]", "a[y]; sys_platform == 'win32'", "a>=3.0rc1",
    "a[unknown]", "b", "b[z]", "b<2", "c", "c>=1.5", "c==1.5", "c!=1.5", "d", "d<2", "e", "e<2",
    "c; python_version < '3.12'", "b[z]; python_version >= '3.12'", "win; os_name == 'nt'",
    f"c==2.0 {RIGHT}", f"c==2.0 {RIGHT} {WRONG}", f"c {WRONG}", "local @ {local}",
    "a @ {index}/files/a-1.0-py3-none-any.whl", "c @ {index}/files/c-1.0-py3-none-any.whl",
    "local[x] @ {local}", "linked", "linked<2", "split", "split<3", "above", "gone", "gone==2.0",
    "gone>=1", "c${{CURRENCY_SPEC}}", "mixed", "mixed>=2",
)  # fmt: skip
LIMITS = ("c<2", "c<2", "b<2", "a<3", "c==1.0", "e>=1", f"c==2.0 {RIGHT}", "d<2; os_name == 'nt'")
REPLACEMENTS = ("c==1.0", "b[z]", "c; sys_platform == 'win32'", "d>=2", "b<2", "other", "a[x]")
OPTIONS = ("--pre", "--require-hashes", "--no-binary d", "--only-binary d", "-f {links}",
           "--extra-index-url {index}/other/", "-r more.in", "-c more.in")  # fmt: skip
SETTINGS: tuple[tuple[str, object], ...] = (
    ("prerelease", "allow"), ("prerelease", "disallow"), ("resolution", "lowest"),
    ("exclude-newer", "2024-06-01"), ("exclude-newer", "2999-01-01"),
    ("exclude-newer-package", {"c": False}),
    ("exclude-newer-package", {"c": "2024-06-01"}), ("align", False),
    ("no-binary", ["d"]), ("allow-hosts", ["127.0.0.1"]), ("excludes", ["c"]),
    ("excludes", ["win"]), ("constraints", ["b<2"]), ("overrides", ["c==1.0"]),
    ("index-strategy", "unsafe-best-match"), ("extras", ["one"]), ("groups", ["dev"]),
    ("find-links", ["links"]), ("indexes", {"extra": {"url": "http://127.0.0.1:1/"}}),
    ("indexes", {"extra": {"url": "http://127.0.0.1:1/", "explicit": True}}),
)  # fmt: skip


@dataclass(slots=True)
class State:
    """A project as it stands in its folder."""

    is_project: bool
    lines: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)
    replacements: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    scopes: dict[str, list[str]] = field(default_factory=dict)
    """The requirements of the extras ``one`` and ``two``, and of the group ``dev``."""
    settings: dict[str, object] = field(default_factory=dict)
    targets: int = 0
    requires_python: str = ">=3.8"
    comments: int = 0
    local: int = 0
    """Which build of the local wheel there is."""
    linked: int = 0
    """Which files the local folder of wheels has."""
    included: list[str] = field(default_factory=list)
    """The lines of a file that the requirements may include."""
    member: list[str] | None = None
    """The requirements of a member of the workspace, which the project requires; None without."""
    pin: str = ""
    """The line of ``.python-version``."""
    variable: str = ""
    """The value of the variable that a line reads."""


class Lab:
    """A folder for the project, and an index; one for all examples."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.folder = Path(tempfile.mkdtemp(prefix="currency-"))
        for wheel in WHEELS:
            index.add(wheel, upload_time="2024-01-01T00:00:00Z")
        yanked = {"yanked": "broken", "upload_time": "2024-01-01T00:00:00Z"}
        index.add(build_wheel("gone", "2.0"), **yanked)
        for python in ("cp311", "cp312", "cp313"):
            index.add(build_wheel("mixed", "2.0", tag=f"{python}-{python}-{LINUX}"), **yanked)

    @property
    def lock(self) -> Path:
        return self.folder / "pylock.toml"

    def write(self, state: State) -> None:
        shutil.rmtree(self.folder / "links", ignore_errors=True)
        (self.folder / "links").mkdir()
        local = LOCAL if not state.local else _other_build(LOCAL, state.local)
        path = local.write(self.folder)
        for number in range(state.linked):
            build_wheel("linked", f"{number + 1}.0").write(self.folder / "links")
        places = {
            "local": path.as_uri(),
            "index": self.index.origin,
            "links": str(self.folder / "links"),
        }

        def text(lines: list[str]) -> str:
            noise = [f"# {number}" for number in range(state.comments)]
            return "\n".join([*noise, *lines]).format(**places) + "\n"

        (self.folder / "limits.in").write_text(text(state.limits))
        (self.folder / "replacements.in").write_text(text(state.replacements))
        (self.folder / "requirements.in").write_text(text([*state.options, *state.lines]))
        (self.folder / "more.in").write_text(text(state.included))
        (self.folder / ".python-version").write_text(f"{state.pin}\n")
        os.environ["CURRENCY_SPEC"] = state.variable
        (self.folder / "pyproject.toml").unlink(missing_ok=True)
        table: dict[str, Any] = {"tool": {"lockstream": self._settings(state)}}
        if state.is_project:
            self._write_member(state, table["tool"], places)
            table["project"] = {
                "name": "top",
                "version": str(state.comments),
                "requires-python": state.requires_python,
                "dependencies": [
                    *_specifiers(state.lines, places),
                    *(["lib"] if state.member is not None else []),
                ],
                "optional-dependencies": {
                    name: _specifiers(lines, places)
                    for name, lines in state.scopes.items()
                    if name != "dev"
                },
            }
            if "dev" in state.scopes:
                table["dependency-groups"] = {"dev": _specifiers(state.scopes["dev"], places)}
        (self.folder / "pyproject.toml").write_text(tomli_w.dumps(table))

    def _write_member(self, state: State, tool: dict[str, Any], places: dict[str, str]) -> None:
        shutil.rmtree(self.folder / "members", ignore_errors=True)
        if state.member is None:
            return
        (self.folder / "members" / "lib").mkdir(parents=True)
        project = {
            "name": "lib",
            "version": "1",
            "dependencies": _specifiers(state.member, places),
        }
        path = self.folder / "members" / "lib" / "pyproject.toml"
        path.write_text(tomli_w.dumps({"project": project}))
        tool["uv"] = {
            "workspace": {"members": ["members/*"]},
            "sources": {"lib": {"workspace": True}},
        }

    def _settings(self, state: State) -> dict[str, object]:
        found = dict(state.settings)
        for key in ("extras", "groups"):
            names = [name for name in found.get(key, []) if name in state.scopes]  # type: ignore[attr-defined]
            if key in found:
                found[key] = names if state.is_project else []
        if targets := TARGETS[state.targets]:
            found["targets"] = [
                {"python": python, "platform": platform} for python, platform in targets
            ]
        return found

    def first(self, state: State) -> PlanRequest:
        """The plan whose options the lock records."""
        folder = str(self.folder)
        sources = (
            Provenance(projects=(folder,))
            if state.is_project
            else Provenance(requirements=(f"{folder}/requirements.in",))
        )
        return PlanRequest(
            sources=Provenance(
                projects=sources.projects,
                requirements=sources.requirements,
                constraints=(f"{folder}/limits.in",),
                overrides=(f"{folder}/replacements.in",),
            ),
            targets=TargetRequest(),
            output=str(self.lock),
            indexes=IndexRequest(default_index=self.index.url),
            policy=PolicyRequest(),
            forget=True,
            upgrade=True,
            access=Access(),
        )

    def again(self) -> PlannedLock:
        """Plan without options, and without any shortcut."""
        return plan_lock(PlanRequest(output=str(self.lock), access=Access(refresh=True)))


def _specifiers(lines: list[str], places: dict[str, str]) -> list[str]:
    read_here = (line for line in lines if "$" not in line)
    return [line.partition(" --hash")[0].format(**places) for line in read_here]


def _other_build(wheel: Wheel, number: int) -> Wheel:
    return build_wheel(
        "local", "1.0", requires=["c"], extras={"x": ["d"]}, files={"local.py": f"{number}"}
    )


Draw = Callable[[st.SearchStrategy[object]], object]


def _change_list(pool: tuple[str, ...], name: str) -> Callable[[random.Random, State], None]:
    def change(chance: random.Random, state: State) -> None:
        lines: list[str] = getattr(state, name)
        kind = chance.choice(["add", "remove", "replace", "swap"])
        if kind == "add" or not lines:
            lines.insert(chance.randint(0, len(lines)), chance.choice(pool))
        elif kind == "remove":
            lines.remove(chance.choice(lines))
        elif kind == "replace":
            lines[chance.randrange(len(lines))] = chance.choice(pool)
        else:
            chance.shuffle(lines)

    return change


def _change_scope(chance: random.Random, state: State) -> None:
    name = chance.choice(["one", "two", "dev"])
    if name in state.scopes and chance.random() < 0.4:
        del state.scopes[name]
    else:
        state.scopes.setdefault(name, []).append(chance.choice(LINES))


def _change_setting(chance: random.Random, state: State) -> None:
    if state.settings and chance.random() < 0.4:
        del state.settings[chance.choice(sorted(state.settings))]
    else:
        key, value = chance.choice(SETTINGS)
        state.settings[key] = value


def _change_targets(chance: random.Random, state: State) -> None:
    state.targets = chance.randrange(len(TARGETS))


def _change_python(chance: random.Random, state: State) -> None:
    state.requires_python = chance.choice([">=3.8", ">=3.9", ">=3.12", "<4,>=3.8"])


def _change_comment(chance: random.Random, state: State) -> None:
    state.comments += 1


def _rebuild_local(chance: random.Random, state: State) -> None:
    state.local += 1


def _add_linked(chance: random.Random, state: State) -> None:
    state.linked = chance.randint(0, 3)


def _change_included(chance: random.Random, state: State) -> None:
    state.included = chance.sample(LIMITS, chance.randrange(3))


def _change_member(chance: random.Random, state: State) -> None:
    lines = [chance.choice(LINES) for _ in range(chance.randint(1, 2))]
    state.member = None if chance.random() < 0.2 else lines


def _change_pin(chance: random.Random, state: State) -> None:
    state.pin = chance.choice(["", "3.11", "3.12", "3.13.1", "system"])


def _change_variable(chance: random.Random, state: State) -> None:
    state.variable = chance.choice(["", "<2", ">=1.5", "==1.5"])


EDITS: dict[str, Callable[[random.Random, State], None]] = {
    "a requirement": _change_list(LINES, "lines"),
    "a constraint": _change_list(LIMITS, "limits"),
    "an override": _change_list(REPLACEMENTS, "replacements"),
    "an option in a file": _change_list(OPTIONS, "options"),
    "an extra or a group": _change_scope,
    "a setting": _change_setting,
    "the targets": _change_targets,
    "requires-python": _change_python,
    "a comment": _change_comment,
    "the bytes of a local wheel": _rebuild_local,
    "the files of a local folder": _add_linked,
    "an included file": _change_included,
    "a member of a workspace": _change_member,
    ".python-version": _change_pin,
    "a variable of the environment": _change_variable,
}
"""Each of the first four adds, removes, replaces or reorders lines: with markers, extras, hashes,
addresses and options, these are some twenty kinds."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Index() as index:
        made = Lab(index)
        yield made
        shutil.rmtree(made.folder)
        os.environ.pop("CURRENCY_SPEC", None)


def _draw_state(chance: random.Random) -> State:
    state = State(is_project=chance.random() < 0.5)
    for name, change in EDITS.items():
        for _ in range(2 if name == "a requirement" else 1):
            if name == "a requirement" or chance.random() < 0.35:
                change(chance, state)
    return state


@given(seed=st.integers(0, 1 << 32))
@settings(max_examples=EXAMPLES)
def test_a_lock_is_current_exactly_if_a_plan_writes_the_same_bytes(lab: Lab, seed: int) -> None:
    chance = random.Random(seed)
    state = _draw_state(chance)
    lab.write(state)
    lab.lock.unlink(missing_ok=True)
    note(repr(state))
    try:
        before = plan_lock(lab.first(state)).text
    except LockstreamError:
        return  # it has no lock, and nothing to check
    assert check_lock(str(lab.lock)).problems == ()
    for _ in range(chance.choice([1, 1, 2])):
        name = chance.choice(sorted(EDITS))
        EDITS[name](chance, state)
        note(f"{name}: {state!r}")
    lab.write(state)
    try:
        problems: tuple[str, ...] = check_lock(str(lab.lock)).problems
    except LockstreamError as error:
        problems = (str(error),)
    try:
        after = lab.again().text
    except LockstreamError as error:
        after = f"no lock: {error}"
    note(f"check: {problems}")
    assert (problems == ()) == (after == before)
