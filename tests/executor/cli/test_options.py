"""Which environment is meant, and what of the lock."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from executor.cli.options import EnvironmentOptions, environment_options, selection_options
from executor.lock.options import SelectOptions
from schemas.errors import UsageError


@click.command()
@environment_options
@selection_options
def _command(where: EnvironmentOptions, select: SelectOptions) -> None:
    click.echo(repr((where, select)))


def options(**given: Any) -> EnvironmentOptions:
    return EnvironmentOptions(**{
        "venv": None, "python": None, "target": None, "prefix": None, "python_version": None,
        "platform": None, "break_system_packages": False, **given,
    })  # fmt: skip


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"venv": "a", "target": "b"}, "--venv and --target exclude each other"),
        ({"target": "a", "prefix": "b"}, "--target and --prefix exclude each other"),
        ({"python_version": "3.12"}, "are for a folder that another machine runs"),
        ({"venv": "a", "platform": "win_amd64"}, "are for a folder that another machine runs"),
        ({"target": "https://host.example/a"}, "--target .*: this is an address, and not a path"),
    ],
)
def test_options_that_exclude_each_other_are_wrong_usage(
    given: dict[str, str], problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as caught:
        options(**given).open()
    assert caught.value.hint


def test_the_default_is_a_venv_of_the_running_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environment = options().open()
    assert (Path(environment.path).resolve(), environment.exists) == (
        (tmp_path / ".venv").resolve(), False,
    )  # fmt: skip
    assert environment.base == sys.executable


def test_a_target_can_be_for_another_machine(tmp_path: Path) -> None:
    where = options(target=str(tmp_path / "t"), python_version="3.12", platform="win_amd64")
    target = where.open().interpreter.target
    assert (target.platform, target.environment["python_version"]) == ("win_amd64", "3.12")


def test_a_prefix_is_laid_out_like_a_python(tmp_path: Path) -> None:
    schemes = options(prefix=str(tmp_path / "p")).open().interpreter.schemes
    assert schemes.scripts == str(tmp_path / "p" / "bin")


def test_the_command_line_becomes_values() -> None:
    words = ["--extra", "a", "--extra", "b", "--group", "c", "--no-default-groups", "--build"]
    done = CliRunner().invoke(_command, words)
    assert done.exit_code == 0
    select = SelectOptions(
        extras=frozenset({"a", "b"}),
        groups=frozenset({"c"}),
        default_groups=False,
        build=True,
    )
    for part in ("build=True", "default_groups=False", "skip_unbuildable=False"):
        assert part in done.output
        assert part in repr(select)
