"""A project comes from one of several indexes, and from links; no other place counts."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

import lockstream
from helpers.index import Index as RunningIndex
from helpers.locks import LINUX
from helpers.planning import plan_here, planned_packages
from helpers.wheels import Wheel, build_wheel
from planner.index.indexes import (
    Index,
    Indexes,
    Links,
    Pin,
    parse_index,
    parse_links_place,
)
from planner.model.conditions import Condition
from planner.model.environments import group_targets
from schemas.credentials import Login, login_of_index
from schemas.errors import UsageError
from schemas.target import Target

URL = "https://one.example/simple"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"{URL}/", Index(url=URL), id="a URL"),
        pytest.param(f" {URL}/\n", Index(url=URL), id="white space around it"),
        pytest.param(f"internal={URL}", Index(url=URL, name="internal"), id="a name"),
        pytest.param("https://ada:s3cret@one.example:8443/?token=x#y",
                     Index(url="https://one.example:8443", login=Login("ada", "s3cret")),
                     id="credentials, query and fragment"),
        pytest.param("http://one.example/a=b", Index(url="http://one.example/a=b"),
                     id="an equals sign in the path"),
    ],
)  # fmt: skip
def test_an_index_is_a_url_perhaps_with_a_name(text: str, expected: Index) -> None:
    assert parse_index(text, named=True) == expected


@pytest.mark.parametrize(
    "text",
    ["index.example", "/simple", "ftp://ada:s3cret@one.example", "", "https://ada:s3cret@[::1/x"],
)
def test_what_is_no_address_of_an_index_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_index(text)
    assert "s3cret" not in f"{raised.value} {raised.value.hint}"


def test_links_are_in_a_folder_or_on_a_page() -> None:
    assert parse_links_place("wheels") == Links("wheels")
    assert parse_links_place("file:///a%20b/wheels") == Links("/a b/wheels")
    page = parse_links_place("https://a:b@links.example/page?x=1")
    assert page == Links("https://links.example/page?x=1", Login("a", "b"))
    with pytest.raises(UsageError):
        parse_links_place("ftp://links.example/")


DEMO = canonicalize_name("demo")

ON_LINUX, ON_WINDOWS = group_targets([Target.named("3.12", name) for name in ("linux", "windows")])


def test_a_project_is_pinned_to_an_index_that_is_known() -> None:
    message = "demo is pinned to the index 'two', which is not known"
    with pytest.raises(UsageError, match=message) as found:
        Indexes(places=(Index(url=URL, name="one"),), pins={DEMO: (Pin("two"),)})
    assert "--index two=URL" in found.value.hint
    assert "known by name: one" in found.value.hint


def test_a_project_may_be_pinned_in_some_environments() -> None:
    places = tuple(Index(url=f"{URL}/{name}", name=name, explicit=True) for name in ("one", "two"))
    public = Index(url=URL)
    on_linux = Condition(Marker('sys_platform == "linux"'))
    pins = {DEMO: (Pin("one", on_linux),)}
    indexes = Indexes(places=(*places, public), pins=pins)
    assert indexes.divided == {DEMO}
    assert indexes.places_of(indexes.pin_of(DEMO, ON_LINUX)) == places[:1]
    assert indexes.places_of(indexes.pin_of(DEMO, ON_WINDOWS)) == (public,)
    assert not replace(indexes, pins={DEMO: (Pin("one"),)}).divided


def test_a_project_has_one_index_in_one_environment() -> None:
    places = tuple(Index(url=f"{URL}/{name}", name=name) for name in ("one", "two"))
    newer = Condition(Marker('python_version >= "3.11"'))
    indexes = Indexes(places=places, pins={DEMO: (Pin("one"), Pin("two", newer))})
    with pytest.raises(UsageError) as raised:
        indexes.pin_of(DEMO, ON_LINUX)
    assert str(raised.value) == (
        "demo is pinned to several indexes for CPython 3.12.0 on manylinux_2_28_x86_64: one, two"
    )


@pytest.fixture
def internal() -> Iterator[RunningIndex]:
    with RunningIndex() as running:
        yield running


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("NETRC", "/dev/null")


def plan(*arguments: str, lines: str = "app", status: int = 0) -> dict[str, str]:
    """Return which version of each project was planned from which index, file or page."""
    assert plan_here(None, "-U", *arguments, lines=lines.splitlines()) == status
    packages = {} if status else planned_packages()
    return {name: f"{one['version']} {one.get('index', '-')}" for name, one in packages.items()}


def url(index: RunningIndex) -> str:
    return index.url.rstrip("/")


@pytest.fixture
def _confusion(index: RunningIndex, internal: RunningIndex) -> None:
    """Somebody publishes a higher version of an internal project where everybody may."""
    internal.add(build_wheel("app", "1.0", requires=["base"]))
    index.add(build_wheel("app", "99.0"), build_wheel("base", "1.0"))


@pytest.mark.usefixtures("_confusion")
def test_a_higher_version_on_a_public_index_confuses_nobody(
    index: RunningIndex, internal: RunningIndex
) -> None:
    expected = {"app": f"1.0 {url(internal)}", "base": f"1.0 {url(index)}"}
    assert plan("-i", index.url, "--index", internal.url) == expected
    assert plan("-i", index.url, "--index", f"internal={internal.url}") == expected
    assert plan("-i", index.url, lines=f"--extra-index-url {internal.url}\napp\n") == expected
    assert "/simple/app/" not in index.paths()


@pytest.mark.usefixtures("_confusion")
def test_indexes_that_the_environment_names_count_before_the_default_one(
    index: RunningIndex, internal: RunningIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", internal.url)
    assert plan("-i", index.url)["app"] == f"1.0 {url(internal)}"


@pytest.mark.usefixtures("_confusion")
def test_the_highest_version_wins_only_where_that_is_asked_for(
    index: RunningIndex, internal: RunningIndex
) -> None:
    words = ["-i", index.url, "--index", internal.url]
    assert plan(*words, "--index-strategy", "unsafe-best-match") == {
        "app": f"99.0 {url(index)}"
    }  # fmt: skip


def test_a_project_that_its_index_has_no_usable_version_of_is_not_looked_for_elsewhere(
    index: RunningIndex, internal: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    internal.add(build_wheel("app", "1.0"))
    index.add(build_wheel("app", "2.0"))
    plan("-i", index.url, "--index", internal.url, lines="app>=2\n", status=4)
    assert "no version of app suits; the index has 1.0" in capsys.readouterr().err


def test_a_project_can_be_pinned_to_an_index(index: RunningIndex, internal: RunningIndex) -> None:
    internal.add(build_wheel("app", "1.0"), build_wheel("base", "1.0"))
    index.add(build_wheel("app", "2.0", requires=["base"]), build_wheel("base", "2.0"))
    words = ["--index", f"internal={internal.url}", "--index", f"public={index.url}"]
    found = plan(*words, "--package-index", "App=public", "-i", index.url)
    assert found == {"app": f"2.0 {url(index)}", "base": f"1.0 {url(internal)}"}


def test_an_explicit_index_is_for_what_is_pinned_to_it(
    index: RunningIndex, internal: RunningIndex
) -> None:
    internal.add(build_wheel("app", "1.0"), build_wheel("base", "1.0"))
    index.add(build_wheel("app", "2.0", requires=["base"]), build_wheel("base", "2.0"))
    Path("pyproject.toml").write_text(
        '[project]\nname = "top"\ndependencies = ["app", "base"]\n'
        f'[tool.lockstream]\ndefault-index = "{index.url}"\n'
        f'[tool.lockstream.indexes]\ninternal = {{ url = "{internal.url}", explicit = true }}\n'
        '[tool.lockstream.sources]\nBase = "internal"\n'
    )
    assert lockstream.main(["plan", "-q", *LINUX]) == 0
    packages = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert [(one["version"], one["index"]) for one in packages] == [
        ("2.0", url(index)), ("1.0", url(internal)),
    ]  # fmt: skip


def folder(*wheels: Wheel) -> str:
    Path("wheels").mkdir()
    Path("wheels", "README").write_text("Wheels.")
    for wheel in wheels:
        wheel.write(Path("wheels"))
    return "wheels"


def test_wheels_in_a_folder_are_used_first(index: RunningIndex) -> None:
    wheel = build_wheel("app", "1.0", requires=["base"])
    index.add(build_wheel("app", "1.0"), build_wheel("app", "2.0"), build_wheel("base"))
    place = folder(wheel)
    for arguments, lines in ((("-f", place), "app<2"), ((), f"-f {place}\napp<2\n")):
        assert plan("-i", index.url, *arguments, lines=lines) == {
            "app": "1.0 -", "base": f"1.0 {url(index)}",
        }  # fmt: skip
    (app, _) = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    (told,) = app["wheels"]
    assert told["path"] == f"wheels/{wheel.filename}"
    assert (told["size"], told["hashes"]) == (wheel.size, {"sha256": wheel.sha256})
    assert app["tool"]["lockstream"]["wheels"][wheel.filename] == wheel.hints.to_table()


def test_a_folder_does_not_hide_what_the_index_has(index: RunningIndex) -> None:
    index.add(build_wheel("app", "2.0"), build_wheel("base", "1.0"))
    place = folder(build_wheel("app", "1.0"), build_wheel("base", "1.0", tag="py3-none-win32"))
    words = ["-i", index.url, "-f", place]
    assert plan(*words) == {"app": f"2.0 {url(index)}"}
    assert plan(*words, lines="base\n") == {"base": f"1.0 {url(index)}"}
    assert plan(*words, lines="app==1.0\n") == {"app": "1.0 -"}


def test_an_index_in_a_folder_does_not_hide_what_the_index_has(index: RunningIndex) -> None:
    index.add(build_wheel("app", "2.0"))
    wheel = build_wheel("app", "1.0")
    place = Path("local/app")
    place.mkdir(parents=True)
    wheel.write(place)
    Path(place, "index.html").write_text(f'<a href="{wheel.filename}">{wheel.filename}</a>')
    words = ["-i", index.url, "--index", f"own={Path('local').absolute().as_uri()}"]
    assert plan(*words) == {"app": f"2.0 {url(index)}"}
    assert plan(*words, lines="app==1.0")["app"].startswith("1.0 ")
    assert plan(*words, "--package-index", "app=own")["app"].startswith("1.0 ")


def test_without_an_index_nobody_is_asked() -> None:
    place = folder(build_wheel("app", requires=["base"]), build_wheel("base"))
    assert plan("--no-index", "-f", place) == {"app": "1.0 -", "base": "1.0 -"}
    assert plan(lines=f"--no-index\n-f {place}\napp\n") == {"app": "1.0 -", "base": "1.0 -"}
    plan("--no-index", "-f", place, lines="other\n", status=4)


def test_a_page_of_links_is_used(index: RunningIndex) -> None:
    wheel = build_wheel("app")
    index.add(wheel)
    href = f"files/{wheel.filename}#sha256={wheel.sha256}"
    page = f'<a href="{href}">app</a><a href="other.zip">other</a>'.encode()
    index.answers["/page"] = [(200, {"Content-Type": "text/html"}, page)]
    assert plan("--no-index", "-f", f"{index.origin}/page") == {"app": "1.0 -"}
    (app,) = tomllib.loads(Path("pylock.toml").read_text())["packages"]
    assert app["wheels"][0]["url"] == index.url_of(wheel.filename)


@pytest.mark.parametrize("variable", ["", "PIP_FIND_LINKS", "UV_FIND_LINKS"])
def test_a_folder_that_is_not_there_is_named_wherever_that_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    if variable:
        monkeypatch.setenv(variable, "no-such")
    plan("--no-index", *(() if variable else ("-f", "no-such")), status=2)
    shown = capsys.readouterr().err
    assert "error: --find-links 'no-such': No such file or directory" in shown
    assert variable in shown.partition("hint: ")[2]


def test_a_file_that_its_server_does_not_have_is_passed_over(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", "1.0"))
    # The cache knows wheels by their hash: this one is new in each run.
    unique = {"app/unique.txt": secrets.token_hex()}
    index.add(build_wheel("app", "2.0", files=unique), url="../../gone/app-2.0-py3-none-any.whl")
    for index.form in ("json", "html"):
        Path("requirements.in").write_text("app\n")
        words = ["plan", "-U", "-r", "requirements.in", *LINUX, "-i", index.url]
        assert lockstream.main(words) == 0
        assert "passed over app 2.0: " in (told := capsys.readouterr().err)
        assert "its page lists it, but the server answers 404 Not Found" in told
    plan("-i", index.url, lines="app==2.0\n", status=4)


def test_an_address_that_its_server_does_not_have_is_an_error_of_the_address(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"{index.origin}/gone/app-2.0-py3-none-any.whl"
    plan("-i", index.url, lines=f"app @ {url}\n", status=5)
    assert capsys.readouterr().err == (
        f"error: {url}: the server answers 404 Not Found\n"
        "hint: correct the address of the requirement\n"
    )


def test_another_version_than_that_at_the_address_is_not_looked_for_on_an_index(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = build_wheel("app", "1.0")
    index.add(wheel, build_wheel("app", "2.0"))
    plan("-i", index.url, lines=f"app @ {index.url_of(wheel.filename)}\napp==2.0\n", status=4)
    told = capsys.readouterr().err
    assert "no version of app suits; its address has 1.0\n" in told
    assert "--package-index" not in told


def test_an_index_cannot_lead_to_files_of_this_machine(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    path = build_wheel("app").write(Path.cwd())
    for index.form in ("json", "html"):
        index.add(build_wheel("app"), url=path.as_uri(), hashes={})
        plan("-i", index.url, status=4)
        # A long address is shortened.
        told = f"{index.url}app/ has broken links, which are skipped: {path.as_uri()[:60]}"
        assert told in capsys.readouterr().err


def test_each_index_gets_its_own_credentials(
    index: RunningIndex,
    internal: RunningIndex,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    index.login, internal.login = ("ada", "public-s3cret"), ("bob", "internal-s3cret")
    internal.add(build_wheel("app", requires=["base"]))
    index.add(build_wheel("base"))
    words = ["-i", index.url.replace("://", "://ada:public-s3cret@")]
    plan(*words, "--index", f"our-own={internal.url}", status=5)
    monkeypatch.setenv("LOCKSTREAM_INDEX_OUR_OWN_USERNAME", "bob")
    monkeypatch.setenv("LOCKSTREAM_INDEX_OUR_OWN_PASSWORD", "internal-s3cret")
    assert set(plan(*words, "--index", f"our-own={internal.url}")) == {"app", "base"}
    monkeypatch.delenv("LOCKSTREAM_INDEX_OUR_OWN_USERNAME")
    monkeypatch.delenv("LOCKSTREAM_INDEX_OUR_OWN_PASSWORD")
    Path("netrc").write_text("machine 127.0.0.1 login bob password internal-s3cret\n")
    monkeypatch.setenv("NETRC", "netrc")
    assert set(plan(*words, "--index", f"our-own={internal.url}")) == {"app", "base"}
    told = capsys.readouterr()
    assert "s3cret" not in Path("pylock.toml").read_text() + told.out + told.err


def test_files_of_other_hosts_are_refused_where_hosts_are_named(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app", "1.0"))
    index.add(build_wheel("app", "2.0"), url="https://files.example/app-2.0-py3-none-any.whl")
    words = ["-i", index.url, "--allow-host", "127.0.0.1"]
    assert plan(*words) == {"app": f"1.0 {url(index)}"}
    plan(*words, lines="app==2.0", status=4)
    assert "it is at files.example, which --allow-host does not name" in capsys.readouterr().err


def test_the_state_of_a_project_is_told(
    index: RunningIndex, capsys: pytest.CaptureFixture[str]
) -> None:
    index.add(build_wheel("app"))
    index.status["app"] = {"status": "archived", "reason": "use other"}
    index.api_version = "1.9"
    for index.form in ("json", "html"):
        plan("-i", index.url)
        assert capsys.readouterr().err == (
            "warning: the project app is archived: use other\n"
            f"warning: {url(index)} speaks version 1.9 of its API, newer than what is known here\n"
        )


def test_variables_are_named_for_an_index() -> None:
    environment = {
        "LOCKSTREAM_INDEX_OUR_OWN_USERNAME": "ada", "LOCKSTREAM_INDEX_OUR_OWN_PASSWORD": "1",
        "UV_INDEX_OTHER_PASSWORD": "token",
    }  # fmt: skip
    assert login_of_index("our-own", environment) == Login("ada", "1")
    assert login_of_index("other", environment) == Login("", "token")
    assert login_of_index("third", environment) is None


@pytest.mark.parametrize("port", ["99999", "port", "-1"])
@pytest.mark.parametrize("login", ["", "ada:s3cret@"])
def test_an_index_with_a_port_that_is_none_is_refused(port: str, login: str) -> None:
    with pytest.raises(UsageError, match="is not an http, https or file address") as raised:
        parse_index(f"http://{login}index.example:{port}/simple")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "file:", "file://"])
def test_links_without_a_place_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--find-links names no place"):
        parse_links_place(text)
