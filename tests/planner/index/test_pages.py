"""Both forms of a project page give the same files, and neither is trusted to be well-formed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from helpers.index import Index
from helpers.wheels import build_wheel
from planner.index.errors import IndexAnswer, SignInPage
from planner.index.pages import ProjectFile, ProjectPage, parse_page

NAME = canonicalize_name("demo")
URL = "https://index.example/simple/demo/"
JSON = "application/vnd.pypi.simple.v1+json"


def files_of(page: ProjectPage) -> tuple[ProjectFile, ...]:
    return tuple(file for group in page.files.values() for file in group)


def parse_json(*entries: dict[str, Any], version: str = "1.1") -> tuple[ProjectFile, ...]:
    page = {"meta": {"api-version": version}, "name": "demo", "files": list(entries)}
    return files_of(parse_page(NAME, json.dumps(page).encode(), content_type=JSON, url=URL))


def parse_html(text: str) -> tuple[ProjectFile, ...]:
    kind = "text/html; charset=utf-8"
    return files_of(parse_page(NAME, text.encode(), content_type=kind, url=URL))


@pytest.mark.parametrize("form", ["json", "html"])
def test_both_forms_tell_of_the_same_file(form: str) -> None:
    index = Index(form=form, metadata=True)  # type: ignore[arg-type]
    wheel = build_wheel("demo", "1.0+local")
    index.add(wheel, requires_python=">=3.9,<4", yanked='broken <"here">')
    served = index.page("demo")
    assert served is not None
    (file,) = files_of(parse_page(NAME, served[1], content_type=served[0], url=URL))
    assert file.filename == wheel.filename
    assert file.url == "https://index.example/files/demo-1.0%2Blocal-py3-none-any.whl"
    assert file.hashes == {"sha256": wheel.sha256}
    assert file.requires_python == ">=3.9,<4"
    assert file.yanked == 'broken <"here">'
    assert file.metadata_hashes is not None
    assert len(file.metadata_hashes["sha256"]) == 64


@pytest.mark.parametrize(
    ("link", "url"),
    [
        pytest.param("demo.whl", f"{URL}demo.whl", id="relative to the page"),
        pytest.param("/f/demo.whl", "https://index.example/f/demo.whl", id="relative to the host"),
        pytest.param(" ../demo.whl\n", "https://index.example/simple/demo.whl", id="white space"),
        pytest.param("https://files.example/demo.whl#sha256=ab", "https://files.example/demo.whl",
                     id="a fragment is no part of it"),
        pytest.param("https://ada:s3cret@files.example:8443/demo.whl",
                     "https://files.example:8443/demo.whl", id="credentials are no part of it"),
    ],
)  # fmt: skip
def test_an_address_is_absolute_and_clean(link: str, url: str) -> None:
    (file,) = parse_json({"filename": "demo.whl", "url": link})
    assert file.url == url


def test_metadata_is_beside_the_file_whatever_its_query() -> None:
    (file,) = parse_json({"filename": "demo.whl", "url": "/f/demo.whl?a=b"})
    assert file.metadata_url == "https://index.example/f/demo.whl.metadata?a=b"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({}, None, id="not told"),
        pytest.param({"core-metadata": False}, None, id="there is none"),
        pytest.param({"core-metadata": True}, {}, id="without a digest"),
        pytest.param({"core-metadata": {"sha256": "AB"}}, {"sha256": "ab"}, id="with one"),
        pytest.param({"dist-info-metadata": {"sha256": "ab"}}, {"sha256": "ab"}, id="the old key"),
        pytest.param(
            {"core-metadata": False, "dist-info-metadata": True}, None, id="the new key counts"
        ),
    ],
)
def test_core_metadata_has_two_names(told: dict[str, Any], expected: object) -> None:
    (file,) = parse_json({"filename": "demo.whl", "url": "demo.whl", **told})
    assert file.metadata_hashes == expected


@pytest.mark.parametrize(
    ("told", "expected"),
    [(False, None), (True, ""), ("", None), (None, None), (0, None), ("a reason", "a reason")],
)
def test_a_file_is_yanked_if_the_value_is_truthy(told: object, expected: object) -> None:
    (file,) = parse_json({"filename": "demo.whl", "url": "demo.whl", "yanked": told})
    assert file.yanked == expected


@pytest.mark.parametrize("told", [0, -1, "12", True, None])
def test_a_size_that_no_file_has_counts_as_not_given(told: object) -> None:
    (file,) = parse_json({"filename": "demo.whl", "url": "demo.whl", "size": told})
    assert file.size is None


def test_what_is_malformed_counts_as_not_given() -> None:
    (file,) = parse_json(
        {
            "filename": "demo.whl",
            "url": "demo.whl",
            "size": "12",
            "hashes": ["sha256"],
            "requires-python": 3,
            "upload-time": 1,
        }
    )
    assert (file.size, file.hashes, file.requires_python, file.upload_time) == (
        None,
        {},
        None,
        None,
    )


def test_a_page_of_html_may_move_its_base() -> None:
    (file,) = parse_html('<base href="/f/"><a href="demo-1.0.tar.gz#md5=AB">demo</a>')
    assert file.url == "https://index.example/f/demo-1.0.tar.gz"
    assert file.filename == "demo-1.0.tar.gz"
    assert file.hashes == {"md5": "ab"}


def test_a_page_with_a_form_and_without_files_is_no_page_of_an_index() -> None:
    with pytest.raises(SignInPage, match="it is a web page with a form, not a project page"):
        parse_html('<form action="/login"><a href="/forgot">Forgot it?</a></form>')
    (file,) = parse_html('<form></form><a href="demo-1.0.tar.gz">demo</a>')
    assert file.filename == "demo-1.0.tar.gz"


def test_anchors_that_name_no_file_are_left_out() -> None:
    assert parse_html('<a>none</a><a href="https://home.example/">home</a>') == ()


@pytest.mark.parametrize(
    ("content", "content_type", "problem"),
    [
        pytest.param(b"<html>", "application/json", "application/json is not a project page "
                     "(it begins '<html>')", id="another type"),
        pytest.param(b"", "", "an untyped answer is not a project page (it begins '')",
                     id="no type"),
        pytest.param(b"{", JSON, "not a project page in JSON: ", id="broken JSON"),
        pytest.param(b"[]", JSON, "not a project page in JSON: ", id="other JSON"),
        pytest.param(b'{"meta": {"api-version": "1.0"}, "files": {}}', JSON,
                     "not a project page in JSON: it has no table 'meta', or no list 'files'",
                     id="no list"),
        pytest.param(b'{"meta": {"api-version": "2.0"}, "files": []}', JSON,
                     "the index has version 2.0 of the API, only 1.x is supported",
                     id="a newer major"),
        pytest.param(b'<meta name="pypi:repository-version" content="2.0">', "text/html",
                     "the index has version 2.0 of the API, only 1.x is supported",
                     id="a newer HTML"),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_project_page_is_refused(
    content: bytes, content_type: str, problem: str
) -> None:
    with pytest.raises(IndexAnswer) as raised:
        parse_page(NAME, content, content_type=content_type, url=URL)
    assert str(raised.value).startswith(f"{URL}: {problem}")


def test_a_newer_minor_version_is_read() -> None:
    assert len(parse_json({"filename": "demo.whl", "url": "demo.whl"}, version="1.99")) == 1


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("sha256=AB", {"sha256": "ab"}),
        ("egg=demo&sha256=ab", {"sha256": "ab"}),
        ("sha256=ab&md5=cd&subdirectory=x", {"sha256": "ab", "md5": "cd"}),
        ("egg=demo", {}),
        ("sha256", {}),
        ("", {}),
    ],
)
def test_every_part_of_a_fragment_may_be_a_hash(fragment: str, expected: dict[str, str]) -> None:
    html = f'<a href="demo-1.0-py3-none-any.whl#{fragment.replace("&", "&amp;")}">demo</a>'
    page = parse_page(NAME, html.encode(), content_type="text/html", url=URL)
    (file,) = files_of(page)
    assert file.hashes == expected


@pytest.mark.parametrize(
    ("attribute", "expected"),
    [("", None), ("data-yanked", ""), ("data-yanked=''", ""), ("data-yanked='bad'", "bad")],
)
def test_an_anchor_is_yanked_by_its_attribute(attribute: str, expected: str | None) -> None:
    html = f'<a href="demo-1.0-py3-none-any.whl" {attribute}>demo</a>'
    (file,) = files_of(parse_page(NAME, html.encode(), content_type="text/html", url=URL))
    assert file.yanked == expected


@pytest.mark.parametrize(
    "media_type", ["", "text/plain", "text/html; charset=utf-8", "application/octet-stream; x=y"]
)
def test_a_page_of_a_vague_type_is_known_by_its_content(media_type: str) -> None:
    html = b'\n <a href="demo-1.0-py3-none-any.whl">demo</a>'
    in_json = json.dumps({"meta": {"api-version": "1.0"}, "files": [
        {"filename": "demo-1.0-py3-none-any.whl", "url": "x"}
    ]}).encode()  # fmt: skip
    for content in (html, in_json):
        (file,) = files_of(parse_page(NAME, content, content_type=media_type, url=URL))
        assert file.filename == "demo-1.0-py3-none-any.whl"
