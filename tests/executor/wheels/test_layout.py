"""Each member of a wheel belongs into one folder, or into none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.wheels.layout import (
    Layout,
    MisplacedMember,
    beside_packages,
    check_data_path,
    check_root_name,
    check_startup,
    installed_path,
    is_data_folder,
    is_startup_file,
)
from executor.wheels.scripts import InvalidEntryPoint
from helpers.environments import schemes_below
from schemas.wheel import Scheme

LAYOUT = Layout.of("Demo_Pkg-1.0-py3-none-any.whl")
SCHEMES = schemes_below(Path("/env"))


def test_the_file_name_tells_whose_folders_a_wheel_may_hold() -> None:
    assert (LAYOUT.distribution, LAYOUT.version) == ("Demo_Pkg", "1.0")


@pytest.mark.parametrize(
    "name",
    [
        "demo_pkg/__init__.py",
        "demo_pkg-1.0.dist-info/METADATA",
        "Demo_Pkg-1.0.dist-info/licenses/LICENSE",
        "demo.pkg-1.0.0.dist-info/RECORD",
        "Demo_Pkg-1.0.data/scripts/run",
        "Demo_Pkg-1.0.data/scripts/",
        "Demo_Pkg-1.0.data/",
        "Demo_Pkg-1.0.data/data/share/doc/x",
        "Demo_Pkg-1.0.data/purelib/demo_pkg/x.py",
        "model.data/weights",
        "my-model.data",
        "lockstream/__init__.py",
        "a/.lockstreams/b",
    ],
)
def test_members_of_its_own_are_let_in(name: str) -> None:
    LAYOUT.check_member(name)


OTHERS = "belongs to another distribution"
KEYS = "a data folder holds purelib, platlib, headers, scripts, data, not"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other-1.0.dist-info/METADATA", f"the folder 'other-1.0.dist-info' {OTHERS}"),
        ("demo_pkg-2.0.dist-info/METADATA", f"the folder 'demo_pkg-2.0.dist-info' {OTHERS}"),
        ("demo_pkg.dist-info/METADATA", f"the folder 'demo_pkg.dist-info' {OTHERS}"),
        ("other-1.0.DIST-INFO/METADATA", f"the folder 'other-1.0.DIST-INFO' {OTHERS}"),
        ("demo_pkg-1.0.Dist-Info/METADATA", f"the folder 'demo_pkg-1.0.Dist-Info' {OTHERS}"),
        ("other-1.0.data/scripts/run", f"the folder 'other-1.0.data' {OTHERS}"),
        ("other-1.0.dist-info", "it is a file where a wheel has a folder"),
        ("demo_pkg-1.0.dist-info", "it is a file where a wheel has a folder"),
        ("demo_pkg-1.0.data", "it is a file where a wheel has a folder"),
        ("demo_pkg-1.0.data/lib/x", f"{KEYS} 'lib'"),
        ("demo_pkg-1.0.data/Scripts/x", f"{KEYS} 'Scripts'"),
        ("demo_pkg-1.0.data/scripts", f"{KEYS} 'scripts'"),
        ("demo_pkg-1.0.data/x.py", f"{KEYS} 'x.py'"),
        ("demo_pkg-1.0.data/scripts/a/b", "the scripts of a wheel are files, not folders"),
        (
            "demo_pkg-1.0.data/purelib/other-1.0.dist-info/METADATA",
            "a wheel has its dist-info folder at its root only",
        ),
        (
            "demo_pkg-1.0.data/platlib/demo_pkg-1.0.dist-info/METADATA",
            "a wheel has its dist-info folder at its root only",
        ),
        (".lockstream/journal", "names that begin with '.lockstream' are lockstream's own"),
        (
            "demo_pkg-1.0.data/purelib/.lockstream/journal",
            "names that begin with '.lockstream' are lockstream's own",
        ),
        (
            "demo_pkg-1.0.data/data/lib/.LockStream/0/tree/x.py",
            "names that begin with '.lockstream' are lockstream's own",
        ),
        (".lockstream", "names that begin with '.lockstream' are lockstream's own"),
        (
            "demo_pkg-1.0.data/data/.lockstream-x",
            "names that begin with '.lockstream' are lockstream's own",
        ),
        (".lockstream-x/y", "names that begin with '.lockstream' are lockstream's own"),
        # On macOS these are the same name.
        *(
            (name, "names that begin with '.lockstream' are lockstream's own")
            for name in (
                ".lock\N{LATIN SMALL LETTER LONG S}tream/x",
                "a/.loc\N{KELVIN SIGN}\N{LATIN SMALL LIGATURE ST}ream/x",
            )
        ),
    ],
)
def test_members_of_others_are_refused(name: str, message: str) -> None:
    with pytest.raises(MisplacedMember) as caught:
        LAYOUT.check_member(name)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo/x.py", ("platlib", "demo/x.py")),
        ("demo-1.0.dist-info/WHEEL", ("platlib", "demo-1.0.dist-info/WHEEL")),
        ("demo-1.0.data/purelib/x.py", ("purelib", "x.py")),
        ("demo-1.0.data/scripts/run", ("scripts", "run")),
        ("demo-1.0.data/headers/a/x.h", ("headers", "a/x.h")),
        ("demo-1.0.data/data/share/x", ("data", "share/x")),
        ("model.data/purelib/x", ("platlib", "model.data/purelib/x")),
    ],
)
def test_the_data_folder_is_spread_over_the_schemes(
    name: str, expected: tuple[Scheme, str]
) -> None:
    assert installed_path(name, "platlib") == expected


@pytest.mark.parametrize(
    "name",
    ["sitecustomize.py", "SiteCustomize/__init__.py", "d-1.data/purelib/usercustomize.so"],
)
def test_what_runs_whenever_python_starts_is_refused(name: str) -> None:
    with pytest.raises(MisplacedMember, match="--allow-startup"):
        check_startup(name)


@pytest.mark.parametrize(
    "name", ["demo/sitecustomize.py", "sitecustomized.py", "d-1.data/scripts/sitecustomize"]
)
def test_what_only_looks_so_is_let_in(name: str) -> None:
    check_startup(name)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("pyvenv.cfg", "would make the folder a virtual environment"),
        ("lib/site-packages/x-1.dist-info/RECORD", "dist-info folder at its root only"),
        ("lib/site-packages/x.egg-info", "dist-info folder at its root only"),
        ("lib/site-packages/sitecustomize.py", "--allow-startup"),
        ("lib/python3.12/sitecustomize.py", "would run whenever Python starts"),
        ("lib64/python3.13t/usercustomize/__init__.py", "would run whenever Python starts"),
        ("lib/python312.zip", "a part of Python's standard library"),
        ("lib/python3.12/encodings.py", "a part of Python's standard library"),
        ("lib64/pypy3.10/os.py", "a part of Python's standard library"),
        ("lib/python3.14/site-packages/x-1.dist-info/RECORD", "dist-info folder at its root only"),
        ("local/lib/python3.12/dist-packages/sitecustomize.py", "--allow-startup"),
        ("bin", "a file where an environment has a folder"),
        ("lib/site-packages", "a file where an environment has a folder"),
        ("LIB", "a file where an environment has a folder"),
        ("bin/lib/python3.12/os.py", "a part of Python's standard library"),
        ("bin/lib/python3.12/lib-dynload/x.so", "a part of Python's standard library"),
        ("bin/lib/pypy3.10/os.py", "a part of Python's standard library"),
        ("bin/Modules/Setup.local", "would take its standard library from there"),
        ("BIN/modules/setup.LOCAL", "would take its standard library from there"),
        ("python311._pth", "would take its import path from it"),
        ("pip.conf", "would change the settings of pip"),
    ],
)
def test_the_data_scheme_does_not_reach_the_parts_of_the_environment(
    path: str, message: str
) -> None:
    with pytest.raises(MisplacedMember, match=message):
        check_data_path(path, SCHEMES)


def test_a_wheel_may_bring_the_egg_info_of_its_own() -> None:
    LAYOUT.check_member("Demo.Pkg-1.0-py3.12.egg-info/PKG-INFO")


@pytest.mark.parametrize(
    "name", ["other.egg-link", "Other-1.0.EGG/x.py", "other.egg-info/PKG-INFO"]
)
@pytest.mark.parametrize("root", ["", "demo_pkg-1.0.data/purelib/"])
def test_a_wheel_brings_no_egg_of_another(root: str, name: str) -> None:
    with pytest.raises(MisplacedMember, match="would describe another distribution"):
        LAYOUT.check_member(root + name)


@pytest.mark.parametrize(
    "name", ["python._pth", "python312._pth", "PYTHON3._PTH", "pyvenv.cfg", "pybuilddir.txt"]
)
def test_what_an_interpreter_obeys_beside_it_is_refused(name: str) -> None:
    with pytest.raises(InvalidEntryPoint, match="is that of a part of the environment"):
        check_data_path(f"bin/{name}", SCHEMES)


@pytest.mark.parametrize(
    ("below", "is_obeyed"),
    [("x.pth", True), ("X.PTH", True), ("x.start", True), ("x/y.pth", False), ("pth", False)],
)
def test_files_that_python_obeys_at_every_start_are_known(below: str, is_obeyed: bool) -> None:
    assert is_startup_file(below) is is_obeyed


def test_a_file_of_the_data_scheme_in_site_packages_is_known_as_one() -> None:
    assert check_data_path("lib/site-packages/x.pth", SCHEMES) == "x.pth"
    assert check_data_path("share/x.pth", SCHEMES) is None


def test_so_is_one_in_the_packages_of_another_python_below_the_prefix() -> None:
    assert check_data_path("lib/python3.14/site-packages/x.pth", SCHEMES) == "x.pth"
    assert check_data_path("local/lib/python3/dist-packages/x.start", SCHEMES) == "x.start"


def test_packages_that_lie_directly_in_a_folder_are_beside_its_commands() -> None:
    """--target: a wheel may have a package called ``bin``, and no part of an interpreter in it."""
    target = replace(SCHEMES, purelib="/env", platlib="/env")
    assert beside_packages(SCHEMES) == frozenset()
    assert beside_packages(target) == {"bin", "include"}
    assert check_data_path("bin/__init__.py", target) == "bin/__init__.py"
    assert check_data_path("x.pth", target) == "x.pth"
    with pytest.raises(MisplacedMember, match="a file where an environment has a folder"):
        check_data_path("bin", target)
    with pytest.raises(InvalidEntryPoint, match="is that of a part of the environment"):
        check_data_path("bin/python._pth", target)
    with pytest.raises(MisplacedMember, match="dist-info folder at its root only"):
        check_data_path("x-1.dist-info/RECORD", target)


@pytest.mark.parametrize("name", ["python._pth", "PYTHON311._PTH", "pyvenv.cfg"])
def test_what_an_interpreter_obeys_is_refused_in_every_scheme(name: str) -> None:
    with pytest.raises(MisplacedMember):
        check_root_name(name)
    check_root_name(f"demo/{name}")


def test_the_data_scheme_does_not_replace_the_interpreter() -> None:
    with pytest.raises(InvalidEntryPoint, match="'python3' is that of a part"):
        check_data_path("bin/python3", SCHEMES)
    check_data_path("bin/demo", SCHEMES)
    check_data_path("share/doc/demo/pyvenv.cfg", SCHEMES)


def test_a_platlib_of_its_own_is_guarded_too() -> None:
    schemes = replace(SCHEMES, platlib="/env/lib64/site-packages")
    with pytest.raises(MisplacedMember):
        check_data_path("lib64/site-packages/usercustomize.py", schemes)


@pytest.mark.parametrize(
    ("folder", "is_one"),
    [("d-1.data/data", True), ("d-1.data/data/share", False), ("x/d-1.data", False), ("x", False)],
)
def test_a_folder_of_a_scheme_is_directly_below_the_data_folder(folder: str, is_one: bool) -> None:
    assert is_data_folder(folder) == is_one
