"""A lock is written whole or not at all, and never with a secret."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.pylock import (
    Package,
    PackageArchive,
    PackageDirectory,
    Pylock,
    PylockValidationError,
)
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.lock.errors import SecretInLock
from planner.lock.writer import render_lock, write_atomically


def lock(*packages: Package) -> Pylock:
    return Pylock(lock_version=Version("1.0"), created_by="lockstream", packages=list(packages))


def package(name: str, note: str = "") -> Package:
    tool = {"note": f"{note} {'-' * 100}"}
    archive = PackageArchive(
        url=f"https://files.example/{name}-1.0.zip", hashes={"sha256": "0" * 64}
    )
    return Package(name=canonicalize_name(name), version=Version("1.0"), archive=archive, tool=tool)


def test_a_lock_that_breaks_the_standard_is_not_rendered() -> None:
    wrong = Package(name=canonicalize_name("a"), version=Version("1.0"))
    with pytest.raises(PylockValidationError):
        render_lock(lock(wrong))


def test_the_header_comes_first_and_then_each_package() -> None:
    text = render_lock(lock(package("a"), package("b")))
    assert text.startswith('lock-version = "1.0"\n')
    assert text.count("\n[[packages]]\n") == 2
    assert [one["name"] for one in tomllib.loads(text)["packages"]] == ["a", "b"]


def test_a_short_package_is_a_block_like_any_other() -> None:
    """tomli_w writes a short table on one line."""
    directory = PackageDirectory(path="a", editable=True)
    short = Package(name=canonicalize_name("a"), directory=directory)
    assert render_lock(lock(short, package("b"), short)).count("\n[[packages]]\n") == 3
    assert render_lock(lock(short)).endswith(
        '\n[[packages]]\nname = "a"\n\n[packages.directory]\npath = "a"\neditable = true\n'
    )


def test_a_lock_without_packages_says_so() -> None:
    assert tomllib.loads(render_lock(lock()))["packages"] == []


@pytest.mark.parametrize("size", [7, 8])
def test_only_a_long_secret_is_refused(size: int) -> None:
    secret = "x" * size
    content = lock(package("a", note=f"a {secret} b"))
    if size < 8:
        assert secret in render_lock(content, {secret})
        return
    with pytest.raises(SecretInLock) as raised:
        render_lock(content, {secret})
    assert secret not in str(raised.value)
    assert render_lock(content, {"another-secret"})


def test_a_lock_replaces_the_old_one_at_once(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text("old")
    write_atomically(str(path), "new\n")
    assert path.read_bytes() == b"new\n"
    assert os.listdir(tmp_path) == ["pylock.toml"]


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_lock_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(str(path), "new\n")
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_failed_write_leaves_the_old_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pylock.toml"
    path.write_text("old")

    def fail(_descriptor: int) -> None:
        assert path.read_text() == "old"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["pylock.toml"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_waits_until_the_lock_is_written(tmp_path: Path, number: int) -> None:
    """SIGTERM and SIGHUP end a plan at once: it would leave the half of a file."""
    program = (
        "import os, signal, sys\nfrom planner.lock.writer import write_atomically\n"
        # What nohup starts ignores SIGHUP.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL)\nsync = os.fsync\n"
        "def signalled(descriptor):\n"
        "    os.kill(os.getpid(), int(sys.argv[2]))\n"
        "    sync(descriptor)\n"
        "os.fsync = signalled\nwrite_atomically(sys.argv[1], 'new')\n"
    )
    path = tmp_path / "pylock.toml"
    path.write_text("old")
    command = [sys.executable, "-c", program, str(path), str(int(number))]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == -number
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["pylock.toml"]


def test_a_lock_behind_a_link_is_replaced_where_it_is(tmp_path: Path) -> None:
    real = tmp_path / "real.toml"
    real.write_text("old")
    (tmp_path / "pylock.toml").symlink_to(real)
    write_atomically(str(tmp_path / "pylock.toml"), "new")
    assert (tmp_path / "pylock.toml").is_symlink()
    assert real.read_text() == "new"


def test_a_link_to_nothing_makes_no_file_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "pylock.toml").symlink_to("../elsewhere")
    with pytest.raises(FileNotFoundError, match="it is a link to nothing"):
        write_atomically(str(tmp_path / "pylock.toml"), "x")
    assert sorted(tmp_path.iterdir()) == [tmp_path / "pylock.toml"]
    assert not (tmp_path.parent / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")
def test_a_link_that_another_user_has_planted_in_a_folder_for_all_is_refused(
    tmp_path: Path,
) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder").chmod(0o1777)
    link = tmp_path / "folder" / "pylock.toml"
    link.symlink_to("../victim")
    os.chown(link, 65534, 65534, follow_symlinks=False)
    with pytest.raises(PermissionError):
        write_atomically(str(link), "x")
    assert (tmp_path / "victim").read_text() == "precious"
    assert os.listdir(tmp_path / "folder") == ["pylock.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_gets_the_text_and_stays(tmp_path: Path) -> None:
    device = tmp_path / "null"
    os.mknod(device, 0o666 | stat.S_IFCHR, os.stat("/dev/null").st_rdev)
    write_atomically(str(device), "text")
    assert stat.S_ISCHR(device.stat().st_mode)
    assert os.listdir(tmp_path) == ["null"]


def test_a_pipe_gets_the_text_and_one_without_a_reader_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    with pytest.raises(OSError, match="No such device"):
        write_atomically(str(pipe), "text")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(str(pipe), "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
