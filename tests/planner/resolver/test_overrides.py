"""Overrides and excludes count over what packages ask for, when planning and when checking."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import WINDOWS, plan_into
from helpers.wheels import build_wheel


@pytest.fixture(autouse=True)
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(
        build_wheel("app", requires=["base<2", "heavy", "part[x]"]),
        build_wheel("base", "1.0"),
        build_wheel("base", "2.0"),
        build_wheel("heavy", requires=["more"]),
        build_wheel("more"),
        build_wheel("part", extras={"x": ["base<2"]}),
    )


def versions() -> dict[str, str]:
    packages = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    return {f"{one['name']} {one['version']}": one.get("marker", "") for one in packages}


def test_an_override_counts_over_what_packages_ask_for(index: Index, tmp_path: Path) -> None:
    Path("overrides.txt").write_text("base>=2\n")
    plan_into(index, tmp_path, ["app"], "--override", "overrides.txt", "--exclude", "heavy")
    assert list(versions()) == ["app 1.0", "base 2.0", "part 1.0"]
    assert lockstream.main(["check"]) == 0
    Path("overrides.txt").write_text("base>=3\n")
    assert lockstream.main(["check"]) == 1


def test_an_override_counts_over_the_inputs_too(index: Index, tmp_path: Path) -> None:
    Path("overrides.txt").write_text("base==1.0\n")
    plan_into(index, tmp_path, ["base>=2"], "--override", "overrides.txt")
    assert list(versions()) == ["base 1.0"]


def test_an_override_holds_where_its_marker_does(index: Index, tmp_path: Path) -> None:
    Path("overrides.txt").write_text("more; sys_platform == 'win32'\nbase>=2\n")
    plan_into(index, tmp_path, ["app"], "--override", "overrides.txt", *WINDOWS)
    assert versions() == {
        "app 1.0": "", "base 2.0": "", "heavy 1.0": "", "more 1.0": 'sys_platform == "win32"',
        "part 1.0": "",
    }  # fmt: skip
    assert lockstream.main(["check"]) == 0


def test_what_is_excluded_is_left_out_with_all_it_needs(index: Index, tmp_path: Path) -> None:
    plan_into(index, tmp_path, ["app", "heavy"], "--exclude", "Heavy")
    assert list(versions()) == ["app 1.0", "base 1.0", "part 1.0"]
    assert lockstream.main(["check"]) == 0


def test_an_explanation_tells_of_the_override(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("overrides.txt").write_text("base>=3\n")
    Path("requirements.in").write_text("app\n")
    words = ["plan", "-r", "requirements.in", "-i", index.url, "--override", "overrides.txt"]
    assert lockstream.main([*words, "--platform", "linux"]) == 4
    assert (
        "app 1.0 needs base<2, which overrides.txt:1 overrides with base>=3"
        in capsys.readouterr().err
    )


def test_a_project_settles_what_counts(index: Index, tmp_path: Path) -> None:
    Path("pyproject.toml").write_text(
        '[project]\nname = "top"\ndependencies = ["app"]\n[tool.lockstream]\n'
        'overrides = ["base"]\nexcludes = ["heavy"]\nconstraints = ["base<2"]\n'
        'targets = [{ python = "3.11", platform = ["linux", "windows"] }]\n'
        f'default-index = "{index.url}"\n'
    )
    assert lockstream.main(["plan", "-q"]) == 0
    assert list(versions()) == ["app 1.0", "base 1.0", "part 1.0"]
    assert lockstream.main(["check"]) == 0
    text = Path("pyproject.toml").read_text()
    Path("pyproject.toml").write_text(text.replace('"3.11"', '["3.11", "3.12"]'))
    assert lockstream.main(["check"]) == 1


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("highest", ["app 2.0", "base 2.0"]), ("lowest", ["app 1.0", "base 1.0"]),
     ("lowest-direct", ["app 1.0", "base 2.0"])],
)  # fmt: skip
def test_versions_can_be_chosen_from_below(
    index: Index, tmp_path: Path, mode: str, expected: list[str]
) -> None:
    for version in ("0.9rc1", "1.0", "2.0"):
        index.add(build_wheel("app", version, requires=["base"]))
    plan_into(index, tmp_path, ["app"], "--resolution", mode)
    assert list(versions()) == expected


def test_files_that_came_later_do_not_count(index: Index, tmp_path: Path) -> None:
    index.add(build_wheel("late", "1.0"), upload_time="2026-01-01T00:00:00Z")
    index.add(build_wheel("late", "2.0"), upload_time="2026-02-01T00:00:00Z")
    plan_into(index, tmp_path, ["late"], "--exclude-newer", "2026-01-15")
    assert list(versions()) == ["late 1.0"]
    plan_into(index, tmp_path, ["late"], "-U", "--exclude-newer", "2026-02-01T00:00:01Z")
    assert list(versions()) == ["late 2.0"]


def test_a_project_may_be_exempt_from_the_limit_of_all(index: Index, tmp_path: Path) -> None:
    for name in ("late", "other"):
        index.add(build_wheel(name, "1.0"), upload_time="2026-01-01T00:00:00Z")
        index.add(build_wheel(name, "2.0"), upload_time="2026-02-01T00:00:00Z")
    limit = ("--exclude-newer", "2026-01-15", "--exclude-newer-package")
    plan_into(index, tmp_path, ["late", "other"], *limit, "Late=false")
    assert list(versions()) == ["late 2.0", "other 1.0"]
    assert lockstream.main(["check"]) == 0
    plan_into(index, tmp_path, ["late", "other"], "-U", *limit, "late=2025-01-01", *limit[2:],
              "late=2026-03-01")  # fmt: skip
    assert list(versions()) == ["late 2.0", "other 1.0"]
    index.add(build_wheel("undated", "1.0"))
    plan_into(index, tmp_path, ["undated"], "-U", *limit, "undated=false")
    assert list(versions()) == ["undated 1.0"]


def test_hashes_can_be_demanded(index: Index, tmp_path: Path) -> None:
    Path("requirements.in").write_text("base\n")
    words = ["plan", "-r", "requirements.in", "-i", index.url, "--require-hashes"]
    assert lockstream.main(words) == 3
