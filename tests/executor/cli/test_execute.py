"""The commands: options, results on stdout, the rest on stderr, exit codes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lockstream
from helpers.descriptors import limited_file_size
from helpers.locks import write_lock
from helpers.run_logs import read_log
from helpers.trees import snapshot
from helpers.wheels import build_wheel, lock_of
from planner.runs.advice import verdict
from planner.runs.reading import read_run
from schemas.errors import ExitCode, UsageError
from schemas.sizes import parse_size

DEMO = build_wheel("demo", extras={"more": ["other"]}, files={"demo.py": "x = 1\n"})
OTHER = build_wheel("other", files={"other.py": ""})


class TestSize:
    @pytest.mark.parametrize(
        ("text", "size"),
        [
            ("67108864", 64 << 20),
            ("64MiB", 64 << 20),
            ("64Mi", 64 << 20),
            ("64MB", 64 << 20),
            ("64m", 64 << 20),
            (" 64 MiB ", 64 << 20),
            ("1.5G", 3 << 29),
            ("0.001K", 1),
            ("2TiB", 2 << 40),
            ("0", 0),
        ],
    )
    def test_it_is_read_in_powers_of_1024(self, text: str, size: int) -> None:
        assert parse_size(text) == size

    @pytest.mark.parametrize(
        "text", ["", "auto", "MiB", "-1M", "1e3", "64 M i B", "1,5G", "64PiB", "٦٤M", "9" * 30]
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError) as caught:
            parse_size(text)
        assert str(caught.value) == f"{text!r} is not a size"
        assert caught.value.hint == "write it as 64MiB or 2GiB"

    @given(st.text(max_size=12))
    def test_noise_is_a_size_or_refused(self, text: str) -> None:
        with suppress(UsageError):
            assert parse_size(text) >= 0


@pytest.fixture(name="lock")
def _lock(tmp_path: Path) -> str:
    folder = tmp_path / "project"
    folder.mkdir()
    for wheel in (DEMO, OTHER):
        wheel.write(folder)
    (folder / "pylock.toml").write_text(lock_of([DEMO, OTHER]))
    return str(folder / "pylock.toml")


@pytest.fixture(name="venv", scope="module")
def _venv(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A virtual environment that holds no packages; for what changes none."""
    path = tmp_path_factory.mktemp("venvs") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", path], check=True)
    return str(path)


