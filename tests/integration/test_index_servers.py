"""Real index servers of PyPI: a lock is planned from each, and executed.

They are installed in ``.servers`` by ``make servers``, which runs these tests too.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

import lockstream
from helpers.surroundings import leave_plain
from helpers.wheels import Wheel, build_wheel

PROJECT = Path(__file__).parents[2]
SERVERS = PROJECT / ".servers" / "bin"
START_SECONDS = 60.0

APP = build_wheel("app", "1.0", requires=["base-lib>=1"])
BASE = build_wheel("base-lib", "1.1", files={"base_lib/data.txt": "x" * 100_000})
OLD = build_wheel("base-lib", "1.0")
WHEELS = (APP, BASE, OLD)

pytestmark = [
    pytest.mark.servers,
    pytest.mark.usefixtures("cache_folder"),
    pytest.mark.skipif(not SERVERS.is_dir(), reason="index servers are installed by make servers"),
]


@pytest.fixture(autouse=True)
def _plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)
    monkeypatch.chdir(tmp_path)


def folder_of(*wheels: Wheel) -> Path:
    folder = Path.cwd() / "wheels"
    folder.mkdir()
    for wheel in wheels:
        wheel.write(folder)
    return folder


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextmanager
def running(command: Sequence[object], port: int, path: str = "/") -> Iterator[str]:
    """Run a server until the end of the block; yield its address once it answers."""
    log = Path.cwd() / f"server-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdout=output, stderr=output)
    origin = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                httpx.get(f"{origin}{path}", timeout=5.0, trust_env=False)
                break
            except httpx.TransportError:
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
        yield origin
    finally:
        process.terminate()
        process.wait(timeout=30)


def plan_and_execute(url: str) -> None:
    """Plan ``app`` from the index at ``url``, and install it."""
    Path("requirements.in").write_text("app\n")
    assert lockstream.main(["plan", "-q", "-r", "requirements.in", "-i", url]) == 0
    packages = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert [(one["name"], one["version"]) for one in packages] == [
        ("app", "1.0"),
        ("base-lib", "1.1"),
    ]
    wheels = {one["name"]: one["wheels"][0] for one in packages}
    assert wheels["app"]["hashes"]["sha256"] == APP.sha256
    assert wheels["base-lib"]["size"] == BASE.size
    assert "s3cret" not in Path("pylock.toml").read_text()
    venv = Path.cwd() / "env"
    assert lockstream.main(["execute", "pylock.toml", "--venv", str(venv)]) == 0
    (data,) = venv.glob("lib/python3*/site-packages/base_lib/data.txt")
    assert data.stat().st_size == 100_000


@pytest.mark.parametrize("hashes", ["sha256", "md5", "off"])
def test_pypiserver(hashes: str) -> None:
    port = free_port()
    command = [SERVERS / "pypi-server", "run", "-p", port, "-i", "127.0.0.1", "--hash-algo", hashes]
    with running([*command, "--disable-fallback", folder_of(*WHEELS)], port) as origin:
        plan_and_execute(f"{origin}/simple/")


def test_pypiserver_with_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    digest = base64.b64encode(hashlib.sha1(b"s3cret").digest()).decode()
    Path("passwords").write_text(f"ada:{{SHA}}{digest}\n")
    command = [SERVERS / "pypi-server", "run", "-p", port, "-i", "127.0.0.1", "--disable-fallback"]
    command += ["-a", "list,download,update", "-P", "passwords"]
    with running([*command, folder_of(*WHEELS)], port) as origin:
        Path("requirements.in").write_text("app\n")
        words = ["plan", "-q", "-r", "requirements.in", "-i", f"{origin}/simple/"]
        assert lockstream.main(words) == 5
        Path("netrc").write_text("machine 127.0.0.1 login ada password s3cret\n")
        monkeypatch.setenv("NETRC", "netrc")
        plan_and_execute(f"{origin}/simple/")


def test_devpi() -> None:
    port, data = free_port(), Path.cwd() / "devpi"
    init = [SERVERS / "devpi-init", "--serverdir", data, "--no-root-pypi"]
    init += ["--root-passwd", "s3cret"]
    subprocess.run([str(word) for word in init], check=True, capture_output=True)
    serve = [SERVERS / "devpi-server", "--serverdir", data, "--host", "127.0.0.1", "--port", port]
    with running(serve, port, "/+api") as origin, httpx.Client(trust_env=False) as client:
        login = client.post(f"{origin}/+login", json={"user": "root", "password": "s3cret"})
        token = login.json()["result"]["password"]
        spelled = base64.b64encode(f"root:{token}".encode()).decode()
        headers = {"X-Devpi-Auth": spelled}
        made = client.put(f"{origin}/root/dev", json={"type": "stage"}, headers=headers)
        assert made.is_success, made.text
        for wheel in WHEELS:
            name, version = wheel.filename.split("-")[:2]
            fields = {":action": "file_upload", "name": name, "version": version}
            fields |= {"metadata_version": "2.1", "filetype": "bdist_wheel", "pyversion": "py3"}
            sent = client.post(
                f"{origin}/root/dev/",
                data=fields,
                files={"content": (wheel.filename, wheel.content)},
                headers=headers,
            )
            assert sent.is_success, sent.text
        plan_and_execute(f"{origin}/root/dev/+simple/")


@pytest.mark.parametrize("metadata", [True, False], ids=["with metadata files", "without"])
def test_simple503_on_a_static_server(metadata: bool) -> None:
    """A static server has no ranges, no JSON, and answers 301 without the slash at the end."""
    port, target = free_port(), Path.cwd() / "site"
    option = "--extract-metadata" if metadata else "--no-extract-metadata"
    command = [SERVERS / "simple503", "-B", "/", "--copy", "--sort", option, folder_of(*WHEELS)]
    subprocess.run([str(word) for word in [*command, target]], check=True, capture_output=True)
    server = [sys.executable, "-m", "http.server", port, "-b", "127.0.0.1", "-d", target]
    with running(server, port) as origin:
        plan_and_execute(f"{origin}/")


def test_simple_repository_server() -> None:
    """It serves pages in JSON, and METADATA files."""
    port = free_port()
    command = [SERVERS / "simple-repository-server", "--host", "127.0.0.1", "--port", port]
    root = folder_of()
    for wheel in WHEELS:
        project = root / wheel.filename.partition("-")[0].replace("_", "-")
        project.mkdir(exist_ok=True)
        wheel.write(project)
    with running([*command, root], port, "/simple/") as origin:
        plan_and_execute(f"{origin}/simple/")


def test_the_servers_are_those_of_the_group() -> None:
    group = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]["servers"]
    assert len(group) == 5
    for program in ("pypi-server", "devpi-server", "simple503", "simple-repository-server"):
        assert shutil.which(program, path=str(SERVERS))
