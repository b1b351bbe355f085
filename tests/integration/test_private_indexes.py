"""Pages and habits of private index services, from their documentation, in both phases.

JFrog Artifactory, Sonatype Nexus, GitLab's package registry, Google Artifact Registry and an object
store that answers 403 for everything that it does not have.
"""

from __future__ import annotations

import base64
import html
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

import lockstream
from helpers.servers import Answer, Connection, Request, Server, file, head_of, redirect, status
from helpers.surroundings import leave_plain
from helpers.wheels import Wheel, build_wheel

LOGIN = "Basic " + base64.b64encode(b"ada:s3cret").decode()
APP = build_wheel("app", "1.0", requires=["base"], requires_python=">=3.8")
BASE = build_wheel("base", "1.0")
PUBLIC = build_wheel("base", "9.0")

pytestmark = pytest.mark.usefixtures("cache_folder")


@pytest.fixture(autouse=True)
def _surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_plain(monkeypatch)
    monkeypatch.chdir(tmp_path)
    Path("requirements.in").write_text("app\n")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password s3cret\n")
    monkeypatch.setenv("NETRC", str(netrc))


@pytest.fixture(name="servers")
def _servers() -> Iterator[Callable[[], Server]]:
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Server())


def private(answer: Answer) -> Answer:
    """The answer, for those who log in."""

    def choose(request: Request, connection: Connection) -> None:
        known = request.headers.get("authorization") == LOGIN
        denied = status(401, {"WWW-Authenticate": 'Basic realm="index"'})
        (answer if known else denied)(request, connection)

    return choose


def wheel_file(wheel: Wheel) -> Answer:
    """The wheel, or its size alone."""

    def answer(request: Request, connection: Connection) -> None:
        if request.method == "HEAD":
            connection.send(head_of(200, len(wheel.content), {}))
        else:
            file(wheel.content)(request, connection)

    return answer


def page(title: str, *anchors: str, doctype: str = "<!DOCTYPE html>") -> Answer:
    links = "<br/>\n".join(anchors)
    text = f"{doctype}\n<html><head><title>{title}</title></head><body><h1>{title}</h1>\n{links}"
    body = f"{text}\n</body></html>\n".encode()
    return status(200, {"Content-Type": "text/html;charset=utf-8"}, body)


def plan_and_execute(*arguments: str) -> dict[str, str]:
    """Plan and install; return the URL of the wheel of each package."""
    assert lockstream.main(["plan", "-q", "-r", "requirements.in", *arguments]) == 0
    text = Path("pylock.toml").read_text()
    assert "s3cret" not in text
    assert lockstream.main(["execute", "pylock.toml", "--venv", "env"]) == 0
    assert list(Path("env").glob("lib/python3*/site-packages/app-1.0.dist-info"))
    packages = tomllib.loads(text)["packages"]
    return {one["name"]: one["wheels"][0]["url"] for one in packages}


def test_artifactory(servers: Callable[[], Server]) -> None:
    """Links lead up from the page with rel="internal"; files have no METADATA beside them."""
    server = servers()
    base = "/artifactory/api/pypi/team-pypi"
    for wheel in (APP, BASE):
        name = wheel.filename.partition("-")[0]
        path = f"{name}/1.0/{wheel.filename}"
        link = f'<a href="../../{path}#sha256={wheel.sha256}" rel="internal" >{wheel.filename}</a>'
        listing = page(f"Simple Index for {name}", link, '<a href="../">Parent</a>')
        server.script(f"{base}/simple/{name}/", private(listing))
        server.script(f"{base}/{path}", private(wheel_file(wheel)))
    found = plan_and_execute("-i", f"{server.origin}{base}/simple")
    assert found["app"] == f"{server.origin}{base}/app/1.0/{APP.filename}"


def test_nexus(servers: Callable[[], Server]) -> None:
    """Attributes may be empty, and an MD5 may stand beside the SHA-256."""
    server = servers()
    base = "/repository/pypi-group"
    for wheel, python in ((APP, "&gt;=3.8"), (BASE, "")):
        name = wheel.filename.partition("-")[0]
        path = f"packages/{name}/1.0/{wheel.filename}"
        link = (
            f'<a href="../../{path}#sha256={wheel.sha256}" rel="internal" '
            f'data-requires-python="{python}">{wheel.filename}</a>'
        )
        listing = page(f"Links for {name}", link, doctype='<html lang="en">')
        server.script(f"{base}/simple/{name}/", private(listing))
        server.script(f"{base}/{path}", private(wheel_file(wheel)))
    assert set(plan_and_execute("-i", f"{server.origin}{base}/simple/")) == {"app", "base"}


