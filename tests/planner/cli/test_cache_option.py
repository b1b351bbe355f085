"""The folder of the cache is the named one, or the default."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.cli.cache_option import named_cache
from schemas.errors import UsageError


def test_a_named_folder_need_not_be_there(tmp_path: Path) -> None:
    assert named_cache(str(tmp_path / "new")) == str(tmp_path / "new")


def test_without_a_name_it_is_that_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path))
    assert named_cache(None) == str(tmp_path)


@pytest.mark.parametrize("kind", ["file", "link"])
def test_what_is_no_folder_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    if kind == "file":
        path.write_text("")
    else:
        path.symlink_to("gone")
    with pytest.raises(UsageError, match="is not a folder"):
        named_cache(str(path))
