"""Every file is listed and hashed as it is, and nothing else is listed."""

from __future__ import annotations

import errno
import hashlib
import os
import random
from pathlib import Path
from typing import Any

import pytest

from executor.files.held_folder import HeldFolder
from executor.wheels.errors import WheelRefused
from executor.wheels.records import read_rows
from executor.wheels.rules import STRICT, Rules
from helpers.environments import stage
from helpers.wheels import Wheel, build_wheel
from schemas.digests import encode_digest

CODE = b"pass\n"
FILES = {"demo.py": CODE, "demo_data/x.txt": b"data"}
GOOD = build_wheel(files=FILES)
RECORD = GOOD[f"{GOOD.dist_info}/RECORD"].decode()
FILENAME = GOOD.filename
BELIEVING = Rules(verify_record=False)
ROWS = dict(line.split(",", 1) for line in RECORD.splitlines())


def with_record(record: str | bytes, **dist_info: bytes) -> Wheel:
    return build_wheel(files=FILES, record=record, dist_info=dist_info)


def replaced(path: str, row: str) -> str:
    """The true RECORD with another row for ``path``."""
    return "".join(f"{row if name == path else f'{name},{rest}'}\n" for name, rest in ROWS.items())


def hashed(algorithm: str, data: bytes) -> str:
    return f"{algorithm}={encode_digest(hashlib.new(algorithm, data).digest())}"


class TestAccepted:
    @pytest.mark.parametrize(
        "record",
        [
            pytest.param(RECORD, id="as it should be"),
            pytest.param("\n".join(reversed(RECORD.splitlines())), id="reversed, no last newline"),
            pytest.param(RECORD.replace("\n", "\r\n"), id="CRLF"),
            pytest.param(RECORD.replace("demo.py,", '"demo.py",'), id="quoted"),
            pytest.param(replaced("demo.py", f"demo.py,{hashed('sha512', CODE)},5"), id="sha512"),
            pytest.param(replaced("demo.py", f"demo.py,{hashed('sha256', CODE)},"), id="no size"),
            pytest.param("".join(RECORD.splitlines(keepends=True)[:-1]), id="no row for itself"),
            pytest.param(
                f"{RECORD}{GOOD.dist_info}/,{hashed('sha256', b'')},0\n", id="row for a folder"
            ),
        ],
    )
    def test_a_record_that_says_the_truth(self, tmp_path: Path, record: str) -> None:
        staged = stage(with_record(record), tmp_path / "s")
        assert Path(staged.tree, "demo.py").read_bytes() == CODE

    def test_signatures_that_it_cannot_hash(self, tmp_path: Path) -> None:
        """wheel 0.24.0 has a RECORD.jws."""
        wheel = with_record(RECORD, **{"RECORD.jws": b"{}", "RECORD.p7s": b"-"})
        staged = stage(wheel, tmp_path / "s")
        assert Path(staged.tree, staged.dist_info, "RECORD.jws").read_bytes() == b"{}"


WRONG = encode_digest(hashlib.sha256(b"other").digest())
RIGHT = encode_digest(hashlib.sha256(CODE).digest())
MEMBER = f"'{GOOD.dist_info}/RECORD': "

WRONG_HASHES = [
    pytest.param(
        replaced("demo.py", f"demo.py,sha256={WRONG},5"),
        f"'demo.py': its sha256 is {RIGHT}, RECORD states {WRONG}",
        id="wrong hash",
    ),
    pytest.param(
        replaced("demo.py", f"demo.py,{hashed('sha512', b'other')},5"),
        f"{MEMBER}its sha512 of 'demo.py' differs",
        id="wrong sha512",
    ),
    pytest.param(
        replaced("demo.py", f"demo.py,sha256={bytes(32).hex()},5"),
        f"'demo.py': its sha256 is {RIGHT}, RECORD states {encode_digest(bytes(32))}",
        id="hexadecimal",
    ),
]

