"""A file has one of the hashes of each line that gives any, whatever the index knows of it."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.index import Index
from helpers.planning import plan_here
from helpers.wheels import build_wheel
from planner.inputs.inputs import InputRequirement
from planner.resolver.required_hashes import HashesDisjoint, RequiredHashes

DEMO = canonicalize_name("demo")
APP = build_wheel("app", "1.0")
SHA512 = hashlib.sha512(APP.content).hexdigest()


def line(*hashes: str, number: int = 1) -> InputRequirement:
    return InputRequirement(
        requirement=Requirement("demo"), origin=f"r.in:{number}", hashes=frozenset(hashes)
    )


def test_a_line_allows_each_of_its_hashes() -> None:
    required = RequiredHashes([line("sha256:aa", "sha256:bb")])
    assert DEMO in required
    assert required.allow(DEMO, {"sha256": "aa"})
    assert required.allow(DEMO, {"sha256": "bb"})
    assert not required.allow(DEMO, {"sha256": "cc"})
    assert required.undecided(DEMO, {"sha256": "aa"}) == frozenset()


def test_several_lines_all_have_to_allow_a_file() -> None:
    required = RequiredHashes([line("sha256:aa", "sha256:bb"), line("sha256:bb", "sha256:cc")])
    assert required.allow(DEMO, {"sha256": "bb"})
    assert not required.allow(DEMO, {"sha256": "aa"})


def test_lines_that_no_file_can_meet_are_a_conflict_that_names_both() -> None:
    with pytest.raises(HashesDisjoint) as raised:
        RequiredHashes([line("sha256:aa"), line(), line("sha256:bb", number=3)])
    assert str(raised.value).startswith("r.in:3: no file of demo can have one of these hashes")
    assert str(raised.value).endswith("and one of r.in:1")


def test_hashes_of_different_algorithms_can_be_those_of_one_file() -> None:
    required = RequiredHashes([line("sha256:aa"), line("sha512:bb")])
    assert required.allow(DEMO, {"sha256": "aa"})
    assert required.undecided(DEMO, {"sha256": "aa"}) == {"sha512"}
    assert required.undecided(DEMO, {"sha256": "aa", "sha512": "bb"}) == frozenset()
    assert not required.allow(DEMO, {"sha256": "aa", "sha512": "cc"})


def test_a_project_without_hashes_allows_every_file() -> None:
    assert RequiredHashes().allow(DEMO, {})
    assert DEMO not in RequiredHashes([line()])


@pytest.fixture(name="workplace")
def _workplace(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    index.add(APP)


def plan(index: Index, *lines: str) -> int:
    return plan_here(index, lines=lines)


def locked_hashes() -> dict[str, str]:
    (package,) = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    files = package.get("wheels") or [package["archive"]]
    hashes: dict[str, str] = files[0]["hashes"]
    return hashes


@pytest.mark.usefixtures("workplace")
def test_a_hash_that_the_index_does_not_give_is_computed_and_locked(index: Index) -> None:
    assert plan(index, f"app==1.0 --hash=sha512:{SHA512}") == 0
    assert locked_hashes() == {"sha256": APP.sha256, "sha512": SHA512}


@pytest.mark.usefixtures("workplace")
def test_a_file_whose_computed_hash_is_another_is_refused(
    index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(index, f"app==1.0 --hash=sha512:{'0' * 128}") == 6
    assert f"{APP.filename}: its hash is not among" in capsys.readouterr().err
    assert not Path("pylock.toml").exists()


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("order", [1, -1])
def test_any_hash_of_a_line_with_an_address_will_do(index: Index, order: int) -> None:
    hashes = [f"--hash=sha256:{one}" for one in (APP.sha256, "0" * 64)][::order]
    url = index.url_of(APP.filename)
    assert plan(index, f"app @ {url} {' '.join(hashes)}") == 0
    assert locked_hashes() == {"sha256": APP.sha256}
    Path("pylock.toml").unlink()
    assert plan(index, f"app @ {url} --hash=sha256:{'0' * 64} --hash=sha256:{'1' * 64}") == 6


@pytest.mark.usefixtures("workplace")
def test_a_wheel_of_this_machine_is_held_to_its_hash(index: Index) -> None:
    APP.write(Path.cwd())
    assert plan(index, f"./{APP.filename} --hash=sha256:{APP.sha256}") == 0
    Path("pylock.toml").unlink()
    assert plan(index, f"./{APP.filename} --hash=sha256:{'0' * 64}") == 6
