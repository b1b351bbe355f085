"""Without the hashes of RECORD nothing is hashed, and every other rule holds as before."""

from __future__ import annotations

import hashlib
import os
import re
import tracemalloc
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executor.api import execute
from executor.install.decide import verify_environment
from executor.sources.errors import HashMismatch
from executor.wheels.errors import WheelRefused
from executor.wheels.rules import STRICT, Rules
from helpers.archives import Member
from helpers.environments import (
    INSTALLERS_OWN,
    environment_below,
    read_record,
    record_row,
    schemes_below,
    stage,
)
from helpers.locks import write_lock
from helpers.trees import snapshot
from helpers.wheels import Wheel, build_wheel, lock_of
from schemas.digests import encode_digest
from schemas.errors import ExitCode
from schemas.zipformat import Method

BELIEVING = Rules(verify_record=False)

CODE = b"x = 1\n"
DIST_INFO = "demo-1.0.dist-info"
RECORD = f"{DIST_INFO}/RECORD"
GOOD = build_wheel(files={"demo.py": CODE})
WRONG = GOOD.edited("demo.py", data=b"x = 2\n")
"""It has as many bytes as RECORD says, and others."""

RICH = build_wheel(
    files={
        "demo/__init__.py": b"",
        "demo/large.bin": bytes(range(256)) * 4096,
        "demo/ä, b.py": b"x",
        "demo/__pycache__/demo.pyc": b"",
        "demo.pth": b"",
    },
    data_files={
        "scripts/run": "#!python\n",
        "scripts/shell": "#!/bin/sh\n",
        "scripts/demo": "#!python\nshadowed",
        "data/share/a, b": b"data",
        "headers/x.h": b"header",
        "purelib/y.py": b"y",
    },
    entry_points={"console_scripts": {"demo": "demo:main"}, "gui_scripts": {"gui": "demo:gui"}},
    dist_info={"RECORD.jws": b"{}", "INSTALLER": b"another\n", "direct_url.json": b"{}"},
    executables=["demo/large.bin"],
)
ROWS = RICH[RECORD].decode()
MAIN = GOOD.members[0]
TWICE = GOOD.rebuilt([MAIN, *GOOD.members])


def without_sizes(record: str) -> str:
    return "".join(f"{line.rpartition(',')[0]},\n" for line in record.splitlines())


def with_bits_left_over(record: str) -> str:
    """32 bytes leave two bits of the last character of base64 over, which should be zero."""
    return re.sub(r"(\w),(?=\d)", lambda found: f"{chr(ord(found[1]) + 1)},", record)


def in_hexadecimal(record: str) -> str:
    for member in RICH.members:
        digest = hashlib.sha256(member.data)
        record = record.replace(encode_digest(digest.digest()), digest.hexdigest())
    return record


def with_record(wheel: Wheel, record: str) -> Wheel:
    return wheel.edited(RECORD, data=record.encode())


@pytest.mark.parametrize(
    ("wheel", "lenient"),
    [
        pytest.param(RICH, False, id="all kinds of files"),
        pytest.param(with_record(RICH, ROWS.replace("\n", "\r\n")), False, id="CRLF"),
        pytest.param(
            with_record(RICH, ROWS.replace("demo.pth,", '"demo.pth",')), False, id="quoted"
        ),
        pytest.param(with_record(RICH, without_sizes(ROWS)), False, id="no sizes"),
        pytest.param(with_record(RICH, with_bits_left_over(ROWS)), False, id="bits left over"),
        pytest.param(with_record(RICH, in_hexadecimal(ROWS)), False, id="hexadecimal"),
        pytest.param(
            with_record(RICH, f"{ROWS}demo/__pycache__/,,\ndemo/,,\n"), False, id="rows for folders"
        ),
        pytest.param(
            RICH.rebuilt([Member("demo/", b"", Method.STORED, mode=0o040755), *RICH.members]),
            False,
            id="listed folder",
        ),
        pytest.param(RICH.rebuilt(reversed(RICH.members)), False, id="RECORD first"),
        pytest.param(TWICE, True, id="file that is there twice"),
        pytest.param(
            with_record(
                TWICE, GOOD[RECORD].decode().splitlines()[0] + "\n" + GOOD[RECORD].decode()
            ),
            True,
            id="file and row that are there twice",
        ),
        pytest.param(with_record(RICH, f"ghost,,\n{ROWS}"), True, id="row for no file"),
        pytest.param(with_record(RICH, ROWS.partition("\n")[2]), True, id="file without a row"),
        pytest.param(with_record(RICH, "no table"), True, id="no RECORD at all"),
        pytest.param(
            build_wheel(purelib=False, data_files={"platlib/y.py": b"y"}), False, id="platlib"
        ),
    ],
)
def test_hashing_makes_no_difference_to_what_is_installed(
    tmp_path: Path, wheel: Wheel, lenient: bool
) -> None:
    schemes = schemes_below(tmp_path)
    hashed, believed = (
        stage(wheel, tmp_path / name, schemes=schemes, rules=replace(rules, lenient=lenient))
        for name, rules in (("hashed", STRICT), ("believed", BELIEVING))
    )
    assert replace(believed, folder=hashed.folder) == hashed
    assert snapshot(Path(believed.tree), [RECORD]) == snapshot(Path(hashed.tree), [RECORD])
    assert os.path.exists(believed.data) == os.path.exists(hashed.data)
    if os.path.exists(hashed.data):
        assert snapshot(Path(believed.data)) == snapshot(Path(hashed.data))
    one, other = (
        Path(staged.tree, RECORD).read_text().splitlines() for staged in (hashed, believed)
    )
    assert sorted(one) == sorted(other)
    assert len(one) == hashed.files


