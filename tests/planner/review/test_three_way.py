"""Packages of two branches come into one lock; what both have changed is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.lock.reader import parse_lock
from planner.review.three_way import merge_locks

HEAD = 'lock-version = "1.0"\ncreated-by = "lockstream"\n'


def block(
    name: str, version: str = "1.0", *, requires: Sequence[str] = (), marker: str = ""
) -> str:
    lines = [f'name = "{name}"', f'version = "{version}"']
    lines += [f'marker = "{marker}"'] if marker else []
    if requires:
        lines += ["dependencies = [", *(f'    {{ name = "{one}" }},' for one in requires), "]"]
    wheel = (
        f'{{ path = "{name}-{version}-py3-none-any.whl", hashes = {{ sha256 = "{"0" * 64}" }} }}'
    )
    return "\n".join(["[[packages]]", *lines, "wheels = [", f"    {wheel},", "]\n"])


def lock(*blocks: str, head: str = HEAD) -> str:
    return "\n".join([head, *sorted(blocks)])


def never(*_: str) -> None:
    """Merge no lines."""


def merged(base: str, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    found = merge_locks(base, ours, theirs, never)
    assert found is not None
    parse_lock(found.text)
    return found.text, found.problems


A, B, C, D = (block(name) for name in "abcd")


def test_packages_that_both_branches_add_are_there_although_they_are_neighbours() -> None:
    assert merged(lock(A, D), lock(A, B, D), lock(A, C, D)) == (lock(A, B, C, D), ())


def test_what_one_branch_removes_and_the_other_leaves_is_gone() -> None:
    new = block("d", "2.0")
    assert merged(lock(A, B, C, D), lock(A, C, D), lock(A, B, C, new)) == (lock(A, C, new), ())


def test_of_a_package_that_both_upgrade_the_later_version_is_kept_and_said() -> None:
    ours, theirs = block("b", "1.10"), block("b", "1.9")
    problem = "b: ours has 1.10, theirs has 1.9; 1.10 is kept"
    assert merged(lock(A, B), lock(A, ours), lock(A, theirs)) == (lock(A, ours), (problem,))
    problem = "b: ours has 1.9, theirs has 1.10; 1.10 is kept"
    assert merged(lock(A, B), lock(A, theirs), lock(A, ours)) == (lock(A, ours), (problem,))


def test_the_same_change_of_both_is_none() -> None:
    assert merged(lock(A, B), lock(A, block("b", "2")), lock(A, block("b", "2"))) == (
        lock(A, block("b", "2")),
        (),
    )


def test_a_package_that_one_removes_and_the_other_upgrades_is_kept_and_said() -> None:
    new = block("b", "2.0")
    text, problems = merged(lock(A, B), lock(A), lock(A, new))
    assert text == lock(A, new)
    assert problems == ("b: ours has removed it, theirs has 2.0; 2.0 is kept",)


def test_what_one_removes_and_a_new_package_of_the_other_requires_is_kept_and_said() -> None:
    new = block("c", requires=["b"])
    text, problems = merged(lock(A, B), lock(A), lock(A, B, new))
    assert text == lock(A, B, new)
    assert problems == ("b: one branch has removed it, and c of the other requires it; it is kept",)


def test_lines_of_one_release_are_merged_if_they_can_be() -> None:
    base = block("b", requires=["a", "c"])
    ours = block("b", requires=["a", "c"], marker="os_name == 'nt'")
    theirs = block("b", requires=["c"])
    both = block("b", requires=["c"], marker="os_name == 'nt'")
    texts = (lock(A, base, C), lock(A, ours, C), lock(A, theirs, C))
    asked: list[tuple[str, str, str]] = []

    def lines(*sides: str) -> str:
        before, one, other = sides
        asked.append((before, one, other))
        return both

    found = merge_locks(*texts, lines)
    assert found is not None
    assert (found.text, found.problems) == (lock(A, both, C), ())
    assert asked == [(base, ours, theirs)]


def test_several_packages_of_one_name_go_together() -> None:
    two = block("b", marker="os_name == 'nt'") + "\n" + block("b", "2.0", marker="os_name != 'nt'")
    assert merged(lock(A, B), lock(A, two), lock(A, B, C)) == (lock(A, two, C), ())


def test_what_the_lock_is_for_is_merged_by_lines_or_ours() -> None:
    heads = [HEAD + f'requires-python = ">=3.{minor}"\n' for minor in (9, 10, 11)]
    base, ours, theirs = (lock(A, head=head) for head in heads)
    assert merged(base, ours, base) == (ours, ())
    assert merged(base, base, theirs) == (theirs, ())
    problem = "both branches have changed what the lock is for; ours is kept"
    assert merged(base, ours, theirs) == (ours, (problem,))


def test_a_lock_that_both_branches_add_is_merged() -> None:
    assert merged("", lock(A, B), lock(A, C)) == (lock(A, B, C), ())


@pytest.mark.parametrize(
    "text",
    [
        lock(A).replace("[[packages]]", "<<<<<<< ours\n[[packages]]"),
        HEAD + "packages = []\n",
        f"{HEAD}\n{B}\n{A}",
        lock(A) + "\n[tool.other]\nx = 1\n",
        lock(A.replace('name = "a"\n', "")),
        "no lock",
        "",
    ],
)
def test_what_has_no_block_for_each_package_in_order_is_left_to_lines(text: str) -> None:
    assert merge_locks(lock(A), lock(A, B), text, never) is None
    assert merge_locks(lock(A), text, lock(A, B), never) is None


VERSIONS = st.sampled_from(["1.0", "1.9", "1.10"])
LOCKS = st.dictionaries(st.sampled_from("abcdef"), VERSIONS, min_size=1)


@given(LOCKS, LOCKS, LOCKS)
def test_each_package_is_that_of_a_branch_and_problems_are_what_both_changed(
    base: Mapping[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]
) -> None:
    def text(packages: Mapping[str, str]) -> str:
        return lock(*(block(*one) for one in packages.items()))

    wanted, both = {}, set()
    for name in sorted({*base, *ours, *theirs}):
        before, one, other = (side.get(name) for side in (base, ours, theirs))
        if one == other or other == before:
            chosen = one
        elif one == before:
            chosen = other
        else:
            both.add(name)
            chosen = max(filter(None, (one, other)), key=["1.0", "1.9", "1.10"].index)
        if chosen:
            wanted[name] = chosen
    found = merge_locks(text(base), text(ours), text(theirs), never)
    if not wanted:
        assert found is None
        return
    assert found is not None
    assert found.text == text(wanted)
    assert {problem.partition(":")[0] for problem in found.problems} == both
