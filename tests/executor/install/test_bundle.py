"""One archive holds a lock and its files, and an execution without a network installs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import lockstream
from executor.sources.local_file import read_file
from helpers.descriptors import limited_file_size
from helpers.locks import serve_lock
from helpers.servers import Server, file
from helpers.trees import snapshot
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

WHEELS = [
    build_wheel("base", files={"base.py": b"x" * 300_000}),
    build_wheel("app", files={"app.py": "y = 2\n"}),
]


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(autouse=True)
def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    monkeypatch.chdir(tmp_path)
    serve_lock(server, WHEELS)


def bundle(*words: str, status: int = ExitCode.DONE) -> None:
    assert lockstream.main(["bundle", *words]) == status


def execute(*words: str, status: int = ExitCode.DONE) -> None:
    assert lockstream.main(["execute", "-q", "--offline", *words]) == status


def members(path: str = "wheels.tar") -> list[str]:
    with tarfile.open(path) as archive:
        return archive.getnames()


def test_what_was_bundled_is_installed_without_a_network(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle()
    captured = capsys.readouterr()
    assert captured.out == "wheels.tar: 2 files for 1 target (0.0 MiB)\n"
    # The lock, and then what is installed first.
    order = ["pylock.toml", *(wheel.filename for wheel in WHEELS)]
    order[1:] = sorted(order[1:], key=lambda name: -os.path.getsize(unpacked(name)))
    assert members() == order
    assert captured.err.splitlines() == [
        f"[{number}/2] {name}" for number, name in enumerate(order[1:], 1)
    ]
    asked = len(server.requests)
    execute("--target", "t", "--bundle", "wheels.tar")
    assert len(server.requests) == asked
    lockstream.main(["execute", "-q", "--target", "direct"])
    assert snapshot(Path("t")) == snapshot(Path("direct"))


def unpacked(name: str) -> str:
    subprocess.run(["tar", "-xf", "wheels.tar"], check=True)
    return name


def test_the_same_lock_gives_the_same_bytes_in_a_file_and_in_a_pipe() -> None:
    bundle("-q")
    bundle("-q", "-o", "second.tar")
    command = [sys.executable, "-m", "lockstream", "bundle", "-q", "-o", "-"]
    piped = subprocess.run(command, check=True, capture_output=True)
    assert Path("wheels.tar").read_bytes() == Path("second.tar").read_bytes() == piped.stdout


def piped(*words: str, archive: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "lockstream", *words, "--offline", "--bundle", "-"]
    return subprocess.run(command, input=archive, capture_output=True, check=False)


def test_what_comes_through_a_pipe_is_installed_as_from_a_file() -> None:
    bundle("-q")
    archive = Path("wheels.tar").read_bytes()
    execute("--target", "a", "--bundle", "wheels.tar")
    done = piped("execute", "--target", "b", "--lanes", "4", "--json", archive=archive)
    assert done.returncode == ExitCode.DONE
    assert json.loads(done.stdout)["lanes"] == 1
    assert snapshot(Path("a")) == snapshot(Path("b"))
    with open("wheels.tar", "rb") as file:  # as a shell opens it for "<"
        command = [sys.executable, "-m", "lockstream", "execute", "-q", "--target", "c"]
        subprocess.run([*command, "--offline", "--bundle", "-"], stdin=file, check=True)
    assert snapshot(Path("a")) == snapshot(Path("c"))


def test_a_pipe_is_read_to_its_end() -> None:
    """Else the program that writes to it would be ended, and the job with it."""
    bundle("-q")
    more = 1 << 20
    archive = Path("wheels.tar").read_bytes() + bytes(more)
    assert len(archive) > more
    for _ in ("installed", "unchanged"):
        reading, writing = os.pipe()
        command = [sys.executable, "-m", "lockstream", "execute", "-q", "--target", "t"]
        with subprocess.Popen([*command, "--offline", "--bundle", "-"], stdin=reading) as process:
            os.close(reading)
            with open(writing, "wb") as file:  # a descriptor
                file.write(archive)
        assert process.returncode == ExitCode.DONE


def test_a_pipe_of_a_lock_without_hints_is_installed_and_fetched() -> None:
    bundle("-q")
    archive = Path("wheels.tar").read_bytes()
    lock = Path("pylock.toml")
    assert "unpacked-size" not in lock.read_text()
    assert piped("execute", "-q", "--target", "t", archive=archive).returncode == ExitCode.DONE
    assert piped("fetch", "-q", "--into", "wheels", archive=archive).returncode == ExitCode.DONE
    assert sorted(os.listdir("wheels")) == sorted(wheel.filename for wheel in WHEELS)
    again = piped("bundle", "-q", "-o", "-", archive=archive)
    assert again.stdout == archive


def test_a_pipe_that_breaks_off_leaves_the_environment_as_it_was() -> None:
    bundle("-q")
    archive = Path("wheels.tar").read_bytes()
    at = archive.index(WHEELS[1].content)
    cut = piped("execute", "--target", "t", archive=archive[: at + 10])
    assert cut.returncode == ExitCode.INVALID_INPUT
    assert b"error: standard input: is cut short\n" in cut.stderr
    assert not Path("t", "base.py").exists()
    other = piped("execute", "--target", "t", archive=tar_of(*[one.filename for one in WHEELS][:1]))
    assert other.returncode == ExitCode.NETWORK
    problem = f"error: standard input/{WHEELS[1].filename}: the archive has no such file\n"
    assert problem.encode() in other.stderr


def test_one_folder_of_the_machine_comes_before_it(capsys: pytest.CaptureFixture[str]) -> None:
    bundle("--json")
    told = json.loads(capsys.readouterr().out)
    assert {one["name"]: one["size"] for one in told["files"]} == {
        wheel.filename: wheel.size for wheel in WHEELS
    }
    Path("links").mkdir()
    WHEELS[0].write(Path("links"))
    Path("app.tar").write_bytes(tar_of(WHEELS[1].filename))
    execute("--target", "t", "--find-links", "links", "--bundle", "app.tar")


def tar_of(*names: str) -> bytes:
    unpacked("")
    return subprocess.run(["tar", "-cf", "-", *names], check=True, capture_output=True).stdout


def test_a_file_that_it_lacks_is_named_and_a_damaged_one_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle("-q")
    whole = Path("wheels.tar").read_bytes()
    Path("wheels.tar").write_bytes(tar_of(WHEELS[0].filename))
    execute("--target", "t", "--bundle", "wheels.tar", status=ExitCode.NETWORK)
    assert f"1 file is not on this machine: {WHEELS[1].filename}" in capsys.readouterr().err
    at = whole.index(WHEELS[1].content) + 40
    Path("wheels.tar").write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    execute("--target", "t", "--bundle", "wheels.tar", status=ExitCode.ARTIFACT_REFUSED)
    assert f"/wheels.tar/{WHEELS[1].filename}" in capsys.readouterr().err
    assert not Path("t", "app").exists()


def test_what_is_no_bundle_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    Path("wheels.tar").write_text("text" * 200)
    execute("--target", "t", "--bundle", "wheels.tar", status=ExitCode.INVALID_INPUT)
    assert "error: wheels.tar: is no tar archive: " in capsys.readouterr().err
    bundle("-q")
    execute("--target", "t", "--bundle", "wheels.tar")


def test_nothing_half_written_stays_and_an_old_one_remains(server: Server) -> None:
    bundle("-q")
    before = Path("wheels.tar").read_bytes()
    server.script(f"/{WHEELS[1].filename}", file(WHEELS[1].content[:-1] + b"x"))
    bundle("-q", status=ExitCode.ARTIFACT_REFUSED)
    with limited_file_size(len(before) // 2):
        server.script(f"/{WHEELS[1].filename}", file(WHEELS[1].content))
        bundle("-q", status=ExitCode.NOT_ENOUGH)
    assert sorted(os.listdir()) == ["pylock.toml", "wheels.tar"]
    assert Path("wheels.tar").read_bytes() == before


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
def test_what_is_no_file_gets_the_archive_and_stays(kind: str) -> None:
    """As root, a file took the place of /dev/null for every program."""
    bundle("-q")
    if kind == "a device":
        output = Path(os.devnull)
        before = output.stat().st_ino
        bundle("-q", "-o", os.devnull)
        assert output.stat().st_ino == before
        return
    os.mkfifo("pipe")
    with subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE) as cat:
        bundle("-q", "-o", "pipe")
        assert cat.communicate()[0] == Path("wheels.tar").read_bytes()
    assert Path("pipe").is_fifo()
    bundle("-q", "-o", "pipe", status=ExitCode.USAGE)  # nothing reads it


def test_a_link_stays_one_and_what_is_replaced_keeps_its_permissions(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("there").mkdir()
    Path("there/old.tar").write_bytes(b"old")
    Path("there/old.tar").chmod(0o600)
    Path("link.tar").symlink_to("there/old.tar")
    bundle("-q", "-o", "link.tar")
    assert Path("link.tar").is_symlink()
    assert Path("there/old.tar").stat().st_mode & 0o777 == 0o600
    assert members("there/old.tar")[0] == "pylock.toml"
    Path("broken.tar").symlink_to("there/none.tar")
    bundle("-q", "-o", "broken.tar", status=ExitCode.USAGE)
    assert "broken.tar: cannot be written: it is a link to nothing" in capsys.readouterr().err
    assert os.listdir("there") == ["old.tar"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes links of others")
def test_the_link_of_another_user_in_a_folder_for_all_is_not_followed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("victim").write_text("precious")
    Path("folder").mkdir()
    Path("folder").chmod(0o1777)
    Path("folder/wheels.tar").symlink_to("../victim")
    os.chown("folder/wheels.tar", 65534, 65534, follow_symlinks=False)
    bundle("-q", "-o", "folder/wheels.tar", status=ExitCode.NOT_PERMITTED)
    assert "it is a link of another user" in capsys.readouterr().err
    assert Path("victim").read_text() == "precious"


def test_a_file_that_it_reads_is_not_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    WHEELS[0].write(Path())
    Path("pylock.toml").write_text(lock_of(WHEELS[:1]))
    for name in (WHEELS[0].filename, "pylock.toml"):
        before = Path(name).read_bytes()
        bundle("-q", "-o", name, status=ExitCode.USAGE)
        assert Path(name).read_bytes() == before
    assert "the lock names this file, which would be replaced" in capsys.readouterr().err


def test_an_archive_does_not_hide_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    """tar would extract the second one in its place."""
    Path("pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "demo"\n'
        '[packages.archive]\nurl = "https://host.example/pylock.toml"\n'
        f'hashes = {{sha256 = "{"0" * 64}"}}\n'
    )
    bundle("-q", status=ExitCode.REFUSED)
    captured = capsys.readouterr()
    assert "error: the lock has two different files with the name pylock.toml" in captured.err


def test_a_lock_that_changes_meanwhile_is_not_bundled_with_the_files_of_the_old_one(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(path: str) -> Iterator[bytes]:
        Path(path).write_text("# new\n")
        return read_file(path)

    monkeypatch.setattr("executor.install.bundle.read_file", changed)
    bundle("-q", status=ExitCode.INVALID_INPUT)
    assert "it was changed while it was read" in capsys.readouterr().err
    assert os.listdir() == ["pylock.toml"]
    assert not server.requests


def test_a_full_disk_and_a_reader_that_is_gone_are_told_apart() -> None:
    command = [sys.executable, "-m", "lockstream", "bundle", "-q", "-o", "-"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr.startswith("error: -o -: cannot be written: No space left on device\n")
    assert done.returncode == ExitCode.NOT_ENOUGH
    reading, writing = os.pipe()
    os.close(reading)
    gone = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (gone.returncode, gone.stderr) == (141, b"")


def test_standard_output_is_for_the_archive_alone(capsys: pytest.CaptureFixture[str]) -> None:
    bundle("-o", "-", "--json", status=ExitCode.USAGE)
    assert "error: --json and -o - both write to standard output" in capsys.readouterr().err
    bundle("-o", "no/such/folder.tar")
    assert members("no/such/folder.tar")[0] == "pylock.toml"
    bundle("-o", "no", status=ExitCode.USAGE)
    assert "error: --output no: cannot be written: Is a directory" in capsys.readouterr().err


def test_a_bundle_does_not_replace_its_lock(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = Path("pylock.toml").read_text()
    bundle("-o", "./pylock.toml", status=ExitCode.USAGE)
    assert capsys.readouterr().err == (
        "error: --output ./pylock.toml: this file is read, and would be replaced\n"
        "hint: name another file\n"
    )
    # It is for plan, and a plan of the job writes that lock.
    monkeypatch.setenv("LOCKSTREAM_PLAN_OUTPUT", "pylock.toml")
    bundle("-q")
    assert Path("pylock.toml").read_text() == lock


def test_a_report_does_not_replace_the_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    bundle("-q")
    before = Path("wheels.tar").read_bytes()
    words = ["--target", "t", "--bundle", "wheels.tar", "--report", "wheels.tar"]
    execute(*words, status=ExitCode.USAGE)
    assert "--report wheels.tar: this file is read" in capsys.readouterr().err
    assert Path("wheels.tar").read_bytes() == before


def test_a_lock_that_only_the_bundle_has_is_found_by_the_hint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other machine has the archive, and nothing else."""
    bundle("-q")
    lock = Path("pylock.toml").read_bytes()
    Path("pylock.toml").unlink()
    capsys.readouterr()
    execute("--target", "t", "--bundle", "wheels.tar", status=ExitCode.INVALID_INPUT)
    assert capsys.readouterr().err == (
        "error: pylock.toml: cannot be read: No such file or directory\n"
        "hint: take it out of the bundle: tar -xf wheels.tar pylock.toml\n"
    )
    subprocess.run(["tar", "-xf", "wheels.tar", "pylock.toml"], check=True)
    assert Path("pylock.toml").read_bytes() == lock
    execute("--target", "t", "--bundle", "wheels.tar")
    execute("--target", "t", "--bundle", "wheels.tar", "other.toml", status=ExitCode.INVALID_INPUT)
    assert "take it out of the bundle" not in capsys.readouterr().err


def test_a_bundle_in_the_place_of_its_lock_is_known_by_its_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle("-q")
    execute("wheels.tar", "--target", "t", status=ExitCode.INVALID_INPUT)
    assert (
        "take the lock out of it: tar -xf wheels.tar pylock.toml; then --bundle wheels.tar"
        in capsys.readouterr().err
    )