def spelled(row: str) -> list[str]:
    """What a RECORD may have in the place of ``row``, all of it true where it says anything."""
    path, digest, size = row.rsplit(",", 2)
    return [
        row,
        f'"{path}",{digest},{size}',
        f"{path},{digest},",
        f"{path},{digest},{int(size) + 1}",
        f"{path},{digest},0{size}",
        f"{path},,{size}",
        f"{path},sha256=,{size}",
        f"{path},{digest[:-1]},{size}",
        f"{row}\n{row}",
        f"{row}\r\n",
        f"./{row}",
        f'"{row}',
        f"{row},",
        "",
    ]


PLAIN = GOOD[RECORD].decode().splitlines()
OTHERS = [f"{RECORD},,", f"{DIST_INFO}/RECORD.jws,,", f"{DIST_INFO}/,,", "ghost,,", "x", ",,", '"']


@given(
    st.tuples(*(st.sampled_from([row] * 12 + spelled(row)) for row in PLAIN[:-1])),
    st.lists(st.sampled_from(OTHERS), max_size=2),
    st.randoms(use_true_random=False),
)
def test_any_record_is_taken_or_refused_as_where_files_are_hashed(
    tmp_path_factory: pytest.TempPathFactory,
    rows: tuple[str, ...],
    others: list[str],
    random: Random,
) -> None:
    lines = [*rows, *others]
    random.shuffle(lines)
    wheel = with_record(GOOD, "\n".join(lines))
    folder = tmp_path_factory.mktemp("s")

    def outcome(name: str, rules: Rules) -> tuple[list[str], bool] | str:
        try:
            staged = stage(wheel, folder / name, schemes=schemes_below(folder), rules=rules)
        except WheelRefused as error:
            return str(error)
        record = Path(staged.tree, RECORD).read_text()
        return sorted(record.splitlines()), bool(staged.warnings)

    for lenient in (False, True):
        hashed = outcome(f"hashed {lenient}", Rules(lenient=lenient))
        believed = outcome(f"believed {lenient}", replace(BELIEVING, lenient=lenient))
        assert believed == hashed


def test_a_hash_of_another_algorithm_is_taken_over(tmp_path: Path) -> None:
    spelled = f"sha512={encode_digest(hashlib.sha512(CODE).digest())}"
    row = f"{{}},{spelled},{len(CODE)}\n"
    wheel = build_wheel(files={"demo.py": CODE}, data_files={"data/share/demo": CODE})
    rest = "".join(line for line in wheel[RECORD].decode().splitlines(True) if "dist-info" in line)
    data = "demo-1.0.data/data/share/demo"
    changed = with_record(wheel, row.format("demo.py") + row.format(data) + rest)
    staged = stage(changed, tmp_path / "s", rules=BELIEVING)
    rows = Path(staged.tree, RECORD).read_text().splitlines(True)
    assert {row.format("demo.py"), row.format("../../share/demo")} < set(rows)


