"""Origins: files come from where the user says, and what opens a door is told to nobody else."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.servers import CERTIFICATE, Server, file, redirect
from helpers.wheels import build_wheel, lock_of
from schemas.errors import ExitCode

PROJECT = Path(__file__).parent.parent.parent
DEMO = build_wheel("demo", files={"demo.py": "x = 1\n"})
LOCKED = "https://files.example.com/packages"
SECRET = "p%40ssword"
CLEARED = ("LOCKSTREAM_MIRRORS", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NETRC")


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """A lock whose only file is on a host that does not exist."""
    (tmp_path / "pylock.toml").write_text(lock_of([DEMO], base_url=LOCKED))
    return tmp_path


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        server.script(f"/mirror/{DEMO.filename}", file(DEMO.content))
        yield server


def execute(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in CLEARED and not name.lower().endswith("_proxy") and "INDEX" not in name
    }
    return subprocess.run(
        [sys.executable, "-m", "lockstream", "execute", "--target", "t", *options],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(PROJECT), "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def check_done(folder: Path, done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == ExitCode.DONE, done.stderr
    assert (folder / "t/demo.py").read_text() == "x = 1\n"


class TestMirrors:
    def test_one_is_named_on_the_command_line(self, folder: Path, server: Server) -> None:
        mirror = f"{LOCKED}={server.origin}/mirror"
        check_done(folder, execute(folder, "--mirror", "https://a/=https://b/", "--mirror", mirror))

    def test_one_is_named_by_the_environment(self, folder: Path, server: Server) -> None:
        mirrors = f"https://a/=https://b/ {LOCKED}/={server.origin}/mirror/"
        check_done(folder, execute(folder, LOCKSTREAM_MIRRORS=mirrors))

    def test_one_is_named_by_the_project(self, folder: Path, server: Server) -> None:
        (folder / "pyproject.toml").write_text(
            f'[tool.lockstream.mirrors]\n"{LOCKED}/" = "{server.origin}/mirror/"\n'
        )
        check_done(folder, execute(folder))

    def test_the_nearest_to_the_user_counts(self, folder: Path, server: Server) -> None:
        (folder / "pyproject.toml").write_text(
            f'[tool.lockstream.mirrors]\n"{LOCKED}/" = "http://127.0.0.1:9/"\n'
        )
        check_done(folder, execute(folder, "--mirror", f"{LOCKED}={server.origin}/mirror"))

    def test_a_folder_is_one_too_and_is_on_this_machine(self, folder: Path) -> None:
        (folder / "my mirror").mkdir()
        DEMO.write(folder / "my mirror")
        mirror = f"{LOCKED}={(folder / 'my mirror').as_uri()}"
        check_done(folder, execute(folder, "--offline", "--mirror", mirror))

    def test_the_hash_still_decides(self, folder: Path, server: Server) -> None:
        other = DEMO.content.replace(b"demo", b"dome")
        server.script(f"/mirror/{DEMO.filename}", file(other))
        done = execute(folder, "--mirror", f"{LOCKED}={server.origin}/mirror")
        assert done.returncode == ExitCode.ARTIFACT_REFUSED
        assert "sha256 differs" in done.stderr

    def test_its_password_is_sent_and_not_told(self, folder: Path, server: Server) -> None:
        host = server.origin.removeprefix("http://")
        mirror = f"{LOCKED}=http://user:{SECRET}@{host}/absent"
        done = execute(folder, "--mirror", mirror)
        assert done.returncode == ExitCode.NETWORK
        assert server.requests[0].headers["authorization"].startswith("Basic ")
        assert SECRET not in done.stderr + done.stdout
        assert "ssword" not in done.stderr + done.stdout

    def test_its_password_is_not_sent_where_a_lock_leads_it(
        self, folder: Path, server: Server
    ) -> None:
        """In https://FROM@host/ what looks like the mirrored host is a user's name."""
        host = server.origin.removeprefix("http://")
        hostile = lock_of([DEMO], base_url=f"http://files.example.com@{host}/mirror")
        (folder / "pylock.toml").write_text(hostile)
        mirror = f"http://files.example.com=http://user:{SECRET}@mirror.example"
        check_done(folder, execute(folder, "--mirror", mirror))
        told = server.requests[0].headers["authorization"].removeprefix("Basic ")
        assert base64.b64decode(told) == b"files.example.com:"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("mirrors = 1", "[tool.lockstream] mirrors is not a table"),
            ("mirrors = ['a']", "[tool.lockstream] mirrors is not a table"),
            ("mirrors = ", "Invalid value"),
        ],
    )
    def test_a_project_that_names_none_is_told(self, folder: Path, text: str, problem: str) -> None:
        (folder / "pyproject.toml").write_text(f"[tool.lockstream]\n{text}\n")
        done = execute(folder)
        assert done.returncode == ExitCode.INVALID_INPUT
        assert f"error: {folder}/pyproject.toml: {problem}" in done.stderr


class TestCredentials:
    def lock(self, folder: Path, server: Server) -> None:
        (folder / "pylock.toml").write_text(lock_of([DEMO], base_url=f"{server.origin}/mirror"))

    def test_those_of_netrc_are_sent_and_not_passed_on(self, folder: Path, server: Server) -> None:
        netrc = folder / ".netrc"
        netrc.write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
        netrc.chmod(0o600)
        self.lock(folder, server)
        # To us localhost is another host than 127.0.0.1.
        there = server.script("/there", file(DEMO.content)).replace("127.0.0.1", "localhost")
        server.script(f"/mirror/{DEMO.filename}", redirect(there))
        done = execute(folder)
        check_done(folder, done)
        assert "authorization" in server.requests[0].headers
        assert "authorization" not in server.requests[1].headers
        assert SECRET not in done.stderr + done.stdout

    def test_those_of_an_index_are_not_written_down(self, folder: Path, server: Server) -> None:
        self.lock(folder, server)
        index = server.origin.replace("http://", f"http://user:{SECRET}@") + "/simple/"
        check_done(folder, execute(folder, "--report", "report.json", PIP_INDEX_URL=index))
        assert "authorization" in server.requests[0].headers
        for path in folder.rglob("*"):
            if path.is_file():
                assert b"ssword" not in path.read_bytes(), path


class TestCertificates:
    @pytest.fixture(name="private")
    def _private(self) -> Iterator[Server]:
        """It talks to those only who show a certificate."""
        with Server(tls=True, asks_for_certificate=True) as server:
            server.script(f"/mirror/{DEMO.filename}", file(DEMO.content))
            yield server

    @pytest.mark.parametrize("variable", ["SSL_CLIENT_CERT", "PIP_CLIENT_CERT"])
    def test_our_own_is_shown(self, folder: Path, private: Server, variable: str) -> None:
        variables = {"SSL_CERT_FILE": str(CERTIFICATE), variable: str(CERTIFICATE)}
        mirror = f"{LOCKED}={private.origin}/mirror"
        check_done(folder, execute(folder, "--mirror", mirror, **variables))

    def test_without_it_nothing_is_had(self, folder: Path, private: Server) -> None:
        mirror = f"{LOCKED}={private.origin}/mirror"
        done = execute(folder, "--mirror", mirror, SSL_CERT_FILE=str(CERTIFICATE))
        assert done.returncode == ExitCode.NETWORK
        assert private.requests == []


class TestFindLinks:
    def test_a_folder_that_is_none_is_told(self, folder: Path) -> None:
        done = execute(folder, "--find-links", "absent")
        assert done.returncode == ExitCode.USAGE
        assert done.stderr.startswith("error: --find-links absent: there is no such folder\nhint: ")
