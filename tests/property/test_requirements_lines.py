"""However a requirement is laid out over lines, it is the same requirement."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from planner.inputs.inputs import Inputs
from planner.inputs.requirements_file import read_requirements
from schemas.errors import InvalidInput

names = st.from_regex(r"[a-z][a-z0-9]{0,8}([-_.][a-z0-9]{1,4})?", fullmatch=True)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
specifiers = st.lists(
    st.tuples(st.sampled_from(["==", ">=", "<=", "!=", "<", ">"]), versions).map("".join),
    max_size=3,
)
extras = st.lists(names, max_size=2, unique=True)
markers = st.sampled_from(
    ["", 'python_version < "3.12"', "sys_platform == 'linux' and extra == 'a#b'"]
)
digests = st.lists(st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=2, unique=True)
gaps = st.sampled_from([" ", "  ", "\t", " \\\n", " \\\n    ", "\\\r\n "])
ends = st.sampled_from(["\n", "\r\n", "  # why\n", " #\n", "\n# a comment\n\n", "\n   \n"])


def read(text: str) -> Inputs:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "requirements.in")
        path.write_bytes(text.encode())
        return read_requirements([str(path)], environment={})


@st.composite
def requirements(draw: st.DrawFn) -> tuple[str, str, frozenset[str]]:
    """A requirement as it is, as it is laid out, and its hashes."""
    asked = draw(extras)
    marker = draw(markers)
    parts = [
        draw(names) + (f"[{','.join(asked)}]" if asked else ""),
        ",".join(draw(specifiers)),
        *(["; " + marker] if marker else []),
    ]
    plain = " ".join(part for part in parts if part)
    hashes = [f"sha256:{digest}" for digest in draw(digests)]
    laid_out = [part for part in parts if part] + [f"--hash={one}" for one in hashes]
    text = "".join(part + draw(gaps) for part in laid_out[:-1]) + laid_out[-1]
    return plain, text, frozenset(hashes)


@given(st.lists(st.tuples(requirements(), ends), max_size=4))
def test_layout_means_nothing(lines: list[tuple[tuple[str, str, frozenset[str]], str]]) -> None:
    inputs = read("".join(text + end for (_, text, _), end in lines))
    assert [(one.requirement, one.hashes) for one in inputs.requirements] == [
        (Requirement(plain), hashes) for (plain, _, hashes), _ in lines
    ]


def read_or_complain(text: str) -> Inputs | str:
    try:
        return read(text)
    except InvalidInput as error:
        return str(error)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_requirements_or_an_error_that_names_a_line(text: str) -> None:
    match read_or_complain(text):
        case str(complaint):
            assert "requirements.in:" in complaint or "No such file" in complaint
        case inputs:
            # A point is the folder that the tests run in, which is a project.
            places = [one.requirement.url for one in inputs.requirements]
            assert all(place is None or place.startswith("file:") for place in places)
