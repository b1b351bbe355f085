"""What is said of a project that is required in vain is short, and ends in the cause."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.wheels import build_wheel


def refusal(
    index: Index, folder: Path, capsys: pytest.CaptureFixture[str], *words: str, requires: str
) -> str:
    """Return the error of a plan that has no solution."""
    path = folder / "in.txt"
    path.write_text(requires)
    status = lockstream.main([
        "plan", "-q", "-r", str(path), "-o", str(folder / "pylock.toml"), "-i", index.url,
        "--no-cache", "--python-version", "3.12", "--platform", "linux", *words,
    ])  # fmt: skip
    assert status == 4
    return capsys.readouterr().err


def test_a_deep_chain_is_named_to_its_end(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(*(build_wheel(f"p{depth}", requires=[f"p{depth + 1}"]) for depth in range(14)))
    text = refusal(index, tmp_path, capsys, requires="p0")
    assert "p12 1.0 needs p13; p13 1.0 needs p14\n" in text
    assert "the index does not know p14" in text
    assert len(text.splitlines()) <= 6


def test_a_release_that_requires_another_version_of_itself_is_named(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", requires=["app>=2"]), build_wheel("top", requires=["app"]))
    text = refusal(index, tmp_path, capsys, requires="top")
    assert "    app 1.0 needs app>=2\n" in text
    assert "no version of app suits; the index has 1.0\n" in text


def test_an_excluded_pre_release_is_named_with_the_option(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("pre", "3.0rc1"), build_wheel("pre", "1.0"))
    text = refusal(index, tmp_path, capsys, "--prerelease", "disallow", requires="pre>=2")
    assert "pre 3.0rc1 is a pre-release, and --prerelease disallow excludes it" in text
    assert "hint: allow pre-releases (--prerelease allow)" in text
    assert lockstream.main([
        "plan", "-q", "-r", str(tmp_path / "in.txt"), "-o", str(tmp_path / "pylock.toml"),
        "-i", index.url, "--no-cache", "--python-version", "3.12", "--platform", "linux",
        "--prerelease", "allow",
    ]) == 0  # fmt: skip
    (package,) = tomllib.loads((tmp_path / "pylock.toml").read_text())["packages"]
    assert package["version"] == "3.0rc1"


def test_what_is_too_new_is_one_line(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for minor in range(9):
        uploaded = f"2026-0{minor + 1}-01T00:00:00Z"
        index.add(build_wheel("app", f"1.{minor}"), upload_time=uploaded)
    text = refusal(index, tmp_path, capsys, "--exclude-newer", "2025-01-01", requires="app")
    line, hint = (line for line in text.splitlines() if "--exclude-newer" in line)
    assert hint == (
        "hint: choose a later --exclude-newer or --exclude-newer-package, or allow older versions"
    )
    assert line.strip() == (
        "app-1.8-py3-none-any.whl, app-1.7-py3-none-any.whl and 7 more: "
        "uploaded too late for --exclude-newer"
    )


def test_a_project_without_files_is_shown_with_its_status(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = {"status": "quarantined", "reason": "it\nsteals keys"}
    page = {"meta": {"api-version": "1.4"}, "files": [], "project-status": status}
    headers = {"Content-Type": "application/vnd.pypi.simple.v1+json"}
    index.answers["/simple/app/"] = [(200, headers, json.dumps(page).encode())]
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "the index has no files of app, which is quarantined: it\ufffdsteals keys" in text


def test_without_any_place_to_look_the_option_is_named(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = refusal(index, tmp_path, capsys, "--no-index", requires="app")
    assert "there is no place to look: --no-index is given, and no --find-links\n" in text


def test_a_source_leads_to_the_option_that_builds_it(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add_file("app-1.0.tar.gz")
    assert "hint: build what has no wheel (--build missing)" in refusal(
        index, tmp_path, capsys, requires="app"
    )


def test_a_source_of_an_old_version_does_not_hide_that_the_newest_are_for_another_python(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add_file("app-1.0.tar.gz")
    index.add(build_wheel("app", "2.0", requires_python=">=3.13"), requires_python=">=3.13")
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "(--build missing)" in text
    assert text.endswith("; the newest ones are for another Python (--python-version 3.13)\n")


def test_many_reasons_are_cut_to_a_screen_and_end_in_the_last(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [f"missing{number:02d}" for number in range(40)]
    text = refusal(index, tmp_path, capsys, requires="\n".join(names))
    assert len(text.splitlines()) <= 21
    assert "more lines" in text
    assert "the index does not know missing39" in text


def plan_with_hint(index: Index, folder: Path, *words: str) -> int:
    """Plan as a hint says, and return the exit code."""
    return lockstream.main([
        "plan", "-q", "-r", str(folder / "in.txt"), "-o", str(folder / "pylock.toml"), "-i",
        index.url, "--no-cache", *words,
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("required", "named"),
    [("<3.10,>=3.7", "3.9"), (">=3.13", "3.13"), (">=3.12.4", "3.13"), ("!=3.12.*", "3.11")],
)
def test_what_needs_another_python_leads_to_it_and_not_to_a_build(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str], required: str, named: str
) -> None:
    index.add(build_wheel("base", requires_python=required), requires_python=required)
    index.add_file("base-1.0.tar.gz", requires_python=required)
    index.add(build_wheel("app", requires=["base"]))
    text = refusal(index, tmp_path, capsys, requires="app")
    assert f"base-1.0-py3-none-any.whl, base-1.0.tar.gz: it needs Python {required}" in text
    assert text.endswith(
        "hint: choose versions that support the target's Python, or plan for one that they support "
        f"(--python-version {named})\n"
    )
    assert plan_with_hint(index, tmp_path, "--python-version", named) == 0


def test_a_wheel_whose_metadata_needs_another_python_leads_to_it(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", requires_python="<3.12"))
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "app 1.0 cannot be used: it needs Python <3.12" in text
    assert "(--python-version 3.11)" in text
    assert plan_with_hint(index, tmp_path, "--python-version", "3.11") == 0


def test_one_that_no_python_3_can_use_leads_to_other_versions_only(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add_file("app-1.0.tar.gz", requires_python="<3")
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "app-1.0.tar.gz: it needs Python <3\n" in text
    assert "hint: choose versions that support the target's Python\n" in text


def test_a_source_that_was_yanked_leads_to_its_pin(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app"), yanked=True)
    index.add_file("app-0.9.tar.gz", yanked="broken")
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "app-0.9.tar.gz: it was yanked: broken" in text
    assert "hint: pin the yanked version (NAME==VERSION)" in text
    (tmp_path / "in.txt").write_text("app==1.0")
    assert plan_with_hint(index, tmp_path) == 0


def test_a_source_that_may_not_be_built_does_not_lead_to_a_build(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add_file("app-1.0.tar.gz")
    text = refusal(index, tmp_path, capsys, "--only-binary", ":all:", requires="app")
    assert "--only-binary forbids building the project" in text
    assert "hint: choose versions that have wheels for the target" in text


def test_a_platform_without_a_libc_leads_to_one_that_has_wheels(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for tag in ("manylinux_2_28_x86_64", "musllinux_1_2_x86_64"):
        index.add(build_wheel("app", tag=f"py3-none-{tag}"))
    index.add_file("app-1.0.tar.gz")
    (tmp_path / "in.txt").write_text("app")
    assert plan_with_hint(index, tmp_path, "--platform", "linux_x86_64") == 4
    (hint,) = (one for one in capsys.readouterr().err.splitlines() if one.startswith("hint: "))
    assert hint.endswith("--platform manylinux_2_28_x86_64 or musllinux_1_2_x86_64")
    assert plan_with_hint(index, tmp_path, "--platform", "manylinux_2_28_x86_64") == 0


@pytest.mark.parametrize("requirement", ["demo; python_version ~= '3'", "demo >=one"])
def test_metadata_that_means_nothing_leads_to_what_counts_in_its_place(
    requirement: str, index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("odd", requires=[requirement]), build_wheel("demo"))
    text = refusal(index, tmp_path, capsys, requires="odd")
    table = "[[tool.lockstream.dependency-metadata]]"
    assert f"hint: choose another version of odd, or state what it requires in {table}\n" in text
    (tmp_path / "pyproject.toml").write_text(f"{table}\nname = 'odd'\nrequires-dist = ['demo']\n")
    assert plan_with_hint(index, tmp_path) == 0


def test_a_file_that_cannot_be_read_is_not_a_matter_of_requirements(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = build_wheel("cut")
    index.add(replace(whole, content=whole.content[:100]), build_wheel("app", requires=["cut"]))
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "cut 1.0 cannot be used: it does not end as a zip archive does" in text
    assert "hint: choose another version of cut, or replace its file on the index\n" in text
    index.add(build_wheel("cut", "2.0"))
    assert lockstream.main([
        "plan", "-q", "-r", str(tmp_path / "in.txt"), "-o", str(tmp_path / "pylock.toml"),
        "-i", index.url, "--no-cache", "--python-version", "3.12", "--platform", "linux",
    ]) == 0  # fmt: skip


def test_the_address_of_a_file_that_cannot_be_read_is_to_be_corrected(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = replace(build_wheel("cut"), content=b"")
    index.add(empty)
    address = index.url_of(empty.filename)
    text = refusal(index, tmp_path, capsys, requires=f"cut @ {address}")
    assert "cut 1.0 cannot be used: it is too short to be a zip archive" in text
    assert "hint: correct the address of cut, or replace the file there\n" in text


def test_a_yanked_source_beside_others_leads_to_a_build(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add_file("app-1.0.tar.gz")
    index.add_file("app-0.9.tar.gz", yanked="broken")
    text = refusal(index, tmp_path, capsys, requires="app")
    assert "app-0.9.tar.gz: it was yanked: broken" in text
    assert "hint: build what has no wheel (--build missing)" in text
