"""What the launcher gives up before it becomes the build, as far as the kernel allows it here."""

from __future__ import annotations

import os
import platform
import socket
import sys
from contextlib import closing
from pathlib import Path

import pytest

from executor.builds.sandbox import SandboxLimits, SandboxResult, _launcher, contained

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices at all")


def run(
    folder: Path, code: str, environment: dict[str, str] | None = None, *, network: bool = False
) -> SandboxResult:
    inside = folder / "build"
    inside.mkdir(exist_ok=True)
    return contained(
        [sys.executable, "-c", code],
        folder=str(inside),
        environment=environment or {},
        writable=[str(inside)],
        log=str(folder / "log"),
        limits=SandboxLimits(network=network),
    )


@needs_root
@pytest.mark.parametrize("kind", ["S_IFCHR", "S_IFBLK"])
def test_a_build_of_root_makes_no_device(tmp_path: Path, kind: str) -> None:
    code = f"import os, stat; os.mknod('device', 0o600 | stat.{kind}, os.makedev(1, 3))"
    assert run(tmp_path, code).status == 1
    assert not (tmp_path / "build/device").exists()


@needs_root
def test_a_build_of_root_changes_no_mode_outside(tmp_path: Path) -> None:
    (tmp_path / "outside").touch(0o600)
    assert run(tmp_path, f"import os; os.chmod({str(tmp_path / 'outside')!r}, 0o666)").status == 1
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o600


@needs_root
def test_a_build_of_root_gives_files_away_inside_as_tar_does(tmp_path: Path) -> None:
    code = "import os; open('file', 'w').close(); os.chown('file', 1234, 1234)"
    assert run(tmp_path, code).status == 0
    assert (tmp_path / "build/file").stat().st_uid == 1234


def test_a_build_reads_no_other_environment(tmp_path: Path) -> None:
    result = run(tmp_path, f"open('/proc/{os.getpid()}/environ', 'rb').read()")
    assert (result.status == 1) or os.geteuid() != 0


def test_the_environment_of_a_build_is_in_no_argument(tmp_path: Path) -> None:
    code = (
        "import os, pathlib\n"
        "arguments = [pathlib.Path(f'/proc/{pid}/cmdline').read_bytes()\n"
        "             for pid in (os.getpid(), os.getppid())]\n"
        "assert not any(b'planted-' + b'secret' in one for one in arguments), arguments\n"
        "assert os.environ['TOKEN'] == 'planted-' + 'secret'\n"
    )
    assert run(tmp_path, code, {"TOKEN": "planted-secret"}).status == 0


def test_a_large_environment_reaches_the_build(tmp_path: Path) -> None:
    code = "import os; assert len(os.environ['LARGE']) == 100_000"
    assert run(tmp_path, code, {"LARGE": "x" * 100_000}).status == 0


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert run(tmp_path, "import sys; assert sys.stdin.read() == ''").status == 0


@needs_root
@pytest.mark.parametrize("network", [False, True])
def test_the_sockets_of_other_programs_are_not_reached(tmp_path: Path, network: bool) -> None:
    """An agent of keys or a daemon of containers does what it is told."""
    (tmp_path / "run").mkdir()
    path = tmp_path / "run/agent.sock"
    with closing(socket.socket(socket.AF_UNIX)) as agent:
        agent.bind(str(path))
        agent.listen()
        agent.setblocking(False)
        code = (
            "import socket\n"
            "with socket.socket(socket.AF_UNIX) as one:\n"
            f"    one.connect({str(path)!r})\n"
        )
        assert run(tmp_path, code, network=network).status == 1
        with pytest.raises(BlockingIOError):
            agent.accept()
    assert path.is_socket()


def test_a_build_talks_to_itself(tmp_path: Path) -> None:
    code = (
        "import socket, multiprocessing.connection as c, threading\n"
        "with c.Listener('own.sock') as listener:\n"
        "    thread = threading.Thread(target=lambda: c.Client('own.sock').send('x'))\n"
        "    thread.start()\n"
        "    assert listener.accept().recv() == 'x'\n"
        "one, other = socket.socketpair()\n"
    )
    assert run(tmp_path, code).status == 0, (tmp_path / "log").read_text()


SENDS = """
import socket
for kind, family, address in (
    (socket.SOCK_DGRAM, socket.AF_INET, ("127.0.0.1", {port})),
    (socket.SOCK_DGRAM, socket.AF_INET6, ("::1", {port})),
    (socket.SOCK_STREAM, socket.AF_INET, ("127.0.0.1", {port})),
):
    try:
        with socket.socket(family, kind) as one:
            one.settimeout(1)
            one.connect(address)
            one.send(b"out")
    except OSError as error:
        print(error)
"""


@pytest.mark.parametrize("tier", ["namespace", "filter"])
def test_no_datagram_leaves_a_build_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tier: str
) -> None:
    if tier == "filter":
        without_namespace(monkeypatch)
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        result = run(tmp_path, SENDS.format(port=server.getsockname()[1]))
        assert result.status == 0, (tmp_path / "log").read_text()
        if result.network == "asked not to":
            pytest.skip("the kernel has neither")
        assert result.network == "none"
        with pytest.raises(BlockingIOError):
            server.recv(10)
    if tier == "filter":
        assert (tmp_path / "log").read_text().count("Permission denied") == 3


@pytest.mark.skipif(platform.machine() not in {"x86_64", "aarch64"}, reason="no filter for others")
def test_the_filter_denies_no_more_than_it_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_namespace(monkeypatch)
    code = (
        "import ctypes, errno, socket, subprocess, sys, uuid\n"
        "socket.socketpair()\n"
        "socket.socket(socket.AF_UNIX).close()\n"
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()\n"
        "uuid.uuid1()\n"
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_PACKET, socket.AF_VSOCK):\n"
        "    try:\n"
        "        socket.socket(family, socket.SOCK_DGRAM)\n"
        "        sys.exit(3)\n"
        "    except PermissionError:\n"
        "        pass\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "assert libc.syscall(425, 1, None) == -1 and ctypes.get_errno() == errno.ENOSYS\n"
        "child = [sys.executable, '-c', 'import socket; socket.socket()']\n"
        "assert subprocess.run(child, check=False, stderr=subprocess.DEVNULL).returncode == 1\n"
    )
    assert run(tmp_path, code).status == 0, (tmp_path / "log").read_text()


def without_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers, whose filter lets nobody make a namespace of the network."""
    source = _launcher()
    call = "leave_network(libc)\n    is_read_only"
    assert call in source
    monkeypatch.setattr(
        "executor.builds.sandbox._launcher",
        lambda: source.replace(call, "False\n    is_read_only"),
    )


@pytest.mark.parametrize("refusal", ["OSError(1, 'refused')", "ValueError('not allowed')"])
def test_a_limit_that_a_filter_refuses_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    refuse = f"def refuse(*_):\n    raise {refusal}\n\n\nresource.setrlimit = refuse\nmain()\n"
    source = _launcher().removesuffix("main()\n") + refuse
    monkeypatch.setattr("executor.builds.sandbox._launcher", lambda: source)
    assert run(tmp_path, "pass").status == 0
