"""Source archives are unpacked below one folder, or refused."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from executor.budget.memory import own_memory
from executor.builds import source_archive, source_files
from executor.builds.errors import SourceNeedsMemory, SourceRefused
from executor.builds.source_archive import unpack_source
from helpers.sdists import archive_of, build_sdist
from schemas.errors import ExitCode


def unpacked(content: bytes, folder: Path, name: str = "demo-1.0.tar.gz") -> Path:
    archive = folder / name
    archive.write_bytes(content)
    into = folder / "into"
    into.mkdir()
    return Path(unpack_source(str(archive), str(into)))


def zip_of(*members: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, data in members:
            archive.writestr(info, data)
    return buffer.getvalue()


def test_a_source_distribution_is_its_one_folder(tmp_path: Path) -> None:
    tree = unpacked(build_sdist().content, tmp_path)
    assert tree.name == "demo-1.0"
    assert (tree / "pyproject.toml").is_file()


def test_a_zip_is_one_too_and_keeps_what_is_executable(tmp_path: Path) -> None:
    script = zipfile.ZipInfo("demo-1.0/configure")
    script.external_attr = 0o100755 << 16
    tree = unpacked(zip_of((script, b"#!/bin/sh\n")), tmp_path, "demo-1.0.zip")
    assert (tree / "configure").stat().st_mode & stat.S_IXUSR


def test_a_name_that_begins_at_the_root_begins_below_the_folder(tmp_path: Path) -> None:
    info = tarfile.TarInfo(f"{tmp_path}/evil")
    info.size = 1
    unpacked(archive_of({"a": b"", "b": b""}, [(info, b"x")]), tmp_path)
    assert not (tmp_path / "evil").exists()


def test_an_xz_archive_that_takes_more_memory_than_is_left_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 64 << 20}]
    plain = gzip.decompress(build_sdist().content)
    content = lzma.compress(plain, filters=filters)
    own = own_memory()
    monkeypatch.setattr(source_archive, "own_memory", lambda: own)
    monkeypatch.setattr(source_archive, "available_memory", lambda: own + (64 << 20))
    with pytest.raises(SourceNeedsMemory) as caught:
        unpacked(content, tmp_path, "demo-1.0.tar.xz")
    assert str(caught.value) == (
        "demo-1.0.tar.xz: unpacking it takes more than the 60 MiB of memory that are left, because "
        "xz has packed it with a larger dictionary"
    )
    assert caught.value.exit_code is ExitCode.NOT_ENOUGH
    monkeypatch.setattr(source_archive, "available_memory", lambda: own + (70 << 20))
    (tmp_path / "into").rmdir()
    assert (unpacked(content, tmp_path, "demo-1.0.tar.xz") / "pyproject.toml").is_file()


def test_a_damaged_xz_archive_is_called_damaged(tmp_path: Path) -> None:
    content = lzma.compress(gzip.decompress(build_sdist().content))
    with pytest.raises(SourceRefused, match="cannot be unpacked: "):
        unpacked(content[:100] + b"damage" + content[106:], tmp_path, "demo-1.0.tar.xz")


@pytest.mark.parametrize("name", ["../evil", "demo/../../evil"])
def test_nothing_lands_outside(tmp_path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    info.size = 1
    with pytest.raises(SourceRefused):
        unpacked(archive_of({}, [(info, b"x")]), tmp_path)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "demo/../../evil", "..\\evil"])
def test_nothing_of_a_zip_lands_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceRefused, match="is outside"):
        unpacked(zip_of((zipfile.ZipInfo(name), b"x")), tmp_path, "demo-1.0.zip")
    assert not (tmp_path / "evil").exists()


def test_no_link_leads_outside(tmp_path: Path) -> None:
    link = tarfile.TarInfo("demo-1.0/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    with pytest.raises(SourceRefused):
        unpacked(archive_of({}, [(link, b"")]), tmp_path)


def test_no_link_of_a_zip_is_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("demo-1.0/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(SourceRefused, match="is a link"):
        unpacked(zip_of((link, b"/etc")), tmp_path, "demo-1.0.zip")


def test_devices_are_refused(tmp_path: Path) -> None:
    device = tarfile.TarInfo("demo-1.0/null")
    device.type = tarfile.CHRTYPE
    with pytest.raises(SourceRefused):
        unpacked(archive_of({}, [(device, b"")]), tmp_path)


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MAX_SIZE", 1000)
    with pytest.raises(SourceRefused, match="more than 1000 bytes"):
        unpacked(archive_of({"demo-1.0/zeros": bytes(2000)}), tmp_path)


@pytest.mark.parametrize("name", ["demo-1.0.tar.gz", "demo-1.0.zip"])
def test_what_is_no_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceRefused, match="cannot be unpacked"):
        unpacked(b"no archive", tmp_path, name)


def test_headers_without_end_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_archive, "MIN_LIMIT", 1 << 20)
    header = tarfile.TarInfo.create_pax_global_header({"comment": "x" * 60_000})
    content = bz2.compress(header * 600)
    with pytest.raises(SourceRefused, match=f"of {len(content)} bytes, it unpacks to more than"):
        unpacked(content, tmp_path)
