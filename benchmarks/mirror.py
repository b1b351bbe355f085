"""A mirror of the wheels of each corpus served by nginx on loopback, so that no run waits for a
network. It is filled once, through a lock, and kept in ``benchmarks/work/mirror``.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import shutil
import socket
import subprocess
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import tomli_w

from benchmarks.installers import CLEAN, LOCKSTREAM, Command

__all__ = ["CORPORA", "LARGE", "RESULTS", "WORK", "Mirror", "served"]

FOLDER = Path(__file__).parent
WORK = FOLDER / "work"
RESULTS = FOLDER / "results"
CORPORA = {path.stem: path for path in sorted((FOLDER / "corpora").glob("*.in"))}

LARGE = frozenset({"torch-cuda"})
"""Corpora that unpack to so many gigabytes that they are left out if many trees are kept."""

PIECE = 1 << 20
STARTUP = 5.0
"""Seconds in which nginx has to answer."""

CONFIGURATION = """\
daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port}; listen 127.0.0.1:{secure_port} ssl; root "{root}";
    ssl_certificate {certificate}; ssl_certificate_key {certificate};
  }}
}}
"""


class Mirror:
    """A folder of wheels, and their locks: as planned, and as served from ``url``."""

    def __init__(
        self, root: Path, url: str, *, secure_url: str = "", certificate: Path = Path()
    ) -> None:
        """``secure_url`` serves the same files over TLS, with ``certificate`` (PEM)."""
        self.root = root
        self.url = url
        self.certificate = certificate
        self._secure_url = secure_url

    def secure(self) -> Mirror:
        """Return the same mirror with addresses over TLS."""
        return Mirror(self.root, self._secure_url, certificate=self.certificate)

    def lock_of(self, corpus: str, folder: Path) -> Path:
        """A lock of the corpus below ``folder`` whose URLs are the mirror's. What the mirror
        does not hold yet is downloaded, and must have the hash that the lock says.
        """
        planned = self.root / f"pylock.{corpus}.toml"
        if not planned.exists():
            unfinished = planned.with_name(f"pylock.{corpus}-unfinished.toml")
            command: Command = [
                LOCKSTREAM,
                "plan",
                "--quiet",
                "-r",
                CORPORA[corpus],
                "-o",
                unfinished,
            ]
            subprocess.run(command, check=True, env={**os.environ, **CLEAN})
            unfinished.rename(planned)
        document = tomllib.loads(planned.read_text())
        with httpx.Client(follow_redirects=True, timeout=60) as client:
            for wheel in wheels_of(document):
                name = wheel["url"].rpartition("/")[2]
                if not (self.root / name).exists():
                    fetch(client, wheel["url"], wheel["hashes"]["sha256"], self.root / name)
                wheel["url"] = f"{self.url}/{name}"
        lock = folder / f"pylock.{corpus}.toml"
        lock.write_text(tomli_w.dumps(document))
        return lock

    def relocated(self, planned: Path, folder: Path) -> Path:
        """A lock in the mirror, whose files have paths there, as a lock of URLs."""
        document = tomllib.loads(planned.read_text())
        for wheel in wheels_of(document):
            place = (planned.parent / wheel.pop("path")).relative_to(self.root)
            wheel["url"] = f"{self.url}/{place.as_posix()}"
        lock = folder / planned.name
        lock.write_text(tomli_w.dumps(document))
        return lock


def wheels_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for package in document["packages"]:
        yield from package["wheels"]


def fetch(client: httpx.Client, url: str, sha256: str, path: Path) -> None:
    """Download to ``path``, which appears when its hash is right."""
    unfinished = path.with_name(path.name + ".unfinished")
    digest = hashlib.sha256()
    with client.stream("GET", url) as response, unfinished.open("wb") as file:
        response.raise_for_status()
        for piece in response.iter_bytes(PIECE):
            digest.update(piece)
            file.write(piece)
    if digest.hexdigest() != sha256:
        raise SystemExit(f"{path.name} from the index is not what the lock says")
    unfinished.rename(path)


@contextlib.contextmanager
def served(work: Path) -> Iterator[Mirror]:
    """Yield the mirror, served by an nginx of its own that is stopped at the end."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        raise SystemExit("nginx is missing; install it (Debian, Ubuntu: apt install nginx-light)")
    root = WORK / "mirror"
    root.mkdir(parents=True, exist_ok=True)
    folder = work / "nginx"
    folder.mkdir()
    port, secure_port = free_port(), free_port()
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    certificate = folder / "certificate.pem"
    certify(certificate)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            root=root,
            port=port,
            secure_port=secure_port,
            certificate=certificate,
            user=user,
        )
    )
    process = subprocess.Popen(
        [nginx, "-p", folder, "-e", folder / "error.log", "-c", configuration]
    )
    try:
        wait_for(port, process)
        yield Mirror(
            root,
            f"http://127.0.0.1:{port}",
            secure_url=f"https://localhost:{secure_port}",
            certificate=certificate,
        )
    finally:
        process.terminate()
        process.wait()


def certify(path: Path) -> None:
    """Write a key and a certificate for ``localhost`` that is none of an authority: uv refuses one
    that is.
    """
    command: Command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", "/CN=localhost", "-addext", "basicConstraints=critical,CA:FALSE",
        "-addext", "subjectAltName=DNS:localhost", "-keyout", path, "-out", f"{path}.only",
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.only").read_bytes())


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTUP
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise SystemExit("nginx does not start")
