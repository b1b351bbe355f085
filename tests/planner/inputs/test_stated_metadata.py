"""What users state in place of metadata is read as uv reads it, or refused with what is wrong."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

from planner.inputs.settings import InvalidSetting, Settings, read_settings
from planner.inputs.stated_metadata import StatedMetadata, read_stated_metadata
from planner.inputs.tool_tables import read_tool_tables

ENTRY = {
    "name": "Flash_Attn",
    "version": "2.6.3",
    "requires-dist": ["torch", "einops; extra == 'x'"],
    "requires-python": ">=3.9",
    "provides-extra": ["X"],
}


def test_an_entry_is_for_one_version_or_for_all() -> None:
    one, every = read_stated_metadata([ENTRY, {"name": "chumpy"}])
    assert (one.subject, one.version) == ("flash-attn 2.6.3", Version("2.6.3"))
    assert one.requires == ("torch", "einops; extra == 'x'")
    assert one.to_table() == {
        "requires-dist": ["torch", "einops; extra == 'x'"],
        "requires-python": ">=3.9",
        "provides-extra": ["x"],
    }
    assert (every.subject, every.version, every.requires) == ("chumpy", None, ())


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param(3, "is not a list of tables", id="no list"),
        pytest.param([1], "each entry is a table of name and", id="no table"),
        pytest.param([{"version": "1"}], "each entry is a table of name and", id="no name"),
        pytest.param([{"name": "a", "requires": []}], "each entry is a table", id="unknown key"),
        pytest.param([{"name": "a==1"}], "has 'a==1', which is not a name", id="name"),
        pytest.param([{"name": 1}], "has a name that is not a string", id="kind of name"),
        pytest.param([{"name": "a", "version": "x"}], "a has 'x', which is not a version",
                     id="version"),
        pytest.param([{"name": "a", "requires-python": "x"}], "a has 'x', which names no Pythons",
                     id="Pythons"),
        pytest.param([{"name": "a", "requires-dist": "b"}],
                     "has a requires-dist that is not a list of strings", id="kind of list"),
        pytest.param([{"name": "a", "requires-dist": ["b>>1"]}],
                     "a has 'b>>1', which is not a requirement: ", id="requirement"),
        pytest.param([{"name": "a", "requires-dist": ["b @ https://u:p@x.example/b.whl"]}],
                     "a has an address with a login for b", id="login"),
        pytest.param([{"name": "a"}, {"name": "A"}], "has two entries for a", id="twice"),
    ],
)  # fmt: skip
def test_what_is_no_metadata_is_refused(value: object, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        read_stated_metadata(value)


def test_it_stands_in_our_table_or_in_that_of_uv() -> None:
    entry = 'name = "a"\nrequires-dist = ["b"]\n'
    a = canonicalize_name("a")
    expected = (
        StatedMetadata(name=a, version=None, requires=("b",), requires_python=None, extras=()),
    )
    document = tomllib.loads(f"[[tool.lockstream.dependency-metadata]]\n{entry}")
    assert read_settings(document, "pyproject.toml").dependency_metadata == expected
    document = tomllib.loads(f"[[tool.uv.dependency-metadata]]\n{entry}")
    found = read_tool_tables(document, "/project/pyproject.toml", Settings())
    assert (found.settings.dependency_metadata, found.remarks) == (expected, ())


def test_a_mistake_names_the_table() -> None:
    document = tomllib.loads("[tool.lockstream]\ndependency-metadata = 1\n")
    with pytest.raises(InvalidSetting, match=r"dependency-metadata: is not a list of tables"):
        read_settings(document, "pyproject.toml")
    document = tomllib.loads("[tool.uv]\ndependency-metadata = 1\n")
    with pytest.raises(ValueError, match=r"\[\[tool.uv.dependency-metadata\]\] is not a list"):
        read_tool_tables(document, "/project/pyproject.toml", Settings())
