"""Long lists are shown in part, and nothing that is shown is obeyed."""

from __future__ import annotations

import pytest

from schemas.text import (
    conflict_line,
    counted,
    enumerate_some,
    first_plan,
    lock_command,
    one_line,
    printable,
    titled,
)


@pytest.mark.parametrize(
    ("items", "limit", "text"),
    [
        ([], 3, ""),
        (["a"], 3, "a"),
        (["a", "b", "c"], 3, "a, b, c"),
        (["a", "b", "c", "d"], 3, "a, b, c and 1 more"),
        (range(10), 2, "0, 1 and 8 more"),
    ],
)
def test_the_first_items_are_shown_and_the_others_counted(
    items: list[object], limit: int, text: str
) -> None:
    assert enumerate_some(items, limit) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("::set-output name=a::b", ": :set-output name=a::b"),
        ("   ::Add-Mask::b", "   : :Add-Mask::b"),
        ("first\n  ::error::b\r\n::stop-commands::c", None),
        ("##[add-matcher]b", "# #[add-matcher]b"),
        ("a: ##vso[task.setvariable variable=b]c", "a: # #vso[task.setvariable variable=b]c"),
        ("##TeamCity[message text='b']", "# #TeamCity[message text='b']"),
        ("###[a]", "## #[a]"),
        # No commands.
        ("error: a::b", "error: a::b"),
        ("::1 does not answer", "::1 does not answer"),
        ("## a [b]", "## a [b]"),
        ("https://host.example/##a", "https://host.example/##a"),
    ],
)
def test_no_line_is_a_command_to_what_runs_a_job(text: str, shown: str | None) -> None:
    if shown is None:
        lines = printable(text).split("\n")
        assert not [line for line in lines if line.lstrip().startswith("::")]
        assert "".join(lines).count(": :") == 2
    else:
        assert printable(text) == one_line(text) == shown


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> d\n", 2),
        ("a\r\n=======\r\n", 2),
        ("||||||| base\n", 1),
        ("# =======\n<<<<<<<<\n<<<<<<\n", None),
        ("", None),
    ],
)
def test_the_first_mark_of_a_merge_is_found(text: str, line: int | None) -> None:
    assert conflict_line(text) == line


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (34_016, "34,016 files")]
)
def test_a_count_has_a_plural(number: int, text: str) -> None:
    assert counted(number, "file") == text


@pytest.mark.parametrize(
    ("lock", "plan", "enrich"),
    [
        ("pylock.toml", "lockstream plan", "lockstream enrich"),
        ("./pylock.toml", "lockstream plan", "lockstream enrich"),
        (
            "api/pylock.toml",
            "lockstream plan -o api/pylock.toml",
            "lockstream enrich api/pylock.toml",
        ),
        (
            "pylock.a b.toml",
            "lockstream plan -o 'pylock.a b.toml'",
            "lockstream enrich 'pylock.a b.toml'",
        ),
        ("theirs.toml", "lockstream plan", "lockstream enrich theirs.toml"),
    ],
)
def test_a_command_names_each_lock_but_the_one_that_it_takes_by_itself(
    lock: str, plan: str, enrich: str
) -> None:
    assert (lock_command("plan", lock), lock_command("enrich", lock)) == (plan, enrich)


def test_the_first_plan_of_a_lock_names_the_project_beside_it() -> None:
    assert first_plan("pylock.toml") == "lockstream plan"
    assert first_plan("api/pylock.toml") == "lockstream plan api -o api/pylock.toml"


def test_a_secret_in_the_name_of_a_lock_is_no_part_of_a_command() -> None:
    command = lock_command("enrich", "'Authorization': 'Bearer s3cr3t'/pylock.toml")
    assert command.startswith("lockstream enrich ")
    assert "s3cr3t" not in command


def test_a_package_without_a_known_version_is_told_by_its_name() -> None:
    assert (titled("demo", "1.0"), titled("demo", None)) == ("demo 1.0", "demo")