REFUSED = [
    pytest.param(
        replaced("demo.py", f"demo.py,sha256={RIGHT},6"),
        "'demo.py': RECORD gives it 6 bytes, it has 5",
        id="wrong size",
    ),
    pytest.param(
        RECORD.partition("\n")[2], "'demo.py': RECORD does not list it", id="file without a row"
    ),
    pytest.param(
        RECORD + f"ghost.py,sha256={RIGHT},5\n",
        f"{MEMBER}it lists what the wheel does not hold: 'ghost.py'",
        id="row without a file",
    ),
    pytest.param(
        RECORD + f"../../victim,sha256={RIGHT},5\n",
        f"{MEMBER}it lists what the wheel does not hold: '../../victim'",
        id="row outside",
    ),
    pytest.param(
        RECORD + f"demo.py,sha256={RIGHT},5\n",
        f"{MEMBER}it lists a file twice",
        id="row twice",
    ),
    pytest.param(
        replaced("demo.py", "demo.py,,5"),
        f"{MEMBER}its row for 'demo.py' has no hash",
        id="no hash",
    ),
    pytest.param(
        replaced("demo.py", "demo.py,sha256=,5"),
        f"{MEMBER}row 1 has a sha256 of 0 bytes",
        id="empty hash",
    ),
    pytest.param(
        RECORD.replace("RECORD,,", f"RECORD,sha256={RIGHT},"),
        f"{MEMBER}it gives a hash of itself",
        id="hash of itself",
    ),
    pytest.param(
        RECORD + f"demo.py,sha256={WRONG},6\n",
        f"{MEMBER}two rows for 'demo.py' differ",
        id="two rows of other sizes",
    ),
    pytest.param(
        replaced("demo.py", "demo.py,md5=GrAyMYGzVKZJ7Uyo+v2gCw,5"),
        f"{MEMBER}row 1 has a hash of 'md5', which is not secure",
        id="md5",
    ),
    pytest.param(
        RECORD + f"/etc/hostname,{hashed('sha512', b'')},\n",
        f"{MEMBER}its row for '/etc/hostname' is for no file of the wheel",
        id="absolute row that would have to be read",
    ),
    pytest.param(
        RECORD + f"../manifest,{hashed('sha512', b'')},\n",
        f"{MEMBER}its row for '../manifest' is for no file of the wheel",
        id="row outside that would have to be read",
    ),
    pytest.param(
        RECORD + f"demo_data,{hashed('sha512', b'')},\n",
        f"{MEMBER}its row for 'demo_data' is for no file of the wheel",
        id="row for a folder",
    ),
    pytest.param(
        RECORD + f"ghost/,{hashed('sha256', b'')},0\n",
        f"{MEMBER}it lists what the wheel does not hold: 'ghost/'",
        id="row for a folder that is not there",
    ),
    pytest.param(
        RECORD + f"../,{hashed('sha256', b'')},0\n",
        f"{MEMBER}it lists what the wheel does not hold: '../'",
        id="row for a folder outside",
    ),
    pytest.param(
        RECORD + "x" * 5000 + ",,\n",
        f"{MEMBER}it has a line of more than 4096 characters",
        id="long line",
    ),
    pytest.param(b"\xff" + RECORD.encode(), f"{MEMBER}it is not UTF-8 text", id="not UTF-8"),
    pytest.param("", "'demo.py': RECORD does not list it", id="empty"),
]


@pytest.mark.parametrize("rules", [STRICT, BELIEVING], ids=["hashed", "believed"])
@pytest.mark.parametrize(("record", "message"), REFUSED)
def test_a_record_that_lies_is_refused(
    tmp_path: Path, record: str | bytes, message: str, rules: Rules
) -> None:
    with pytest.raises(WheelRefused) as caught:
        stage(with_record(record), tmp_path / "s", rules=rules)
    assert str(caught.value) == f"{FILENAME}: {message}"


@pytest.mark.parametrize(("record", "message"), WRONG_HASHES)
def test_a_wrong_hash_is_refused_where_files_are_hashed(
    tmp_path: Path, record: str, message: str
) -> None:
    with pytest.raises(WheelRefused) as caught:
        stage(with_record(record), tmp_path / "s")
    assert str(caught.value) == f"{FILENAME}: {message}"
    staged = stage(with_record(record), tmp_path / "believed", rules=BELIEVING)
    assert Path(staged.tree, "demo.py").read_bytes() == CODE


def test_two_rows_that_differ_in_the_hash_are_refused(tmp_path: Path) -> None:
    wheel = with_record(RECORD + f"demo.py,sha256={WRONG},5\n")
    with pytest.raises(WheelRefused, match=r"two rows for 'demo\.py' differ"):
        stage(wheel, tmp_path / "hashed")
    with pytest.raises(WheelRefused, match="it lists a file twice"):
        stage(wheel, tmp_path / "believed", rules=BELIEVING)


