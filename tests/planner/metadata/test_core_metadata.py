"""Metadata gives the requirements of a distribution, or is refused."""

from __future__ import annotations

import email.parser
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.metadata.core_metadata import (
    InvalidMetadata,
    WheelMetadata,
    parse_metadata,
    read_fields,
    select,
    split_headers,
)
from planner.model.dependencies import MarkerEvaluator
from schemas.target import Target

MARKERS = MarkerEvaluator(Target.named("3.11", "manylinux_2_28_x86_64").environment)


def parse(*lines: str) -> WheelMetadata:
    text = "\n".join(["Metadata-Version: 2.1", "Name: Demo", "Version: 1.0", *lines, "", "Text"])
    return parse_metadata(text.encode())


def texts(metadata: WheelMetadata, extra: str | None = None) -> list[str]:
    normalized = None if extra is None else canonicalize_name(extra)
    found = select(metadata.requires, MARKERS, normalized)
    return [dependency.text for dependency in found]


def test_the_fields_that_planning_needs_are_read() -> None:
    metadata = parse("Requires-Python: >=3.9", "Provides-Extra: Some_Extra", "Requires-Dist: a>1")
    assert metadata.name == "demo"
    assert metadata.version == Version("1.0")
    assert metadata.requires_python == ">=3.9"
    assert metadata.extras == {"some-extra"}
    assert texts(metadata) == ["a>1"]


def test_the_long_description_is_no_header() -> None:
    content = b"Name: demo\r\nVersion: 1\r\n\r\nRequires-Dist: other\r\n"
    assert parse_metadata(content).requires == ()


def test_text_beyond_ascii_does_no_harm() -> None:
    content = "Name: demo\nVersion: 1\nAuthor: Zoë\nSummary: \udc00".encode(
        "utf-8", "surrogatepass"
    )
    assert parse_metadata(content).name == "demo"


def test_markers_choose_what_is_asked_for() -> None:
    metadata = parse(
        "Requires-Dist: always",
        'Requires-Dist: here; sys_platform == "linux"',
        'Requires-Dist: there; sys_platform == "win32"',
        'Requires-Dist: more; extra == "a-b"',
        'Requires-Dist: most; extra == "A_B" and sys_platform == "linux"',
        'Requires-Dist: not-here; extra == "a.b" and sys_platform == "win32"',
    )
    assert texts(metadata) == ["always", 'here; sys_platform == "linux"']
    assert [text.partition(";")[0] for text in texts(metadata, "A.b")] == ["more", "most"]


def test_a_requirement_with_extras_is_one_for_each_and_one_for_the_project() -> None:
    found = select(parse("Requires-Dist: other[b,a]>1").requires, MARKERS, None)
    assert [str(dependency.identifier) for dependency in found] == ["other[a]", "other[b]", "other"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"Version: 1\n", "its metadata has no name or no version", id="no name"),
        pytest.param(b"Name: demo\n", "its metadata has no name or no version", id="no version"),
        pytest.param(b"Name: demo\nVersion: new\n", "its metadata has the version 'new'",
                     id="no such version"),
        pytest.param(b"Name: demo\nVersion: 1\nRequires-Dist: a>=1.0.x\n",
                     "its metadata has an invalid requirement: Expected comma (within version "
                     "specifier), semicolon (after version specifier) or end", id="requirement"),
    ],
)  # fmt: skip
def test_metadata_that_would_make_planning_guess_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidMetadata) as raised:
        parse_metadata(content)
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param('Requires-Dist: other; python_version ~= "x"',
                     'the marker of other; python_version ~= "x" is invalid: '
                     "Undefined <Op('~=')> on '3.11' and 'x'.", id="an undefined comparison"),
    ],
)  # fmt: skip
def test_a_dependency_that_cannot_be_resolved_is_refused(line: str, problem: str) -> None:
    with pytest.raises(InvalidMetadata) as raised:
        texts(parse(line))
    assert str(raised.value) == problem


def test_what_does_not_apply_may_be_anything() -> None:
    line = 'Requires-Dist: other @ https://files.example/other.whl ; sys_platform == "win32"'
    assert texts(parse(line)) == []


LINES = st.sampled_from([
    b"Name: demo", b"NAME:other ", b"Version: 1.0", b"version:\t2", b"Requires-Dist: one>=1",
    b"requires-dist:two", b"Requires-Python: >=3.8", b"Provides-Extra: x", b"Provides-Extra:",
    b"Author: \xc3\xa9", b"Requires-Dist: \xc3\xa9", b"License: of", b"  several lines", b"\t",
    b"Name : spaced", b"no field", b"From here", b": nothing", b"Summary: a: b", b"a\x0bb: c",
])  # fmt: skip


@given(st.lists(LINES, max_size=8), st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_fields_are_those_that_the_parser_of_emails_reads(lines: list[bytes], end: bytes) -> None:
    headers = split_headers(end.join(lines))
    message = email.parser.BytesHeaderParser().parsebytes(headers)
    found = read_fields(headers)
    for name in ("name", "version", "requires-dist", "requires-python", "provides-extra"):
        values = (str(one) for one in message.get_all(name, ()))
        assert list(found[name]) == [re.sub(r"[\r\n]", "", one) for one in values]


def test_a_folded_requirement_is_read_as_one_line() -> None:
    lines = "Requires-Dist: one>=1,\n <2\nRequires-Dist: two;\r\n\tpython_version > '3'"
    assert texts(parse(lines)) == ["one<2,>=1", 'two; python_version > "3"']
