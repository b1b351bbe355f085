"""Each scheme has a folder, and RECORD reaches it from the root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from executor.environment.schemes import record_prefixes
from helpers.environments import schemes_below

SCHEMES = schemes_below(Path("/env"))


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