def installed(folder: Path, wheel: Wheel, **options: Any) -> Path:
    """Execute a lock of ``wheel`` into an environment in ``folder``; its packages."""
    folder.mkdir()
    write_lock(folder, [wheel])
    environment = environment_below(folder / "env")
    execute(str(folder / "pylock.toml"), environment, **options)
    return Path(environment.interpreter.schemes.purelib)


def test_a_hash_that_is_wrong_is_refused_or_kept_and_found_later(tmp_path: Path) -> None:
    with pytest.raises(WheelRefused, match=r"'demo.py': its sha256 is .*, RECORD states "):
        installed(tmp_path / "hashed", WRONG)
    packages = installed(tmp_path / "believed", WRONG, rules=BELIEVING)
    assert (packages / "demo.py").read_bytes() == b"x = 2\n"
    assert read_record(packages / DIST_INFO)[packages / "demo.py"] == record_row(CODE)
    _, differences = verify_environment(
        str(tmp_path / "believed/pylock.toml"), environment_below(tmp_path / "believed/env")
    )
    assert [str(found) for found in differences] == [
        f"changed: {packages / 'demo.py'}: sha256 differs"
    ]


def test_what_is_installed_without_hashing_is_right_by_its_record(tmp_path: Path) -> None:
    installed(tmp_path / "project", RICH, rules=BELIEVING)
    environment = environment_below(tmp_path / "project/env")
    packages, differences = verify_environment(str(tmp_path / "project/pylock.toml"), environment)
    assert (packages, list(differences)) == (1, [])


@pytest.mark.parametrize("rules", [STRICT, BELIEVING], ids=["hashed", "believed"])
def test_the_hash_of_the_lock_and_the_crc_decide_in_any_case(tmp_path: Path, rules: Rules) -> None:
    locked = lock_of([GOOD])
    WRONG.write(tmp_path)
    (tmp_path / "pylock.toml").write_text(
        locked.replace(f"size = {GOOD.size}", f"size = {WRONG.size}")
    )
    with pytest.raises(HashMismatch) as caught:
        execute(str(tmp_path / "pylock.toml"), environment_below(tmp_path / "env"), rules=rules)
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED
    damaged = GOOD.edited("demo.py", headers={"crc": 1})
    with pytest.raises(WheelRefused, match=r"'demo.py': its CRC is .*, not the 00000001"):
        stage(damaged, tmp_path / "s", rules=rules)


def hashed_bytes(monkeypatch: pytest.MonkeyPatch, folder: Path, wheel: Wheel, rules: Rules) -> int:
    """How many bytes go through SHA-256 while ``wheel`` is staged."""
    made, total = hashlib.sha256, 0

    class Counting:
        def __init__(self, data: bytes = b"") -> None:
            self._digest = made()
            self.update(data)

        def update(self, data: bytes) -> None:
            nonlocal total
            total += len(data)
            self._digest.update(data)

        def digest(self) -> bytes:
            return self._digest.digest()

    with monkeypatch.context() as patched:
        patched.setattr("hashlib.sha256", Counting)
        stage(wheel, folder, rules=rules)
    return total


def test_no_contents_are_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = build_wheel(
        files={f"demo/{number}.py": b"x" * 50_000 for number in range(5)}
        | {"demo/large.bin": bytes(1 << 20)},
        method=Method.STORED,
    )
    contents = sum(len(member.data) for member in wheel.members)
    own = sum(map(len, INSTALLERS_OWN.values()))
    record = len(wheel[RECORD])
    assert hashed_bytes(monkeypatch, tmp_path / "hashed", wheel, STRICT) >= contents
    believed = hashed_bytes(monkeypatch, tmp_path / "believed", wheel, BELIEVING)
    assert own <= believed <= own + 3 * record


def test_it_takes_no_more_memory(tmp_path: Path) -> None:
    files = {f"demo/{number:05d}.py": b"" for number in range(4_000)}
    wheel = build_wheel(files=files, method=Method.STORED)
    # Spelled otherwise, its rows are read one by one.
    other = with_record(wheel, wheel[RECORD].decode().replace("demo/00000.py,", '"demo/00000.py",'))

    def peak(wheel: Wheel, folder: str, rules: Rules) -> int:
        tracemalloc.start()
        try:
            stage(wheel, tmp_path / folder, rules=rules)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    hashed = peak(wheel, "hashed", STRICT)
    assert peak(wheel, "believed", BELIEVING) - hashed < 256 << 10
    assert peak(other, "other", BELIEVING) - hashed < 256 << 10
