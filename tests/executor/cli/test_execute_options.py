"""The options of ``execute`` become the values of the library."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from executor.cli.execute_options import (
    OriginOptions,
    ResourceOptions,
    change_options,
    check_options,
    origin_options,
    resource_options,
)
from executor.environment.changes import Sync
from executor.wheels.rules import STRICT, Rules
from schemas.errors import UsageError


def invoked(*words: str) -> tuple[dict[str, Any], Result]:
    seen: dict[str, Any] = {}

    @click.command()
    @change_options
    @origin_options
    @resource_options
    @check_options
    def command(**given: Any) -> None:
        seen.update(given)

    return seen, CliRunner().invoke(command, words)


def values(*words: str) -> dict[str, Any]:
    seen, done = invoked(*words)
    assert done.exit_code == 0, done.output
    return seen


def test_nothing_is_waived_or_removed_by_default() -> None:
    found = values()
    assert found["sync"] == Sync()
    assert found["rules"] == STRICT
    assert found["resources"] == ResourceOptions(
        memory="auto", lanes=None, page_cache="auto", durability="full"
    )
    assert found["origins"] == OriginOptions(
        offline=False, find_links=(), bundle=(), mirror=(), keyring=False
    )


def test_names_of_packages_are_normalized() -> None:
    found = values("--remove", "A.B", "--reinstall-package", "C_D", "--allow-startup", "E-F")
    assert found["sync"] == Sync(remove=frozenset({"a-b"}), reinstall_packages=frozenset({"c-d"}))
    assert found["rules"] == Rules(startup=frozenset({"e-f"}))


@pytest.mark.parametrize("option", ["--remove", "--reinstall-package", "--allow-startup"])
@pytest.mark.parametrize("word", ["demo==2", "a b", "demo[x]", "-1", "é", "./demo"])
def test_what_is_no_name_of_a_package_is_refused(option: str, word: str) -> None:
    _, done = invoked(option, word)
    assert done.exit_code == 2
    assert f"{word!r} is not the name of a project; the lock has versions" in done.output


def test_checks_are_waived_one_by_one() -> None:
    assert values("--lenient")["rules"] == Rules(lenient=True)
    assert values("--no-verify-record")["rules"] == Rules(verify_record=False)


@pytest.mark.parametrize(
    ("memory", "budget"), [("auto", None), ("64MiB", 64 << 20), ("67108864", 64 << 20)]
)
def test_a_budget_is_bytes_or_what_the_cgroups_leave(memory: str, budget: int | None) -> None:
    found: ResourceOptions = values("--memory", memory)["resources"]
    assert found.budget() == budget


def test_a_budget_that_is_not_a_size_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="'much' is not a size"):
        values("--memory", "much")["resources"].budget()
