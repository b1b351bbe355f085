"""Secrets: in nothing that is written or said, whatever shape they have and whatever happens."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from helpers.servers import Answer, Proxy, Server, cut, file, redirect, reset, status
from helpers.wheels import build_wheel, lock_of

ROOT = Path(__file__).parents[2]
SECRET = "hunter2/S3cr+t"
SPELLINGS = [
    SECRET,
    quote(SECRET, safe=""),
    quote(SECRET),
    base64.b64encode(f"user:{SECRET}".encode()).decode(),
    base64.b64encode(f"{SECRET}:".encode()).decode(),
    base64.b64encode(SECRET.encode()).decode(),
    "hunter2",
]
WHEEL = build_wheel("demo")
OTHER = build_wheel("other")
LARGER = build_wheel("larger", files={"larger.bin": os.urandom(5000)})
QUOTED = quote(SECRET, safe="")

QUERIES = [
    f"X-Amz-Signature={QUOTED}&X-Amz-Credential={QUOTED}&X-Amz-Security-Token={QUOTED}",
    f"X-Goog-Signature={QUOTED}",
    f"se=2030&sig={QUOTED}",
    f"token={QUOTED}",
    f"access_token={QUOTED}",
    f"Policy={QUOTED}&Signature={QUOTED}&Key-Pair-Id={QUOTED}",
]
"""Signed URLs of the usual stores, and the names that tokens go by."""

ANSWERS: dict[str, Answer] = {
    "file": file(WHEEL.content),
    "cut": cut(WHEEL.content, 100),
    "reset": reset(WHEEL.content, -1),
    "401": status(401),
    "404": status(404),
    "503": status(503),
    "other bytes": file(b"PK" + WHEEL.content[2:-1] + b"x"),
    "loop": redirect(""),
    "signed redirect": redirect(f"/gone?X-Amz-Signature={QUOTED}"),
    "redirect with a password": redirect(f"ftp://user:{QUOTED}@store.example/x?sig={QUOTED}"),
    "redirect to nowhere": redirect(f"http://user:{QUOTED}@127.0.0.1:9/x?sig={QUOTED}"),
    "malformed redirect": redirect(f"http://user:{QUOTED}@[::1/x?sig={QUOTED}"),
}


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    with Server() as server:
        yield server


def run(tmp_path: Path, lock: str, *options: str, **variables: str) -> str:
    """All that an execution says and writes, outside of the project; its own ``--report`` too."""
    (tmp_path / "pylock.toml").write_text(lock)
    home = tmp_path / "home"
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    program = (
        "import sys, time; time.sleep = lambda _: None; import lockstream;"
        "sys.exit(lockstream.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-c", program, "execute", "../pylock.toml"),
            *("--target", "env", "--report", "report.json", *options),
        ],
        env={
            **clean,
            "HOME": str(home),
            "NETRC": "/dev/null",
            "PYTHONPATH": str(ROOT),
            **variables,
        },
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    written = "".join(
        path.read_text(errors="replace") for path in home.rglob("*") if path.is_file()
    )
    return f"{done.stdout}{done.stderr}{written}"


def check(told: str) -> None:
    assert told
    for spelling in SPELLINGS:
        assert spelling not in told, told


@pytest.mark.parametrize("answer", ANSWERS)
def test_user_information_of_a_url_is_never_told(
    tmp_path: Path, server: Server, answer: str
) -> None:
    server.script(f"/{WHEEL.filename}", ANSWERS[answer])
    base = server.origin.replace("//", f"//user:{QUOTED}@")
    check(run(tmp_path, lock_of([WHEEL], base_url=base)))


@pytest.mark.parametrize("answer", ["401", "503", "reset", "loop", "redirect to nowhere"])
def test_what_waits_for_the_next_run_holds_none(
    tmp_path: Path, server: Server, answer: str
) -> None:
    server.script(f"/{LARGER.filename}", file(LARGER.content))
    server.script(f"/{WHEEL.filename}", ANSWERS[answer])
    base = server.origin.replace("//", f"//user:{QUOTED}@")
    told = run(tmp_path, lock_of([LARGER, WHEEL], base_url=base), "--lanes", "1")
    assert "complete wheels wait in" in told
    assert "\nended failed (http" in told
    check(told)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("answer", ANSWERS)
def test_signatures_and_tokens_of_a_url_are_never_told(
    tmp_path: Path, server: Server, answer: str, query: str
) -> None:
    server.script(f"/{WHEEL.filename}", ANSWERS[answer])
    url = f"{server.origin}/{WHEEL.filename}?{query}#{QUOTED}"
    check(run(tmp_path, lock_of([WHEEL], files={WHEEL.filename: {"url": url}}, base_url="x:")))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("kind", ["netrc", "PIP_INDEX_URL", "UV_INDEX", "token", "mirror"])
def test_what_is_looked_up_is_never_told(
    tmp_path: Path, server: Server, kind: str, answer: str
) -> None:
    server.script(f"/{WHEEL.filename}", ANSWERS[answer])
    index = server.origin.replace("//", f"//user:{QUOTED}@") + "/simple"
    variables, options, base = {}, [], server.origin
    if kind == "netrc":
        (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login user password {SECRET}\n")
        (tmp_path / "netrc").chmod(0o600)
        variables = {"NETRC": str(tmp_path / "netrc")}
    elif kind == "mirror":
        base = "https://index.example"
        options = ["--mirror", f"{base}/={index.removesuffix('/simple')}/"]
    elif kind == "token":
        variables = {"PIP_INDEX_URL": index.replace("user:", "")}
    else:
        variables = {kind: index}
    check(run(tmp_path, lock_of([WHEEL], base_url=base), *options, **variables))
    if answer == "file":
        assert "authorization" in server.requests[-1].headers


@pytest.mark.parametrize("answer", ["file", "503", "404"])
@pytest.mark.parametrize("accepted", [True, False])
def test_the_password_of_a_proxy_is_never_told(
    tmp_path: Path, server: Server, accepted: bool, answer: str
) -> None:
    server.script(f"/{WHEEL.filename}", ANSWERS[answer])
    expected = base64.b64encode(f"user:{SECRET if accepted else 'other'}".encode()).decode()
    with Proxy(f"Basic {expected}") as proxy:
        variables = {"http_proxy": proxy.url.replace("//", f"//user:{QUOTED}@")}
        check(run(tmp_path, lock_of([WHEEL], base_url=server.origin), **variables))


def test_what_a_killed_run_leaves_tells_no_secret(tmp_path: Path, server: Server) -> None:
    """Neither the run log nor what is staged, nor the run that comes behind."""
    server.script(f"/{WHEEL.filename}", file(WHEEL.content))
    server.script(f"/{OTHER.filename}", file(OTHER.content))
    base = server.origin.replace("//", f"//user:{QUOTED}@")
    lock = lock_of([WHEEL, OTHER], base_url=base)
    (tmp_path / "pylock.toml").write_text(lock)
    program = (
        "import sys; from helpers.faults import at_change, kill_ourselves; import lockstream;"
        "sys.addaudithook(at_change(int(sys.argv.pop(1)), kill_ourselves));"
        "sys.exit(lockstream.main(sys.argv[1:]))"
    )
    for number in range(0, 60, 6):
        target = tmp_path / f"env{number}"
        told = subprocess.run(
            [
                *(sys.executable, "-c", program, str(number), "execute"),
                *(str(tmp_path / "pylock.toml"), "--target", str(target), "--lanes", "1"),
            ],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        written = "".join(
            path.read_text(errors="replace") for path in target.rglob("*") if path.is_file()
        )
        check(f"{told.stderr}{told.stdout}{written}.")


def test_an_archive_of_a_lock_is_written_down_without_its_password(
    tmp_path: Path, server: Server
) -> None:
    url = server.script(f"/{WHEEL.filename}", file(WHEEL.content)).replace(
        "//", f"//user:{QUOTED}@"
    )
    lock = (
        'lock-version = "1.0"\ncreated-by = "tests"\n[[packages]]\nname = "demo"\n'
        f'[packages.archive]\nurl = "{url}?token={QUOTED}"\n'
        f'hashes = {{sha256 = "{WHEEL.sha256}"}}\n'
    )
    told = run(tmp_path, lock)
    check(told)
    assert '"archive_info"' in told