class TestExecute:
    def test_a_folder_is_filled_and_told_of(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "target"
        report = tmp_path / "report.json"
        arguments = ["execute", lock, "--target", str(target), "--report", str(report)]
        assert lockstream.main(arguments) == ExitCode.DONE
        told = capsys.readouterr()
        assert told.err == "[1/2] + demo 1.0\n[2/2] + other 1.0\n"
        assert told.out.startswith(f"installed 2 packages into {target} in ")
        assert (target / "demo.py").is_file()
        facts = json.loads(report.read_text())
        assert (facts["installed"], facts["environment"]) == (2, str(target))
        assert facts["rss_peak"] > 1 << 20

    def test_the_result_is_json_where_it_is_asked_for(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["execute", lock, "--target", str(tmp_path / "t"), "--json"]
        assert lockstream.main([*arguments, "--progress", "none"]) == ExitCode.DONE
        told = capsys.readouterr()
        assert json.loads(told.out)["installed"] == 2
        assert told.err == ""

    def test_a_dry_run_tells_and_changes_nothing(
        self, tmp_path: Path, venv: str, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = snapshot(Path(venv)), snapshot(tmp_path)
        arguments = ["execute", lock, "--venv", venv, "--dry-run"]
        assert lockstream.main(arguments) == ExitCode.DONE
        assert "demo" in capsys.readouterr().out
        assert lockstream.main([*arguments, "--json"]) == ExitCode.DONE
        told = json.loads(capsys.readouterr().out)
        assert [step["name"] for step in told["install"]] == ["demo", "other"]
        assert (snapshot(Path(venv)), snapshot(tmp_path)) == before

    def test_a_dry_run_writes_its_log_and_no_report(
        self, tmp_path: Path, venv: str, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        log, report = tmp_path / "log.ndjson", tmp_path / "report.json"
        arguments = ["execute", lock, "--venv", venv, "--dry-run", "--log"]
        assert lockstream.main([*arguments, str(log), "--report", str(report)]) == ExitCode.DONE
        assert "so --report writes no file" in capsys.readouterr().err
        assert not report.exists()
        first, *events = read_log(log)
        assert (first["event"], first["dry_run"]) == ("run", True)
        assert [one["package"] for one in events if one["event"] == "package"] == ["demo", "other"]
        assert events[-1]["ok"]
        told = verdict(read_run(str(log)))
        assert told == "A dry run: it would install 2 packages, remove 0, and leave 0 as they are."

    def test_a_dry_run_that_is_refused_logs_why(self, tmp_path: Path, venv: str, lock: str) -> None:
        log = tmp_path / "log.ndjson"
        arguments = ["execute", lock, "--venv", venv, "--dry-run", "--log", str(log)]
        assert lockstream.main([*arguments, "--extra", "unknown"]) == ExitCode.USAGE
        last = read_log(log)[-1]
        assert (last["ok"], last["status"]) == (False, ExitCode.USAGE)

    def test_a_dry_run_with_a_log_for_standard_output_prints_the_changes_elsewhere(
        self, venv: str, lock: str, capfd: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["execute", lock, "--venv", venv, "--dry-run", "--log", "-"]
        assert lockstream.main(arguments) == ExitCode.DONE
        told = capfd.readouterr()
        assert "demo" in told.err
        assert all(line.startswith("{") for line in told.out.splitlines())
        assert lockstream.main([*arguments, "--json"]) == ExitCode.USAGE

    def test_a_report_for_a_pipe_without_a_reader_is_not_waited_for(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        os.mkfifo(tmp_path / "pipe")
        arguments = ["execute", lock, "--target", str(tmp_path / "t"), "--progress", "none"]
        assert lockstream.main([*arguments, "--report", f"{tmp_path}/pipe"]) == ExitCode.USAGE
        assert "/pipe: cannot be written" in capsys.readouterr().err

    @pytest.mark.parametrize("words", [(), ("--dry-run",)])
    def test_a_mistyped_name_of_a_package_is_told(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
    ) -> None:
        arguments = ["execute", lock, "--target", str(tmp_path / "t"), *words]
        assert lockstream.main([*arguments, "--reinstall-package", "Demmo"]) == ExitCode.DONE
        assert (
            "warning: demmo is to be reinstalled, but the lock installs no such package\n"
            in capsys.readouterr().err
        )

    def test_a_report_that_cannot_be_written_does_not_hide_what_was_done(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        report = tmp_path / "missing" / "report.json"
        arguments = ["execute", lock, "--target", str(tmp_path / "t"), "--progress", "none"]
        assert lockstream.main([*arguments, "--report", str(report)]) == ExitCode.USAGE
        assert capsys.readouterr().err == (
            f"error: {report}: cannot be written: No such file or directory\n"
            "hint: the environment is complete; name another file and run the command again\n"
        )
        assert (tmp_path / "t/demo.py").is_file()

    @pytest.mark.parametrize(
        ("number", "code"),
        [
            (errno.ENOSPC, ExitCode.NOT_ENOUGH),
            (errno.EDQUOT, ExitCode.NOT_ENOUGH),
            (errno.EACCES, ExitCode.NOT_PERMITTED),
            (errno.EROFS, ExitCode.NOT_PERMITTED),
            (errno.ENOTDIR, ExitCode.USAGE),
        ],
    )
    def test_the_exit_code_is_that_of_what_keeps_a_report_from_being_written(
        self,
        tmp_path: Path,
        lock: str,
        monkeypatch: pytest.MonkeyPatch,
        number: int,
        code: ExitCode,
    ) -> None:
        def refuse(path: str, flags: int) -> int:
            raise OSError(number, os.strerror(number), path)

        monkeypatch.setattr("executor.cli.execute.open_at_once", refuse)
        arguments = ["execute", lock, "--target", str(tmp_path / "t"), "--progress", "none"]
        assert lockstream.main([*arguments, "--report", str(tmp_path / "report.json")]) == code
        assert (tmp_path / "t/demo.py").is_file()

    def test_no_half_of_a_report_stays(
        self, tmp_path: Path, lock: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        target, report = tmp_path / "t", tmp_path / "report.json"
        monkeypatch.setattr("executor.cli.execute.hidden_in", lambda _: "x" * (1 << 20))
        arguments = ["execute", lock, "--target", str(target), "--progress", "none", "--report"]
        assert lockstream.main([*arguments, str(report)]) == ExitCode.DONE
        with limited_file_size(1 << 19):
            assert lockstream.main([*arguments, str(report)]) == ExitCode.NOT_ENOUGH
        assert not report.exists()
        assert lockstream.main([*arguments, "/dev/full"]) == ExitCode.NOT_ENOUGH
        assert Path("/dev/full").exists()

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--venv", "a", "--python", "b"], "error: b: no such program"),
            (["--venv", "a", "--target", "b"], "error: --venv and --target exclude each other"),
            (["--target", "a", "--prefix", "b"], "error: --target and --prefix exclude each other"),
            (["--platform", "win_amd64"], "error: --python-version and --platform are for"),
            (["--memory", "lots"], "error: 'lots' is not a size"),
            (["--lanes", "0"], "error: --lanes: 0 is less than 1\n"),
            (["--mirror", "a"], "error: 'a' is not a mirror: a pair of addresses is"),
            (["--extra", "unknown"], "error: the lock has no extra 'unknown'; it has none"),
            (["--on-collision", "first"], "error: --on-collision: 'first' is not one of"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(
        self,
        tmp_path: Path,
        lock: str,
        options: list[str],
        message: str,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        before = snapshot(tmp_path)
        assert lockstream.main(["execute", lock, *options]) == ExitCode.USAGE
        told = capsys.readouterr()
        assert (told.out, told.err[: len(message)]) == ("", message)
        assert snapshot(tmp_path) == before

    def test_a_pyproject_that_is_no_text_is_an_invalid_input(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "project/pyproject.toml").write_bytes(b"\xff")
        arguments = ["execute", lock, "--target", str(tmp_path / "t")]
        assert lockstream.main(arguments) == ExitCode.INVALID_INPUT
        assert capsys.readouterr().err.startswith(f"error: {tmp_path}/project/pyproject.toml: ")

    def test_the_hashes_of_record_are_verified_unless_the_user_says_otherwise(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wrong = DEMO.edited("demo.py", data=b"x = 2\n")
        wrong.write(tmp_path)
        lock = tmp_path / "pylock.toml"
        lock.write_text(lock_of([wrong]))
        arguments = ["execute", str(lock), "--target", str(tmp_path / "t"), "--progress", "none"]
        for option in ([], ["--verify-record"]):
            assert lockstream.main([*arguments, *option]) == ExitCode.ARTIFACT_REFUSED
            assert "'demo.py': its sha256 is " in capsys.readouterr().err
        assert lockstream.main([*arguments, "--no-verify-record"]) == ExitCode.DONE
        assert "files not held to RECORD (--no-verify-record)\n" in capsys.readouterr().out
        verify = ["verify", str(lock), "--target", str(tmp_path / "t")]
        assert lockstream.main(verify) == ExitCode.REFUSED
        assert capsys.readouterr().out.startswith(f"changed: {tmp_path}/t/demo.py: sha256 differs")

    def test_a_lock_that_is_not_there_is_told(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert lockstream.main(["execute", "--target", "t"]) == ExitCode.INVALID_INPUT
        assert capsys.readouterr().err == (
            "error: pylock.toml: cannot be read: No such file or directory\n"
            "hint: lockstream plan writes it, and so does uv export --format pylock.toml -o "
            "pylock.toml; if it is elsewhere, name it\n"
        )


class TestVerify:
    def test_what_was_executed_is_right_until_it_is_changed(
        self, tmp_path: Path, lock: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        target = tmp_path / "t"
        assert lockstream.main(["execute", lock, "--target", str(target)]) == ExitCode.DONE
        capsys.readouterr()
        assert lockstream.main(["verify", lock, "--target", str(target)]) == ExitCode.DONE
        assert capsys.readouterr().out == "2 packages verified, 0 differences\n"
        (target / "demo.py").write_text("x = 2\n")
        (target / "other.py").unlink()
        (target / "extra.py").write_text("")
        assert lockstream.main(["verify", lock, "--target", str(target)]) == ExitCode.REFUSED
        assert capsys.readouterr().out == (
            f"changed: {target}/demo.py: sha256 differs\n"
            f"missing: {target}/other.py: the file does not exist\n"
            f"extra: {target}/extra.py: no installed package owns it\n"
            "2 packages verified, 3 differences\n"
        )


def test_a_filter_that_refuses_umask_ends_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: int) -> int:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    write_lock(tmp_path, [DEMO])
    monkeypatch.setattr(os, "umask", refused)
    words = [str(tmp_path / "pylock.toml"), "--venv", str(tmp_path / "env")]
    assert lockstream.main(["execute", *words]) == ExitCode.DONE


@pytest.mark.parametrize("umask", [0, 0o555])
def test_whatever_the_umask_not_every_user_may_write(tmp_path: Path, umask: int) -> None:
    write_lock(tmp_path, [DEMO])
    words = [str(tmp_path / "pylock.toml"), "--venv", str(tmp_path / "env")]
    before = os.umask(umask)
    try:
        assert lockstream.main(["execute", *words]) == ExitCode.DONE
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert lockstream.main(["verify", *words]) == ExitCode.DONE
