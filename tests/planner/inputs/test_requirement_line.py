"""A requirement is a specifier, an address with a name, or an address that says its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from planner.inputs.errors import InvalidRequirementLine, UnsupportedRequirementLine
from planner.inputs.requirement_line import MAX_SHOWN, parse_requirement, quoted

HERE = "requirements.in:1"
FILE = "demo-1.0-py3-none-any.whl"


@pytest.fixture(autouse=True)
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    project = tmp_path / "our project"
    project.mkdir()
    (project / "pyproject.toml").write_text("[project]\nname = 'Our_Project'\nversion = '1'\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"./my wheels/{FILE}", "demo @ {here}/my%20wheels/" + FILE),
        (f"my wheels/{FILE}[x]", "demo[x] @ {here}/my%20wheels/" + FILE),
        (f"file:./my%20wheels/{FILE}", "demo @ {here}/my%20wheels/" + FILE),
        (f"file:{FILE}", "demo @ {here}/" + FILE),
        (f"file://localhost/a/{FILE}", f"demo @ file:///a/{FILE}"),
        (f"file:{FILE}#sha256=ab", "demo @ {here}/" + FILE + "#sha256=ab"),
        (f"demo @ file:a/{FILE}#md5=ab", "demo @ {here}/a/" + FILE + "#md5=ab"),
        (f"demo @ https://f.example/a/../b/./{FILE}?c=/../d#sha256=ab",
         f"demo @ https://f.example/b/{FILE}?c=/../d#sha256=ab"),
        (f"demo @ file:./wheels/{FILE}", "demo @ {here}/wheels/" + FILE),
        (f"demo @ ./wheels/{FILE}", "demo @ {here}/wheels/" + FILE),
        (f"demo[a] @ ./my wheels/{FILE} ; os_name == 'nt'",
         "demo[a] @ {here}/my%20wheels/" + FILE + " ; os_name == 'nt'"),
        (f"./{FILE};os_name=='nt'", "demo @ {here}/" + FILE + " ; os_name == 'nt'"),
        (f"./{FILE}#sha256=ab", "demo @ {here}/" + FILE + "#sha256=ab"),
        ("./demo_app-1.0.tar.gz", "demo-app @ {here}/demo_app-1.0.tar.gz"),
        ("demo-1.0.zip", "demo @ {here}/demo-1.0.zip"),
        ("https://f.example/demo-1.0.tar.gz", "demo @ https://f.example/demo-1.0.tar.gz"),
        ("https://f.example/x.zip#egg=demo[a]&sha256=ab",
         "demo[a] @ https://f.example/x.zip#egg=demo[a]&sha256=ab"),
        ("git+https://git.example/a.git@main#egg=demo",
         "demo @ git+https://git.example/a.git@main#egg=demo"),
        ("./our project", "our-project @ {here}/our%20project"),
        ("./our project[x]", "our-project[x] @ {here}/our%20project"),
        (f"https://f.example/a;b/{FILE} ; os_name == 'nt'",
         f"demo @ https://f.example/a;b/{FILE} ; os_name == 'nt'"),
    ],
)  # fmt: skip
def test_an_address_is_read_with_its_name(text: str, expected: str) -> None:
    expected = expected.replace("{here}", Path.cwd().as_uri())
    assert str(parse_requirement(text, HERE)) == str(Requirement(expected))


def test_a_relative_path_starts_from_the_given_folder() -> None:
    found = parse_requirement(f"demo @ file:{FILE}", HERE, folder="/project")
    assert found.url == f"file:///project/{FILE}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("demo @ http://[::1/x.whl", "has a malformed URL"),
        ("https://[::1/demo-1.0-py3-none-any.whl", "has a malformed URL"),
        ("demo @ https://f.example:99999/x.whl", "has a malformed URL"),
        ("demo @ https://f.example:port/x.whl", "has a malformed URL"),
        ("demo @ file://host/share/x.whl", "names a file of another host"),
        (
            "demo; python_version < '4.x'",
            "has a marker that means nothing: it compares python_version with what is not",
        ),
        ("demo; os_name == 'nt' and '3.x' > python_full_version", "compares python_full_version"),
        ("demo >=> 1", "is not a requirement"),
        ("", "is not a requirement"),
        ("[x]", "is not a requirement"),
        (f"./{FILE} ; nonsense", "is not a requirement"),
        ("https://f.example/x.zip#egg=-bad-", "is not a requirement"),
    ],
)
def test_what_is_malformed_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(InvalidRequirementLine, match=problem) as raised:
        parse_requirement(text, HERE)
    assert str(raised.value).startswith(f"{HERE}: ")


@pytest.mark.parametrize(
    "text",
    [
        "demo @ ftp://f.example/demo-1.0.tar.gz",
        "demo @ hg+https://hg.example/demo",
        "demo @ https:///demo-1.0.tar.gz",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedRequirementLine, match="an address in place of a version"):
        parse_requirement(text, HERE)


@pytest.mark.parametrize("text", ["demo~=2", "demo ~= 2 ; os_name == 'nt'", "demo(~=2)"])
def test_a_compatible_release_of_one_number_says_what_it_takes(text: str) -> None:
    with pytest.raises(InvalidRequirementLine, match=r"two numbers or more, such as ~=2\.0"):
        parse_requirement(text, HERE)
    parse_requirement(text.replace("2", "2.0"), HERE)


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("demo @ git@git.example:us/demo.git", "written as a URL", "begin it with git+ssh://"),
        ("git+git@git.example:us/demo.git", "written as a URL", "begin it with git+ssh://"),
        (f"demo @ https://f.example/{FILE};os_name=='nt'", "no space between", "write a space"),
        (f"https://f.example/{FILE};os_name == 'nt'", "no space between", "write a space"),
        ("-e ./demo", "-e is not supported", "in its place, name the folder"),
        (
            "git+https://git.example/a.git",
            "does not say which project",
            "write NAME @ and the addr",
        ),
        (
            "https://f.example/main.zip",
            "does not say which project",
            "write NAME @ and the address",
        ),
        ("./no-such-folder", "there is nothing at /.*/no-such-folder", "correct the path"),
        ("./nameless", "no pyproject.toml in .*/nameless says the name", "write NAME @ and the"),
    ],
)
def test_an_address_that_is_nearly_right_has_a_hint(text: str, problem: str, hint: str) -> None:
    Path("nameless").mkdir()
    with pytest.raises(UnsupportedRequirementLine, match=problem) as raised:
        parse_requirement(text, HERE)
    assert raised.value.hint.startswith(hint)
    assert parse_requirement("demo @ ./nameless", HERE).url == Path("nameless").resolve().as_uri()
    spaced = parse_requirement(f"demo @ https://f.example/{FILE};a=b ;os_name=='nt'", HERE)
    assert (spaced.url, str(spaced.marker)) == (
        f"https://f.example/{FILE};a=b", 'os_name == "nt"',
    )  # fmt: skip
    followed = "git+ssh://git@git.example/us/demo.git"
    assert parse_requirement(f"demo @ {followed}", HERE).url == followed


@pytest.mark.parametrize(
    "text", ["demo==s3cret!", "https://u:s3cret", "https://[s3cret", "demo ; s3cret == 1"]
)
def test_an_error_shows_the_line_as_it_was_written(text: str) -> None:
    with pytest.raises(InvalidRequirementLine) as raised:
        parse_requirement(text, HERE, written=text.replace("s3cret", "${TOKEN}"))
    assert "s3cret" not in str(raised.value)
    assert "with the values of its variables" in str(raised.value)


def test_a_path_that_is_a_mistyped_option_shows_no_password() -> None:
    with pytest.raises(UnsupportedRequirementLine, match="there is nothing at") as raised:
        parse_requirement('"dex-url https://u:s3cret@f.example', HERE)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("text", ["x " * 9000, "demo; " + "(" * 9000 + "os_name" + ")" * 9000])
def test_an_error_shows_the_beginning_of_a_long_line(text: str) -> None:
    with pytest.raises(InvalidRequirementLine) as caught:
        parse_requirement(text, HERE)
    assert quoted(text) in str(caught.value)
    assert len(str(caught.value)) < MAX_SHOWN + 200
