"""A built wheel is of the package that was built, and like the planned one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from executor.builds.built_wheel import BuiltWheel, inspect_wheel
from executor.builds.errors import WheelDiffersFromPlan
from helpers.archives import Member, build_archive
from helpers.build_records import build_record
from helpers.wheels import build_wheel
from schemas.builds import BuildRecord
from schemas.target import Target

TARGET = Target.named("3.11", "manylinux_2_28_x86_64")
NATIVE = "demo/fast.cpython-311-x86_64-linux-gnu.so"


def record_of(wheel: str, *native: str) -> BuildRecord:
    return build_record(wheel=wheel, native=native)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> str:
    wheel = build_wheel("demo", files={NATIVE: b"ELF", "demo/lib/x.so.1": b"", "demo/a.py": ""})
    wheel.write(tmp_path)
    return str(tmp_path / wheel.filename)


def inspect(path: str, package: str = "demo", version: str | None = "1.0") -> BuiltWheel:
    return inspect_wheel(path, package, version, TARGET)


def test_its_native_modules_are_found(path: str) -> None:
    wheel = inspect(path, version=None)
    assert (wheel.name, wheel.version) == ("demo", "1.0")
    assert wheel.native == (NATIVE, "demo/lib/x.so.1")


@pytest.mark.parametrize(
    ("package", "version", "message"),
    [
        ("other", "1.0", "the source is of other 1.0, but the wheel is demo-1.0-py3-none-any.whl"),
        ("other", None, "the source is of other, but the wheel is demo-1.0-py3-none-any.whl"),
        ("demo", "2.0", "the source is of demo 2.0, but the wheel is demo-1.0-py3-none-any.whl"),
    ],
)
def test_one_of_another_package_is_refused(
    path: str, package: str, version: str | None, message: str
) -> None:
    with pytest.raises(WheelDiffersFromPlan) as caught:
        inspect(path, package, version)
    assert str(caught.value) == f"{package}: {message}"


@pytest.mark.parametrize("name", ["demo-1.0-py3-none-any.whl", "demo.whl"])
def test_what_is_not_a_wheel_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no zip")
    with pytest.raises(WheelDiffersFromPlan, match=f"{name} is not a wheel"):
        inspect(str(tmp_path / name))


def test_one_for_another_target_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel("demo", tag="cp312-cp312-win_amd64")
    wheel.write(tmp_path)
    with pytest.raises(WheelDiffersFromPlan, match="does not suit"):
        inspect(str(tmp_path / wheel.filename))


class TestPlan:
    PLANNED = "demo-1.0-py3-none-any.whl"
    WHEEL = BuiltWheel(path=f"/w/{PLANNED}", name="demo", version="1.0", native=(NATIVE,))

    def test_a_wheel_like_the_planned_one_is_accepted(self) -> None:
        self.WHEEL.check_plan(record_of(self.PLANNED, NATIVE))

    def test_one_that_lacks_a_native_module_is_refused(self) -> None:
        with pytest.raises(WheelDiffersFromPlan, match=r"was built without demo/slow\.so, which"):
            self.WHEEL.check_plan(record_of(self.PLANNED, NATIVE, "demo/slow.so"))

    def test_one_with_a_further_native_module_is_refused(self) -> None:
        with pytest.raises(WheelDiffersFromPlan, match=r"was built with demo/fast\."):
            self.WHEEL.check_plan(record_of(self.PLANNED))

    def test_one_of_another_kind_is_refused(self) -> None:
        with pytest.raises(WheelDiffersFromPlan, match=r"but demo-1\.0-cp311"):
            self.WHEEL.check_plan(record_of("demo-1.0-cp311-cp311-linux_x86_64.whl", NATIVE))


@pytest.mark.parametrize(
    "lie",
    [
        {"version": 99},
        {"flags": 0x800, "name": b"\xff"},
        {"extra": b"\x01\x00\xff\x00"},
        {"offset": 0xFFFFFFFF},
        {"disk": 0xFFFF},
    ],
)
def test_an_archive_that_is_made_to_confuse_is_refused_or_read(
    tmp_path: Path, lie: dict[str, Any]
) -> None:
    content = build_archive([Member("demo/a.py", b"x", central=lie)])
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(content)
    with suppress(WheelDiffersFromPlan):
        inspect(str(path))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    wheel = build_wheel("demo", files={"demo/ab.py": ""})
    flagged = wheel.content.replace(b"demo/ab.py", b"demo/\xff\xfe.py")
    content = bytearray(flagged)
    at = content.find(b"PK\x01\x02")
    while at >= 0:
        content[at + 9] |= 0x08  # its names are UTF-8, it says
        at = content.find(b"PK\x01\x02", at + 4)
    path = tmp_path / "demo-1.0-py3-none-any.whl"
    path.write_bytes(content)
    with pytest.raises(WheelDiffersFromPlan, match="is not a wheel"):
        inspect(str(path))
