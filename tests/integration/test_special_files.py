"""A pipe, a device or a folder in the place of any file that is named: no command waits for it,
reads it without end, or shows a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

import lockstream
from executor.sources.tls import tls_context
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

WHEEL = build_wheel("demo")

SECONDS = 120
"""Of the clock, on a machine that others use too; each takes less than one."""

KNOWN = frozenset(code.value for code in ExitCode) - {70}

PLAN = ("plan", "-r", "r.in", "--no-index", "-f", "links", "--no-cache")
EXECUTE = ("execute", "--target", "t", "--progress", "none")

ARGUMENTS: dict[str, Sequence[str]] = {
    "execute": ("execute", "{}", "--target", "t", "--progress", "none"),
    "execute --report": (*EXECUTE, "--report", "{}"),
    "execute --log": (*EXECUTE, "--log", "{}"),
    "execute --target": ("execute", "--target", "{}", "--progress", "none"),
    "execute --venv": ("execute", "--venv", "{}", "--progress", "none"),
    "execute --python": (*EXECUTE, "--python", "{}"),
    "verify": ("verify", "{}", "--target", "t"),
    "key": ("key", "{}", "--target", "t"),
    "check": ("check", "{}"),
    "show": ("show", "{}"),
    "tree": ("tree", "{}"),
    "why": ("why", "demo", "{}"),
    "diff": ("diff", "pylock.toml", "{}"),
    "enrich": ("enrich", "{}"),
    "builds": ("builds", "{}"),
    "report": ("report", "{}"),
    "report --lock": ("report", "log", "--lock", "{}"),
    "plan -r": ("plan", "-r", "{}", *PLAN[3:]),
    "plan -c": (*PLAN, "-c", "{}"),
    "plan -o": (*PLAN, "-o", "{}"),
    "plan --log": (*PLAN, "--log", "{}"),
    "plan, a wheel": ("plan", "-r", "wheel.in", "--no-index", "--no-cache"),
}

VARIABLES = ("NETRC", "PIP_CONFIG_FILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT",
             "SSL_CLIENT_CERT", "LOCKSTREAM_CACHE_DIR")  # fmt: skip

KINDS = ("pipe", "device", "folder", "loop")


@pytest.fixture(name="place")
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    tls_context.cache_clear()
    (tmp_path / "links").mkdir()
    WHEEL.write(tmp_path)
    WHEEL.write(tmp_path / "links")
    (tmp_path / "pylock.toml").write_text(lock_of([WHEEL]))
    (tmp_path / "r.in").write_text("demo\n")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "device").symlink_to("/dev/zero")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOCKSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    yield tmp_path
    tls_context.cache_clear()


@contextmanager
def in_time() -> Iterator[None]:
    def late(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"it has not ended after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def check(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with in_time():
        code = lockstream.main([*arguments])
    said = capsys.readouterr()
    assert code in KNOWN, said.err
    assert "Traceback" not in said.err
    if code > 1:
        assert said.err.count("rror: ") >= 1, said.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", ARGUMENTS)
def test_a_path_on_the_command_line(
    place: Path, capsys: pytest.CaptureFixture[str], command: str, kind: str
) -> None:
    (place / "wheel.in").write_text(f"./{kind}.d/demo-1.0-py3-none-any.whl\n")
    (place / f"{kind}.d").mkdir()
    (place / f"{kind}.d/demo-1.0-py3-none-any.whl").symlink_to(place / kind)
    check([one.format(kind) for one in ARGUMENTS[command]], capsys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("command", ["plan", "execute"])
def test_a_path_in_a_variable(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    variable: str,
    kind: str,
) -> None:
    monkeypatch.setenv(variable, str(place / kind))
    monkeypatch.setattr("executor.sources.client.time.sleep", lambda _: None)
    (place / "pylock.toml").unlink()
    (place / "far.toml").write_text(lock_of([WHEEL], base_url="https://127.0.0.1:9/"))
    if command == "plan":
        (place / "r.in").write_text("demo @ https://127.0.0.1:9/demo-1.0-py3-none-any.whl\n")
        check(["plan", "-r", "r.in", "-i", "https://127.0.0.1:9/simple"], capsys)
    else:
        check(["execute", "far.toml", "--target", "t", "--progress", "none"], capsys)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["pyproject.toml", ".python-version", "pylock.toml", "uv.toml"])
def test_a_file_that_a_checkout_brings(
    place: Path, capsys: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    (place / name).unlink(missing_ok=True)
    (place / name).symlink_to(place / kind)
    for arguments in (PLAN, ("plan", *PLAN[3:]), ("check",), EXECUTE, ("init", "ci")):
        check(arguments, capsys)


@pytest.mark.parametrize("kind", KINDS)
def test_the_settings_of_an_environment(
    place: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """Its interpreter would wait for a pipe."""
    (place / "env/bin").mkdir(parents=True)
    (place / "env/bin/python").symlink_to(sys.executable)
    (place / "env/pyvenv.cfg").symlink_to(place / kind)
    for command in ("execute", "verify", "key"):
        check([command, "--venv", "env"], capsys)
