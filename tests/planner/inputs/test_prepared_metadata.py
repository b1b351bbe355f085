"""The backend is run once, when a field is asked for, and its extras are told apart."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from planner.inputs.prepared_metadata import PreparedMetadata
from planner.inputs.project_document import InvalidProject

X = canonicalize_name("x")


def metadata(*lines: str) -> PreparedMetadata:
    return PreparedMetadata("pyproject.toml", lambda: "\n".join(lines) + "\n")


def test_it_is_prepared_once_and_only_if_a_field_is_asked_for() -> None:
    calls: list[None] = []

    def prepare() -> str:
        calls.append(None)
        return "Name: a\nRequires-Python: >=3.9\n"

    found = PreparedMetadata("pyproject.toml", prepare)
    assert not calls
    assert (found.name, found.requires_python) == ("a", ">=3.9")
    assert len(calls) == 1


def test_a_requirement_of_an_extra_does_not_always_apply() -> None:
    found = metadata(
        "Requires-Dist: app>1",
        'Requires-Dist: base ; extra == "X"',
        'Requires-Dist: other ; os_name == "nt" and extra == "x"',
        'Requires-Dist: odd ; extra == "y" or extra == "x"',
        'Requires-Dist: else ; extra == "y"',
    )
    assert list(found.lines(None)) == ["app>1"]
    assert list(found.lines(X)) == [
        "base",
        'other; os_name == "nt"',
        'odd; python_version < "0" or python_version >= "0"',
    ]


def test_a_line_that_is_no_requirement_is_shown() -> None:
    with pytest.raises(InvalidProject, match=r"its metadata: 'app 1': "):
        list(metadata("Requires-Dist: app 1").lines(None))


def test_an_extra_has_a_name() -> None:
    assert metadata("Provides-Extra: A_b").extras() == {"a-b"}
    with pytest.raises(InvalidProject, match="its metadata has the name 'a b'"):
        metadata("Provides-Extra: a b").extras()
