"""The digest of a whole file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from executor.files.file_digest import FileDigest, digest_file


@pytest.mark.parametrize("content", [b"", b"text", bytes(range(256)) * 4096], ids=len)
@pytest.mark.parametrize("algorithm", ["sha256", "blake2b"])
def test_a_file_of_any_size_has_the_digest_of_its_content(
    content: bytes, algorithm: str, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    expected = hashlib.new(algorithm, content)
    found = digest_file(str(path), algorithm)
    assert found == FileDigest(expected.digest(), len(content))
    assert found.hex() == expected.hexdigest()


def test_an_unknown_algorithm_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="md55"):
        digest_file(str(tmp_path), "md55")


def test_an_absent_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest_file(str(tmp_path / "absent"))
