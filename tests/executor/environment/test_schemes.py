"""Schemes: each member of a wheel belongs into one folder, or into none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.environment.schemes import record_prefixes
from executor.wheels.layout import Layout, MisplacedMember, installed_path
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
        (".lockstream/journal", "a folder named '.lockstream' is where installations are staged"),
        (
            "demo_pkg-1.0.data/purelib/.lockstream/journal",
            "a folder named '.lockstream' is where installations are staged",
        ),
        (
            "demo_pkg-1.0.data/data/lib/.LockStream/0/tree/x.py",
            "a folder named '.lockstream' is where installations are staged",
        ),
        (".lockstream", "a folder named '.lockstream' is where installations are staged"),
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


def test_each_distribution_has_its_own_folder_of_headers() -> None:
    assert SCHEMES.folder("headers", "demo") == "/env/include/demo"
    assert SCHEMES.folder("scripts", "demo") == "/env/bin"


def test_record_reaches_each_scheme_from_the_root() -> None:
    schemes = replace(SCHEMES, platlib="/env/lib64/site-packages")
    assert record_prefixes(schemes, "purelib", "demo") == {
        "purelib": "",
        "platlib": "../../lib64/site-packages/",
        "headers": "../../include/demo/",
        "scripts": "../../bin/",
        "data": "../../",
    }
    assert record_prefixes(schemes, "platlib", "demo")["purelib"] == "../../lib/site-packages/"
