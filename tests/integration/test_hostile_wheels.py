"""Wheels made to do harm, or made wrong: each is refused in one sentence, before anything changes.

And oddities of real wheels that must be installed all the same.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from executor.api import execute
from executor.report.report import Report
from executor.wheels.errors import WheelRefused
from executor.wheels.rules import Rules
from helpers.archives import Descriptor, Member, zip64_extra
from helpers.environments import environment_below, read_record, record_row
from helpers.hostile import CARRIERS, Case, cases
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.errors import ExitCode
from schemas.zipformat import Method

CARRIER = CARRIERS[0]
GOOD = CARRIER.good
INFO = CARRIER.info
RECORD = CARRIER.record
MAIN = CARRIER.main
demo, plus, pair, archive, info = (
    CARRIER.demo,
    CARRIER.plus,
    CARRIER.pair,
    CARRIER.archive,
    CARRIER.with_info,
)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{kind}: {case.name}") for kind, case in cases()]
)
def test_a_bad_wheel_is_refused_in_one_sentence_and_nothing_changes(
    tmp_path: Path, case: Case
) -> None:
    case.wheel.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(lock_of([case.wheel]))
    environment = environment_below(tmp_path / "env")
    before = snapshot(tmp_path)
    with pytest.raises(WheelRefused) as caught:
        execute(str(tmp_path / "pylock.toml"), environment)
    expected, found = f"{GOOD.filename}: {case.message}", str(caught.value)
    if expected.endswith("..."):
        found = f"{found[: len(expected) - 3]}..."
    assert found == expected
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    assert snapshot(tmp_path) == before


def test_without_the_hashes_of_record_the_same_are_refused_but_for_wrong_ones(
    tmp_path: Path,
) -> None:
    installs = set()
    for number, (kind, case) in enumerate(cases()):
        # They take their time, and have ended before RECORD is read.
        if kind == "bombs":
            continue
        folder = tmp_path / f"{number}"
        folder.mkdir()
        try:
            installed(folder, case.wheel, rules=Rules(verify_record=False))
            installs.add(f"{kind}: {case.name}")
        except WheelRefused:
            shutil.rmtree(folder)
    assert installs == {
        "hashes in RECORD: wrong",
        "hashes in RECORD: in hexadecimal",
        "hashes in RECORD: wrong SHA-512",
        "hashes in RECORD: file that was changed",
    }


FOLDER = Member("demo_data/", b"", mode=0o040755)

ODD = [
    ("zip64 fields with sizes that fit, as Bazel writes them", GOOD.rebuilt(
        replace(member, method=Method.STORED, local={"extra": zip64_extra(*[len(member.data)] * 2)})
        for member in GOOD.members
    )),
    ("trailing zeros", archive(suffix=bytes(64))),
    ("comment", archive(comment=b"made by hand")),
    ("file of 1000 times its size",
     build_wheel(files={"demo.py": MAIN.data, "zeros.bin": bytes(1 << 20)})),
    ("RECORD.jws", info(**{"RECORD.jws": "{}"})),
    ("deflated empty folder", GOOD.rebuilt([FOLDER, *GOOD.members])),
    ("dist-info first", GOOD.rebuilt(reversed(GOOD.members))),
    ("data descriptors", GOOD.rebuilt(
        replace(member, descriptor=Descriptor()) for member in GOOD.members
    )),
    ("data descriptors without signatures", GOOD.rebuilt(
        replace(member, descriptor=Descriptor(signed=False)) for member in GOOD.members
    )),
    ("stored with data descriptors", GOOD.rebuilt(
        replace(member, descriptor=Descriptor(), method=0) for member in GOOD.members
    )),
    ("one member stored with a data descriptor, in zip64", GOOD.rebuilt(
        [replace(GOOD.members[0], descriptor=Descriptor(wide=True), method=0), *GOOD.members[1:]],
        zip64=True, comment=b"by hand", suffix=bytes(3),
    )),
    ("zip64 everywhere", GOOD.rebuilt(
        [replace(member, zip64=True) for member in GOOD.members], zip64=True
    )),
    ("all stored", GOOD.rebuilt(replace(member, method=0) for member in GOOD.members)),
    ("made on DOS", GOOD.rebuilt(
        replace(member, central={"made_by": 20}) for member in GOOD.members
    )),
    ("setuid", demo(mode=0o104755)),
    ("path file", plus("demo.pth")),
    ("name that is not ASCII", plus("dämö.py")),
    ("two blocks in WHEEL", info(
        WHEEL="Wheel-Version: 1.0\nRoot-Is-Purelib: true\n\nWheel-Version: 1.0\n"
    )),
]  # fmt: skip


@pytest.mark.parametrize("wheel", [pytest.param(wheel, id=name) for name, wheel in ODD])
def test_an_odd_wheel_is_installed(tmp_path: Path, wheel: Wheel) -> None:
    write_lock(tmp_path, [wheel])
    environment = environment_below(tmp_path / "env")
    assert execute(str(tmp_path / "pylock.toml"), environment).installed == 1
    packages = Path(environment.interpreter.schemes.purelib)
    assert (packages / "demo.py").read_bytes() == MAIN.data
    assert (packages / INFO / "INSTALLER").is_file()
    assert (packages / "demo.py").stat().st_mode & 0o7000 == 0


def installed(tmp_path: Path, wheel: Wheel, **options: Any) -> tuple[Path, Report]:
    write_lock(tmp_path, [wheel])
    environment = environment_below(tmp_path / "env")
    report = execute(str(tmp_path / "pylock.toml"), environment, **options)
    return Path(environment.interpreter.schemes.purelib), report


def test_byte_code_is_left_out_and_told(tmp_path: Path) -> None:
    wheel = pair("pkg/__pycache__/demo.cpython-311.pyc", "pkg/__pycache__/cache.nbi")
    packages, report = installed(tmp_path, wheel)
    assert [path.name for path in (packages / "pkg/__pycache__").iterdir()] == ["cache.nbi"]
    assert ".pyc" not in (packages / INFO / "RECORD").read_text()
    (warning,) = report.warnings
    assert warning.startswith(f"{GOOD.filename}: 1 compiled files below __pycache__ are left out: ")


def test_a_folder_of_byte_code_alone_is_left_out_with_it(tmp_path: Path) -> None:
    packages, _ = installed(tmp_path, plus("pkg/__pycache__/demo.cpython-311.pyc"))
    assert not (packages / "pkg/__pycache__").exists()


def test_what_runs_at_every_start_is_told(tmp_path: Path) -> None:
    packages, report = installed(tmp_path, plus("demo.pth"))
    assert report.startup == (f"{GOOD.filename}: demo.pth",)
    assert (packages / "demo.pth").is_file()


def test_what_may_run_at_every_start_is_the_users_choice(tmp_path: Path) -> None:
    packages, _ = installed(
        tmp_path, plus("sitecustomize.py"), rules=Rules(startup=frozenset({"demo"}))
    )
    assert (packages / "sitecustomize.py").is_file()


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("Wheel-Version: 1.9\nTag: py3-none-any\n",
         "its Wheel-Version is 1.9, this installer knows 1.0"),
        ("Wheel-Version: 1.0\nTag: cp27-cp27m-win32\n",
         "its WHEEL file does not state the tag py3-none-any of its file name"),
    ],
)  # fmt: skip
def test_what_is_odd_and_harmless_is_told(tmp_path: Path, text: str, warning: str) -> None:
    _, report = installed(tmp_path, info(WHEEL=text))
    assert report.warnings == (f"{GOOD.filename}: {warning}",)


LENIENT = [
    ("duplicate", GOOD.rebuilt([MAIN, *GOOD.members]), []),
    ("absolute rows", build_wheel(files={"demo.py": MAIN.data},
                                  record="".join(f"/{line}\n" for line in RECORD.splitlines())),
     [f"{INFO}/RECORD: its row for '/{INFO}/RECORD' has no hash"]),
    ("wrong hash", GOOD.edited("demo.py", data=b"other"),
     [("demo.py: its sha256 is 2SmKENGwc1g33EvYXaxkGw887yekfl1TpU8vP1svz_o, "
      "RECORD states n1bnYdeb_bNDBKASWGywTRa0Ne9hMAkal3AuVZJgovI")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wheel", "warnings"), [pytest.param(*case[1:], id=case[0]) for case in LENIENT]
)
def test_what_old_wheels_do_wrong_is_the_users_choice(
    tmp_path: Path, wheel: Wheel, warnings: list[str]
) -> None:
    packages, report = installed(tmp_path, wheel, rules=Rules(lenient=True))
    rows = read_record(packages / INFO)
    assert rows.pop(packages / INFO / "RECORD") == ("", "")
    assert len(rows) == 5
    assert rows == {path: record_row(path.read_bytes()) for path in rows}
    assert list(report.warnings) == [f"{GOOD.filename}: {text}" for text in warnings]


def test_a_duplicate_of_other_contents_is_nobodys_choice(tmp_path: Path) -> None:
    wheel = GOOD.rebuilt([replace(MAIN, data=b"evil"), *GOOD.members])
    with pytest.raises(WheelRefused, match="has the same name and other contents"):
        installed(tmp_path, wheel, rules=Rules(lenient=True))
