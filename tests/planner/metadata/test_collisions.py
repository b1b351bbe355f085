"""Wheels that would install different files at one path are found before an installation."""

from __future__ import annotations

from pathlib import Path

import pytest

import lockstream
from helpers.index import Index
from helpers.locks import LINUX, WINDOWS
from helpers.wheels import Files, Wheel, build_wheel


def wheel(name: str, files: Files, data: Files | None = None, tag: str = "py3-none-any") -> Wheel:
    return build_wheel(name, files=files, data_files=data, tag=tag)


def warnings(
    index: Index, folder: Path, capsys: pytest.CaptureFixture[str], *wheels: Wheel
) -> list[str]:
    index.add(*wheels)
    path = folder / "requirements.in"
    path.write_text("".join(f"{one.name}\n" for one in wheels))
    words = ["plan", "-q", "-r", str(path), "-o", str(folder / "pylock.toml"), "-i", index.url]
    for _ in range(2):  # without and with a cache
        capsys.readouterr()
        assert lockstream.main([*words, "-U", *LINUX, *WINDOWS]) == 0
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("one", "other", "places"),
    [
        pytest.param(wheel("a", {"x.py": "1"}), wheel("b", {"x.py": "2"}), "x.py", id="a module"),
        pytest.param(wheel("a", {"x.py": "1"}), wheel("b", {"x.py": "1"}), None, id="equal files"),
        pytest.param(wheel("a", {"n/x.py": "1"}), wheel("b", {"n/y.py": "2"}), None,
                     id="a namespace"),
        pytest.param(wheel("a", {"x.py": "1"}), wheel("b", {}, {"platlib/x.py": "2"}), "x.py",
                     id="platlib and purelib"),
        pytest.param(wheel("a", {"scripts/x": "1"}), wheel("b", {}, {"scripts/x": "2"}), None,
                     id="a folder called as a scheme"),
        pytest.param(wheel("a", {}, {"scripts/x": "1"}), wheel("b", {}, {"scripts/x": "2"}),
                     "scripts/x", id="scripts"),
        pytest.param(wheel("a", {f"n/{one}.py": "1" for one in range(5)}),
                     wheel("b", {f"n/{one}.py": "2" for one in range(5)}),
                     "n/0.py, n/1.py, n/2.py and 2 more", id="many"),
    ],
)  # fmt: skip
def test_different_files_of_one_place_are_told(
    index: Index,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    one: Wheel,
    other: Wheel,
    places: str | None,
) -> None:
    told = warnings(index, tmp_path, capsys, one, other)
    if places is None:
        assert told == []
        return
    assert told == [
        (
            f"warning: {one.filename} and {other.filename} have different files of the same name, "
            f"one of which would be lost: {places}"
        )
    ]


def test_wheels_of_different_targets_do_not_meet(
    index: Index, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels = [
        wheel("a", {"x.py": platform}, tag=f"cp311-cp311-{platform}")
        for platform in ("manylinux_2_28_x86_64", "win_amd64")
    ]
    assert warnings(index, tmp_path, capsys, *wheels) == []
