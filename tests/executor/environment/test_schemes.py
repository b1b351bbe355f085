"""Each scheme has a folder, and RECORD reaches it from the root."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from executor.environment.errors import FolderLeaves
from executor.environment.schemes import record_prefixes
from helpers.environments import schemes_below
from schemas.errors import ExitCode

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


@pytest.mark.parametrize("link", ["bin", "lib", "lib/site-packages", "include"])
def test_a_folder_of_an_environment_that_leads_out_of_it_is_refused(
    tmp_path: Path, link: str
) -> None:
    (tmp_path / "home/site-packages").mkdir(parents=True)
    schemes = schemes_below(tmp_path / "env")
    (tmp_path / "env" / link).parent.mkdir(parents=True)
    (tmp_path / "env" / link).symlink_to(tmp_path / "home")
    with pytest.raises(FolderLeaves) as caught:
        schemes.check()
    assert f"leads to {tmp_path}/home" in str(caught.value)
    assert caught.value.exit_code is ExitCode.ARTIFACT_REFUSED


def test_links_inside_an_environment_and_to_all_of_it_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real/lib").mkdir(parents=True)
    (tmp_path / "real/lib64").symlink_to("lib")
    (tmp_path / "env").symlink_to("real")
    schemes = replace(
        schemes_below(tmp_path / "env"), platlib=str(tmp_path / "env/lib64/site-packages")
    )
    schemes.check()
    replace(schemes, purelib="/elsewhere/packages").check()
