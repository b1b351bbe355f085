"""Staging: what an earlier run has staged is taken where it is what it was, and not otherwise."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from executor.files.held_folder import HeldFolder
from executor.lock.step import Step
from executor.transaction.staging import Staging
from executor.wheels.rules import STRICT, Rules
from executor.wheels.staged_wheel import StagedWheel
from helpers.environments import schemes_below, stage
from helpers.wheels import build_wheel
from schemas.digests import encode_digest

WHEEL = build_wheel(
    files={"demo/__init__.py": "text", "demo.pth": ""},
    data_files={"scripts/run": "#!python\n", "data/bin/other": "x", "headers/x.h": ""},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)
STEP = Step(
    name="demo",
    version="1.0",
    filename=WHEEL.filename,
    url="https://example.com/demo.whl",
    path=None,
    size=WHEEL.size,
    hashes=(("sha256", WHEEL.sha256),),
    hints=None,
    is_direct=False,
)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Iterator[HeldFolder]:
    (tmp_path / "staging").mkdir()
    with HeldFolder.at(str(tmp_path / "staging")) as folder:
        yield folder


def path_of(staging: Staging, tmp_path: Path) -> Path:
    return tmp_path / "staging" / staging.name(STEP)


@pytest.fixture(name="staging")
def _staging(folder: HeldFolder, tmp_path: Path) -> Staging:
    return Staging(folder, schemes_below(tmp_path / "env"), STRICT)


def staged(staging: Staging, tmp_path: Path) -> StagedWheel:
    wheel = stage(WHEEL, path_of(staging, tmp_path), schemes=schemes_below(tmp_path / "env"))
    keep(staging, wheel)
    return wheel


def keep(staging: Staging, wheel: StagedWheel) -> None:
    with staging.folder.inner(staging.name(STEP)) as folder:
        staging.keep(folder, wheel)


def test_a_complete_wheel_is_found_as_it_was(staging: Staging, tmp_path: Path) -> None:
    assert staging.find(STEP) is None
    wheel = staged(staging, tmp_path)
    assert staging.is_complete(staging.name(STEP))
    assert staging.find(STEP) == wheel


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda f: (f / "tree/demo/__init__.py").write_text("test"), id="content"),
        pytest.param(lambda f: (f / "tree/demo/__init__.py").write_text(""), id="emptied"),
        pytest.param(lambda f: (f / "tree/demo/__init__.py").unlink(), id="missing"),
        pytest.param(lambda f: (f / "tree/demo/more.py").write_text(""), id="more"),
        pytest.param(lambda f: (f / "data/scripts/demo").write_text("evil"), id="script"),
        pytest.param(lambda f: (f / "data/data/bin/other").unlink(), id="data"),
        pytest.param(lambda f: (f / "tree/demo-1.0.dist-info/RECORD").write_text(""), id="RECORD"),
        pytest.param(lambda f: (f / "complete").write_text("{"), id="torn"),
        pytest.param(lambda f: (f / "complete").write_text("[]"), id="other JSON"),
        pytest.param(lambda f: (f / "complete").write_text("{}"), id="nothing said"),
        pytest.param(lambda f: (f / "complete").write_bytes(b"\xff"), id="no text"),
        pytest.param(lambda f: (f / "complete").unlink(), id="not complete"),
    ],
)
def test_a_damaged_one_is_not(
    staging: Staging, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    staged(staging, tmp_path)
    damage(path_of(staging, tmp_path))
    assert staging.find(STEP) is None


def test_a_link_is_not_followed(staging: Staging, tmp_path: Path) -> None:
    wheel = staged(staging, tmp_path)
    path = Path(wheel.tree, "demo/__init__.py")
    (tmp_path / "same").write_text("text")
    path.unlink()
    path.symlink_to(tmp_path / "same")
    assert staging.find(STEP) is None


def test_a_folder_that_is_a_link_is_not_followed(staging: Staging, tmp_path: Path) -> None:
    wheel = staged(staging, tmp_path)
    package = Path(wheel.tree, "demo")
    package.rename(tmp_path / "same")
    package.symlink_to(tmp_path / "same")
    assert staging.find(STEP) is None


@pytest.mark.parametrize("kind", ["copy", "link"])
def test_one_that_came_with_a_checkout_does_not_count(
    staging: Staging, tmp_path: Path, kind: str
) -> None:
    """Whatever it says of itself: nothing ties its RECORD to the hash of the lock."""
    folder = Path(staged(staging, tmp_path).folder)
    folder.rename(tmp_path / "checkout")
    if kind == "copy":
        shutil.copytree(tmp_path / "checkout", folder)
    else:
        folder.symlink_to(tmp_path / "checkout")
    assert not staging.is_complete(folder.name)
    assert staging.find(STEP) is None
    assert staging.complete_names() == []


def test_what_would_become_another_tree_has_another_name(tmp_path: Path) -> None:
    schemes = schemes_below(tmp_path)
    own = Staging(None, schemes, STRICT).name(STEP)
    others = {
        Staging(None, replace(schemes, executable="/other/python"), STRICT).name(STEP),
        Staging(None, schemes_below(tmp_path / "x"), STRICT).name(STEP),
        Staging(None, schemes, Rules(lenient=True)).name(STEP),
        Staging(None, schemes, Rules(verify_record=False)).name(STEP),
        Staging(None, schemes, Rules(startup=frozenset({"demo"}))).name(STEP),
        Staging(None, schemes, STRICT).name(replace(STEP, hashes=(("sha256", "0"),))),
        Staging(None, schemes, STRICT).name(replace(STEP, is_direct=True)),
    }
    assert len(others | {own}) == 8
    assert all(len(name) == 32 and name.isalnum() for name in others)


def test_what_was_believed_is_not_taken_by_a_run_that_verifies(
    folder: HeldFolder, tmp_path: Path
) -> None:
    schemes = schemes_below(tmp_path / "env")
    believing = Staging(folder, schemes, Rules(verify_record=False))
    wheel = stage(
        WHEEL,
        path_of(believing, tmp_path),
        schemes=schemes,
        rules=Rules(verify_record=False),
    )
    keep(believing, wheel)
    assert believing.find(STEP) == wheel
    verifying = Staging(folder, schemes, STRICT)
    assert verifying.find(STEP) is None
    assert not verifying.is_complete(verifying.name(STEP))


def test_a_file_that_is_not_what_record_says_is_not_taken_without_hashes_either(
    folder: HeldFolder, tmp_path: Path
) -> None:
    rules = Rules(verify_record=False)
    schemes = schemes_below(tmp_path / "env")
    digest = hashlib.sha512(b"text").digest()
    for content in ("text", "test"):
        wheel = build_wheel(files={"demo.py": content})
        row = f"demo.py,sha512={encode_digest(digest)},4"
        record = wheel[f"{wheel.dist_info}/RECORD"].decode().partition("\n")[2]
        staging = Staging(folder, schemes, rules)
        staging.discard(STEP)
        made = build_wheel(files={"demo.py": content}, record=f"{row}\n{record}")
        staged_wheel = stage(made, path_of(staging, tmp_path), schemes=schemes, rules=rules)
        keep(staging, staged_wheel)
        assert (staging.find(STEP) == staged_wheel) == (content == "text")


def test_what_is_noted_is_small_and_says_nothing_of_where_it_came_from(
    staging: Staging, tmp_path: Path
) -> None:
    staged(staging, tmp_path)
    path = path_of(staging, tmp_path) / "complete"
    assert "example.com" not in path.read_text()
    assert path.stat().st_size < 1000
    assert json.loads(path.read_text())["startup"] == ["demo.pth"]
    assert os.listdir(path_of(staging, tmp_path)).count("complete.new") == 0


def test_a_mark_is_there_as_a_whole_or_not_at_all(
    staging: Staging, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks for marks need not read them."""
    wheel = stage(WHEEL, path_of(staging, tmp_path), schemes=schemes_below(tmp_path / "env"))

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", killed)
        with pytest.raises(KeyboardInterrupt):
            keep(staging, wheel)
    assert "complete" not in os.listdir(path_of(staging, tmp_path))
