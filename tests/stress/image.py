"""Build the image of examples/image and what uses it, by Buildah, and run the results by Podman.

    python -m stress.image [--root FOLDER]

A Debian with Python stands for the Python images of a registry. Linux, as root, with buildah,
podman, runc and debootstrap.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from release.pyz import SUPPORTED, commit_time, find_python, make_pyz

from executor.files.folders import remove_tree
from helpers.containers import Podman, can_run_containers, make_root
from helpers.wheels import build_wheel, lock_of

PROJECT = Path(__file__).parents[2]
PYTHON, LOCKSTREAM = "localhost/python", "localhost/lockstream"

THREE_LINES = f"""\
FROM {PYTHON}
COPY pylock.toml /app/
RUN --mount=from={LOCKSTREAM},target=/ls python3 /ls/lockstream.pyz execute /app/pylock.toml \
--venv /app/.venv
"""
"""All that a Dockerfile needs to use the image."""

MODULE = """\
__version__ = "1.0"


def main():
    print("demo ran")
"""

UNPACKED = THREE_LINES.replace("/ls/lockstream.pyz", "/ls/lockstream")


LIMITED = (
    "--isolation", "oci", "--runtime", "runc", "--memory", "64m", "--memory-swap", "64m",
    "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096",
)  # fmt: skip
"""Options of Buildah that hold each step of a build to 64 MiB."""


class Builds:
    """Builds images into the storage of a Podman, and runs them there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.podman = Podman(folder)
        self.is_right = True

    def build(self, name: str, file: Path, context: Path, *options: str) -> None:
        """Build ``file`` as the image ``name``, and print the seconds or what went wrong."""
        storage = ("--root", self._folder / "root", "--runroot", self._folder / "run")
        began = time.monotonic()
        done = subprocess.run(
            ["buildah", *storage, "build", "--isolation", "chroot", "--network", "host", *options,
             "--tag", name, "--file", file, context],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        self._print(f"build of {name}", done.returncode == 0, began, done.stdout + done.stderr)

    def run(self, name: str, *command: str, shows: str, options: tuple[str, ...] = ()) -> None:
        """Run a command in a container of ``name``; it has to print ``shows``."""
        began = time.monotonic()
        ended = self.podman.run(name, *command, options=options)
        is_right = ended.status == 0 and not ended.is_killed and shows in ended.output
        self._print(f"run of {name}: {' '.join(command)[:50]}", is_right, began, ended.output)

    def _print(self, what: str, is_right: bool, began: float, output: str) -> None:
        verdict = "right" if is_right else "WRONG"
        print(f"{verdict}  {time.monotonic() - began:6.1f} s  {what}", flush=True)
        if not is_right:
            print(output[-4000:], flush=True)
        self.is_right = self.is_right and is_right


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--root", type=Path, metavar="FOLDER", help="a root file system with Python"
    )
    arguments = parser.parse_args()
    if not can_run_containers() or not shutil.which("buildah"):
        print("needs root, buildah, podman, runc and debootstrap")
        return 2
    with ExitStack() as stack:
        work = Path(tempfile.mkdtemp(prefix="image-", dir="/var/tmp"))
        stack.callback(remove_tree, str(work))
        root = arguments.root or work / "root-of-python"
        if not arguments.root:
            make_root(root)
        builds = Builds(work)
        stack.callback(builds.podman.close)
        builds.podman.import_image(root, PYTHON)
        _image(builds, work / "files")
        context = work / "context"
        context.mkdir()
        demo = build_wheel(
            files={"demo/__init__.py": MODULE},
            entry_points={"console_scripts": {"demo": "demo:main"}},
        )
        demo.write(context)
        server = stack.enter_context(serve_folder(context))
        (context / "pylock.toml").write_text(lock_of([demo], base_url=server))
        _users(builds, context)
    return 0 if builds.is_right else 1


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the files of ``folder`` on loopback; yield the URL of the folder."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _image(builds: Builds, files: Path) -> None:
    """Build both stages of the image, and run the second."""
    pythons = [python for python in map(find_python, SUPPORTED) if python]
    members = make_pyz(files / "lockstream.pyz", pythons, commit_time())
    for name, content in members.items():
        path = files / "lockstream" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    containerfile = PROJECT / "examples/image/Containerfile"
    builds.build(LOCKSTREAM, containerfile, files, "--target", "files")
    chosen = ("--target", "python", "--build-arg", f"PYTHON={PYTHON}")
    builds.build(f"{LOCKSTREAM}-python", containerfile, files, *chosen)
    options = ("--read-only", "--user", "1000:1000")
    builds.run(f"{LOCKSTREAM}-python", "--version", shows="lockstream, version", options=options)


def _users(builds: Builds, context: Path) -> None:
    """Build and run what users write."""
    for name, text in (("three-lines", THREE_LINES), ("unpacked", UNPACKED)):
        file = context / name
        file.write_text(text)
        builds.build(f"localhost/{name}", file, context)
        code = "import demo; print(demo.__version__)"
        builds.run(f"localhost/{name}", "/app/.venv/bin/python", "-c", code, shows="1.0")
    arguments = (f"PYTHON={PYTHON}", f"LOCKSTREAM={LOCKSTREAM}")
    options = [word for one in arguments for word in ("--build-arg", one)]
    builds.build("localhost/app", PROJECT / "examples/docker/Dockerfile", context, *options)
    builds.run("localhost/app", shows="/app/venv", options=("--read-only",))
    _initialized(builds, context)


def _initialized(builds: Builds, context: Path) -> None:
    """Build in 64 MiB what ``init ci docker`` writes for a project with the file, and run it."""
    shutil.copy(context.parent / "files/lockstream.pyz", context)
    command = [sys.executable, "-m", "lockstream", "init", "ci", "docker"]
    subprocess.run(command, cwd=context, check=True, stdout=subprocess.DEVNULL)
    file = context / "Dockerfile"
    text, count = re.subn(
        r"^FROM python:\S+", f"FROM {PYTHON}", file.read_text(), flags=re.MULTILINE
    )
    assert count == 2
    file.write_text(text)
    builds.build("localhost/initialized", file, context, *LIMITED)
    builds.run("localhost/initialized", "demo", shows="demo ran", options=("--read-only",))


if __name__ == "__main__":
    sys.exit(main())
