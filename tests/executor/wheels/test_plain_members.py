"""The loop over plain members gives what the code for all members gives, in fewer calls."""

from __future__ import annotations

import hashlib
import sys
import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from executor.archive import expansion_limit, unzip
from executor.archive.inflate import NotStreamable
from executor.files.destination import Destination
from executor.wheels import plain_members
from executor.wheels.errors import WheelRefused
from executor.wheels.rules import STRICT, Rules
from helpers.archives import Member, compress
from helpers.environments import stage
from helpers.hostile import cases
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel
from schemas.digests import encode_digest
from schemas.zipformat import Method

ONE_BYTE = 1
"""In chunks of one byte no member is at hand, so the loop takes none."""

WHOLE = 1 << 20

MAX_CALLS = 60
"""Calls of Python and of C for each file. There were 171 before this loop."""


def outcome(wheel: Wheel, folder: Path, chunk: int, rules: Rules = STRICT) -> tuple[Any, Any]:
    """The tree and the figures of the staged wheel; or why it is refused, and for which member."""
    try:
        staged = stage(wheel, folder, chunk=chunk, rules=rules)
    except WheelRefused as error:
        return error.rule, error.member
    except NotStreamable as error:
        return str(error), None
    # Files of a folder that is let pass are named, or are not, as other folders come between them.
    told = sorted({warning.rpartition(": ")[2] for warning in staged.warnings})
    return snapshot(Path(staged.tree)), (told, replace(staged, folder="", warnings=()))


def check_same(wheel: Wheel, folder: Path, rules: Rules = STRICT) -> tuple[Any, Any]:
    found = outcome(wheel, folder / "whole", WHOLE, rules)
    assert found == outcome(wheel, folder / "bytes", ONE_BYTE, rules)
    return found


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the members that the loop writes."""
    names: list[str] = []
    write = Destination.write_here

    def noted(self: Any, basename: str, content: bytes) -> None:
        write(self, basename, content)
        names.append(f"{self.folder}/{basename}")

    monkeypatch.setattr(Destination, "write_here", noted)
    return names


@pytest.mark.parametrize(
    "wheel", [pytest.param(case.wheel, id=f"{kind}: {case.name}") for kind, case in cases()]
)
@pytest.mark.parametrize("rules", [STRICT, Rules(verify_record=False), Rules(lenient=True)])
def test_a_hostile_wheel_gets_the_same_answer(wheel: Wheel, rules: Rules, tmp_path: Path) -> None:
    check_same(wheel, tmp_path, rules)


DATA = f"sha256={encode_digest(hashlib.sha256(b'data').digest())}"

NAMES = st.lists(
    st.sampled_from(
        [
            "a", "A", "b.py", ".", "..", "", "aux", "Con.txt", "x.", " x", "x ", "é", "__pycache__",
            "m.pyc", ".lockstream", ".hidden", "sitecustomize", "demo-1.0.dist-info", "n.pth",
            "demo-1.0.data", "purelib", "data", 'q"', "c,d", "+", "-", "x" * 120,
        ]
    ),
    min_size=1,
    max_size=4,
).map("/".join)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(NAMES, min_size=1, max_size=6), lenient=st.booleans())
@example(names=["a/.lockstream"], lenient=False)
@example(names=["a", "a/b.py"], lenient=True)
@example(names=["a/b.py", "a/b.py"], lenient=True)
@example(names=["a/b.py", "A/b.py"], lenient=False)
@example(names=["c,d/é"], lenient=False)
@example(names=["A/aux/a/a", "a", "A/aux/a/a"], lenient=True)
def test_any_names_get_the_same_answer(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], lenient: bool
) -> None:
    good = build_wheel(files={"pkg/x.py": b"x"})
    added = [Member(start + name, b"data") for start in ("pkg/", "") for name in names]
    record = good.members[-1]
    rows = "".join(f"{member.name!s},{DATA},4\n" for member in added)
    members = [*added, *good.members[:-1], replace(record, data=record.data + rows.encode())]
    folder = tmp_path_factory.mktemp("names")
    check_same(good.rebuilt(members), folder, Rules(lenient=lenient))


PLAIN = build_wheel(files={f"pkg/{number % 3}/f{number}.py": b"x" * number for number in range(90)})


def test_it_takes_all_plain_members_but_the_first(tmp_path: Path, taken: list[str]) -> None:
    staged = stage(PLAIN, tmp_path / "s", chunk=WHOLE)
    own = {f"{staged.dist_info}/{name}" for name in ("INSTALLER", "REQUESTED", "direct_url.json")}
    names = [member.name for member in PLAIN.members]
    assert set(names[1:]) - own <= set(taken)


@pytest.mark.parametrize(
    "changes",
    [
        {"crc": 1}, {"size": 5}, {"compressed_size": 1}, {"method": 12}, {"flags": 1},
        {"version": 90}, {"extra": b"\1\0\0\0"},
    ],
    ids=str,
)  # fmt: skip
def test_a_member_that_lies_is_left_to_the_code_for_all(
    tmp_path: Path, taken: list[str], changes: dict[str, Any]
) -> None:
    name = str(PLAIN.members[40].name)
    lying = PLAIN.edited(name, local=changes)
    check_same(lying, tmp_path)
    assert name not in taken


def test_bytes_after_the_compressed_data_are_left_to_the_code_for_all(
    tmp_path: Path, taken: list[str]
) -> None:
    member = PLAIN.members[40]
    payload = compress(member.data, Method.DEFLATED) + b"x"
    rule, name = outcome(PLAIN.edited(str(member.name), payload=payload), tmp_path / "whole", WHOLE)
    assert "compressed bytes" in rule
    assert name == member.name
    assert name not in taken


def test_it_ends_before_more_members_than_a_wheel_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (plain_members, unzip):
        monkeypatch.setattr(module, "MAX_MEMBERS", 50)
    rule, _ = outcome(PLAIN, tmp_path / "whole", WHOLE)
    assert rule == "it holds more than 50 members"


def test_what_unpacks_to_too_much_is_left_to_the_code_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expansion_limit, "MAX_UNSTATED", 300_000)
    monkeypatch.setattr(expansion_limit, "MAX_FACTOR", 1)
    files = {f"pkg/{number}.bin": bytes(100_000) for number in range(9)}
    wheel = build_wheel(files=files)
    for chunk in (WHOLE, ONE_BYTE):
        rule, member = outcome(wheel, tmp_path / str(chunk), chunk)
        assert "unpacks to more than 1 times its size" in rule
        assert member == "pkg/3.bin"


def test_memory_does_not_grow_with_the_files_of_a_folder(tmp_path: Path) -> None:
    wheel = build_wheel(files={f"pkg/{number:05d}.py": b"" for number in range(6000)})

    def peak(folder: str) -> int:
        tracemalloc.start()
        try:
            stage(wheel, tmp_path / folder, chunk=128 << 10)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak("first")
    # The manifest holds 256 KiB, and each of two chunks 128 KiB.
    assert peak("second") < 800 << 10


def test_a_small_file_takes_few_calls(tmp_path: Path) -> None:
    files = {f"pkg/{number // 10}/f{number}.py": b"x" * 1500 for number in range(2000)}
    wheel = build_wheel(files=files)
    calls: Counter[str] = Counter()

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        calls[event] += 1

    sys.setprofile(note)
    try:
        stage(wheel, tmp_path / "s", chunk=128 << 10)
    finally:
        sys.setprofile(None)
    assert (calls["call"] + calls["c_call"]) / len(files) <= MAX_CALLS
