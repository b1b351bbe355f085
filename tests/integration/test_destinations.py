"""Wheels whose paths get in each other's way: the end is known, and no environment is wedged.

``python -m stress.destinations`` does more of it, as two users and under strace.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from stress.destinations import attempt, changed_paths, make_trial


@pytest.mark.parametrize("seed", range(8))
def test_hostile_paths_neither_leave_nor_wedge_an_environment(tmp_path: Path, seed: int) -> None:
    source = random.Random(f"suite {seed}")
    ended = set()
    for number in range(8):
        trial = make_trial(tmp_path / str(number), source)
        outcome = attempt(trial)
        assert not outcome.wrong, str(trial)
        ended.add(outcome.ended)
    assert ended <= {"installed", "refused"}


def test_what_strace_saw_is_read_with_links_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")
    opened = f"3<{tmp_path}/outside/a>"
    lines = [
        f'7 openat(AT_FDCWD<{tmp_path}>, "link/a", O_WRONLY|O_CREAT, 0666) = {opened}',
        f'7 openat(AT_FDCWD<{tmp_path}>, "read", O_RDONLY) = 3<{tmp_path}/read>',
        f'7 renameat(4<{tmp_path}/link>, "x", AT_FDCWD<{tmp_path}>, "y") = 0',
        f'unlink("{tmp_path}/link/b\\303\\251") = 0',
        f'mkdir("{tmp_path}/made", 0777) = -1 EEXIST (File exists)',
        f'symlinkat("/somewhere", AT_FDCWD<{tmp_path}>, "new") = 0',
        "--- SIGCHLD {si_signo=SIGCHLD} ---",
    ]
    assert list(changed_paths(lines)) == [
        f"{tmp_path}/outside/a",
        f"{tmp_path}/outside/x",
        f"{tmp_path}/y",
        f"{tmp_path}/outside/bé",
        f"{tmp_path}/new",
    ]