def test_gitlab(servers: Callable[[], Server]) -> None:
    """Files are addressed by their digest, and unknown projects are redirected to a public index,
    which must not see the login.
    """
    gitlab, public = servers(), servers()
    base = "/api/v4/projects/1/packages/pypi"
    path = f"{base}/files/{APP.sha256}/{APP.filename}"
    link = (
        f'<a href="{gitlab.origin}{path}#sha256={APP.sha256}" '
        f'data-requires-python="{html.escape(">=3.8")}">{APP.filename}</a>'
    )
    gitlab.script(f"{base}/simple/app/", private(page("Links for app", link)))
    gitlab.script(path, private(wheel_file(APP)))
    there = public.origin.replace("127.0.0.1", "localhost")
    gitlab.script(f"{base}/simple/base/", private(redirect(f"{there}/simple/base/")))
    link = f'<a href="/files/{BASE.filename}#sha256={BASE.sha256}">{BASE.filename}</a>'
    public.script("/simple/base/", page("Links for base", link))
    public.script(f"/files/{BASE.filename}", wheel_file(BASE))
    found = plan_and_execute("-i", f"{gitlab.origin}{base}/simple")
    assert found["base"] == f"{there}/files/{BASE.filename}"
    assert not any("authorization" in request.headers for request in public.requests)


def test_google_artifact_registry(servers: Callable[[], Server]) -> None:
    """Files are redirected to signed URLs of a store, which refuses HEAD and every login."""
    registry, store = servers(), servers()
    there = store.origin.replace("127.0.0.1", "localhost")

    def signed(wheel: Wheel) -> Answer:
        def answer(request: Request, connection: Connection) -> None:
            if request.method == "HEAD":
                connection.send(head_of(403, 0, {}))
                return
            is_valid = "authorization" not in request.headers
            (file(wheel.content) if is_valid else status(403))(request, connection)

        return answer

    for wheel in (APP, BASE):
        name = wheel.filename.partition("-")[0]
        path = f"/project/repository/{name}/{wheel.filename}"
        link = f'<a href="{registry.origin}{path}#sha256={wheel.sha256}">{wheel.filename}</a>'
        listing = page(f"Links for {name}", link)
        registry.script(f"/project/repository/simple/{name}/", private(listing))
        target = f"{there}/artifacts/{wheel.sha256}?Expires=1&Signature=s3cret"
        registry.script(path, private(redirect(target)))
        store.script(f"/artifacts/{wheel.sha256}", signed(wheel))
    found = plan_and_execute("-i", f"{registry.origin}/project/repository/simple/")
    assert found["app"] == f"{registry.origin}/project/repository/app/{APP.filename}"


def test_an_object_store_that_answers_403_for_what_it_does_not_have(
    servers: Callable[[], Server], capsys: pytest.CaptureFixture[str]
) -> None:
    store, public = servers(), servers()
    link = f'<a href="/whl/{APP.filename}#sha256={APP.sha256}">{APP.filename}</a>'
    store.script("/whl/app/", page("Links for app", link))
    store.script(f"/whl/{APP.filename}", wheel_file(APP))
    store.script("/whl/base/", status(403, body=b"<Error><Code>AccessDenied</Code></Error>"))
    link = f'<a href="/files/{PUBLIC.filename}#sha256={PUBLIC.sha256}">{PUBLIC.filename}</a>'
    public.script("/simple/base/", page("Links for base", link))
    public.script(f"/files/{PUBLIC.filename}", wheel_file(PUBLIC))
    indexes = ["--index", f"{store.origin}/whl", "-i", f"{public.origin}/simple"]
    assert "base" in plan_and_execute(*indexes)
    assert f"warning: {store.origin}/whl answers 403 for base" in capsys.readouterr().err
    # Again, from what was remembered; then with a login that is not valid any more.
    plan_and_execute(*indexes, "--refresh", "-U")
    store.script("/whl/app/", status(403))
    words = ["plan", "-q", "-r", "requirements.in", *indexes, "--refresh", "-U"]
    assert lockstream.main(words) == 5
    assert "/whl/app/: the server answers 403" in capsys.readouterr().err
