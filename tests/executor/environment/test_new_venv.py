"""Why a virtual environment cannot be made is told as what it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from executor.environment.errors import InterpreterUnusable
from executor.environment.new_venv import make_venv


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_what_the_system_refuses_to_venv_is_an_error_of_the_system(
    tmp_path: Path, number: int
) -> None:
    # As venv ends: "Error: [Errno 28] No space left on device: '/place/bin/python'".
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho 'Error: [Errno {number}] no: /place' >&2\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        make_venv(str(program), "/place")
    assert (caught.value.errno, caught.value.filename) == (number, "/place")


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOSYS])
def test_a_file_system_without_links_is_told(tmp_path: Path, number: int) -> None:
    """FAT and exFAT: it is nothing that their owner may do."""
    program = tmp_path / "python"
    text = f"Error: [Errno {number}] no: 'lib' -> '/mnt/env/lib64'"
    program.write_text(f'#!/bin/sh\necho "{text}" >&2\nexit 1\n')
    program.chmod(0o755)
    with pytest.raises(InterpreterUnusable, match="has no links") as caught:
        make_venv(str(program), "/mnt/env")
    assert "--target" in caught.value.hint