def spelled(rows: list[tuple[str, str]], oddity: float, chances: random.Random) -> str:
    """The rows of a RECORD, of path and rest, some spelled in other ways that mean the same."""
    ends = chances.choice([["\n"], ["\r\n"], ["\n", "\r\n"]])
    text = ""
    for path, rest in rows:
        is_odd = chances.random() < oddity
        is_quoted = "," in path or (is_odd and chances.random() < 0.5)
        text += (f'"{path}"' if is_quoted else path) + rest + chances.choice(ends)
        text += "\n" * (is_odd and not is_quoted)
    return text.rstrip("\r\n") if chances.random() < 0.5 else text


@pytest.mark.parametrize("oddity", [0, 0.005, 0.02, 0.3])
@pytest.mark.parametrize("seed", range(8))
def test_however_its_rows_are_spelled_each_file_is_listed_once(
    tmp_path: Path, seed: int, oddity: float
) -> None:
    """As in the new RECORD, where files are hashed and where RECORD is believed."""
    chances = random.Random(f"{seed} {oddity}")
    names = ["a.py", "deep/er/b.txt", "é/ü.py", "with space/x y", "x" * 90]
    files = {
        f"p{number % 7}/{number}{chances.choice(names)}": b"%d" % number for number in range(300)
    }
    if oddity:
        files["p1/c,d.txt"] = CODE
    listed = {f"{GOOD.dist_info}/RECORD.jws": b"{}", f"{GOOD.dist_info}/": b"", **files}
    rows = [
        (path, f",{hashed('sha256', content)},{len(content)}") for path, content in listed.items()
    ]
    rows += [(name, f",{rest}") for name, rest in ROWS.items() if name.startswith(GOOD.dist_info)]
    chances.shuffle(rows)
    record = spelled(rows, oddity, chances)
    wheel = build_wheel(files=files, record=record, dist_info={"RECORD.jws": b"{}"})
    recorded = []
    for rules in (STRICT, BELIEVING):
        staged = stage(wheel, tmp_path / str(rules.verify_record), rules=rules)
        text = Path(staged.tree, staged.dist_info, "RECORD").read_bytes().decode()
        assert "\r" not in text
        recorded.append(sorted(read_rows(text.splitlines())))
    stated = sorted(row for row in read_rows(record.splitlines()) if row.size and row.algorithm)
    assert recorded[0] == recorded[1]
    assert [row for row in recorded[0] if row in stated] == stated
    assert len({row.path for row in recorded[0]}) == len(recorded[0])


def test_a_row_for_an_endless_file_is_refused_unread(tmp_path: Path) -> None:
    record = RECORD + f"/dev/zero,{hashed('sha512', b'')},\n"
    with pytest.raises(WheelRefused, match="for no file of the wheel"):
        stage(with_record(record), tmp_path / "s")


def test_a_row_cannot_stand_for_a_file_of_another_name(tmp_path: Path) -> None:
    """``digest``, ``size`` and path run together would be the same text."""
    digest = hashlib.sha256(CODE).digest()
    wheel = build_wheel(
        files={"x5 y": CODE}, record=f"y,sha256={encode_digest(digest + b'5 x')},5\n"
    )
    with pytest.raises(WheelRefused, match="row 1 has a sha256 of 35 bytes"):
        stage(wheel, tmp_path / "s")


def test_a_wheel_without_a_record_is_refused(tmp_path: Path) -> None:
    wheel = GOOD.rebuilt([member for member in GOOD.members if "RECORD" not in str(member.name)])
    with pytest.raises(WheelRefused) as caught:
        stage(wheel, tmp_path / "s")
    assert str(caught.value) == f"{FILENAME}: {MEMBER}it is missing"


def test_a_disk_that_fails_is_no_fault_of_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(call: str) -> None:
        before = getattr(HeldFolder, call)

        def fail(folder: HeldFolder, name: str, *more: Any) -> Any:
            if name.endswith("RECORD"):
                raise OSError(errno.EIO, os.strerror(errno.EIO), name)
            return before(folder, name, *more)

        monkeypatch.setattr(HeldFolder, call, fail)

    failing("open")
    failing("read")
    with pytest.raises(OSError, match="Input/output error"):
        stage(GOOD, tmp_path / "s")
