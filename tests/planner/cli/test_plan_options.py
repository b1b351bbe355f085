"""Each group of options of ``plan`` becomes one value."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel
from planner.cli import plan_options
from planner.index.access import Access
from planner.inputs.options import IndexRequest, PolicyRequest
from planner.inputs.provenance import Provenance
from schemas.errors import UsageError


def made(group: str, *words: str) -> Any:
    found: list[object] = []

    def keep(**values: object) -> None:
        found.extend(values.values())

    command = click.command()(getattr(plan_options, group)(keep))
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    return found[0]


def test_inputs_are_named_with_their_scopes() -> None:
    words = ["a", "-r", "r.in", "-c", "c.in", "--override", "o.in", "--exclude", "x",
             "--extra", "e", "--all-groups"]  # fmt: skip
    assert made("input_options", *words) == Provenance(
        projects=("a",), requirements=("r.in",), constraints=("c.in",), overrides=("o.in",),
        excludes=("x",), extras=("e",), all_groups=True,
    )  # fmt: skip


def test_indexes_have_the_names_of_pip_and_uv() -> None:
    words = ["--index-url", "https://a.example", "--extra-index-url", "b=https://b.example",
             "--package-index", "p=b", "-f", "links", "--no-index"]  # fmt: skip
    assert made("index_options", *words) == IndexRequest(
        default_index="https://a.example", indexes=("b=https://b.example",), pins=("p=b",),
        find_links=("links",), no_index=True,
    )  # fmt: skip


def test_no_build_is_a_word_for_only_binary_of_everything() -> None:
    found = made("policy_options", "--only-binary", "a", "--no-build", "--no-align")
    assert found == PolicyRequest(only_binary=("a", ":all:"), align=False)


def test_a_cache_is_used_unless_it_is_refused() -> None:
    assert made("access_options", "--no-cache", "--offline") == Access(offline=True)
    assert made("access_options", "--no-cache", "--cache-dir", __file__) == Access()
    found = made("access_options", "--cache-dir", "here")
    assert os.path.basename(found.cache.folder) == "here"


def test_a_cache_that_cannot_be_one_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "file"))
    assert lockstream.main(["plan", "-r", "requirements.in"]) == 2
    assert capsys.readouterr().err == (
        f"error: --cache-dir {tmp_path}/file is not a folder\n"
        "hint: name a folder, which need not be there yet, or leave the option out; "
        "--cache-dir is set by LOCKSTREAM_CACHE_DIR\n"
    )


def test_targets_are_repeatable() -> None:
    found = made("plan_target_options", "--python-version", "3.11", "--python-version", "3.12")
    assert (found.python_versions, found.platforms) == (("3.11", "3.12"), ())


def test_a_container_is_read_when_it_is_needed() -> None:
    assert made("lock_options").container() is None
    assert made("lock_options", "--fit", "1MiB").container().memory == 1 << 20
    with pytest.raises(UsageError):
        made("lock_options", "--fit", "much").container()


def test_an_unknown_choice_is_wrong_usage() -> None:
    assert lockstream.main(["plan", "--prerelease", "sometimes"]) == 2


@pytest.mark.parametrize("option", ["-P", "--exclude", "--no-binary", "--only-binary"])
@pytest.mark.parametrize("word", ["demo==1", "demo[x]", "a b", "*", ":some:", "-demo"])
def test_what_is_no_name_of_a_project_is_wrong_usage(
    option: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lockstream.main(["plan", f"{option}={word}" if option != "-P" else f"-P{word}"]) == 2
    assert f"{word!r} is not the name of a project" in capsys.readouterr().err


def test_a_package_to_upgrade_that_the_lock_does_not_have_is_told(
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(build_wheel("Our.Demo"))
    Path("in.txt").write_text("our-demo\n")
    words = ["plan", "-r", "in.txt", "-i", index.url, "--python-version", "3.12"]
    assert lockstream.main([*words, "--platform", "linux"]) == 0
    assert lockstream.main(["plan", "-P", "OUR_demo", "-P", "demo"]) == 0
    told = capsys.readouterr().err
    assert "warning: --upgrade-package demo: the lock has no such package\n" in told
    assert lockstream.main(["plan", "--build", "yes,Our_Demo"]) == 0
    told = capsys.readouterr().err
    assert "warning: --build yes: the lock has no such package\n" in told
    assert "--build our-demo" not in told
    assert "OUR_demo" not in told
