"""TOML from anybody is a document or a ValueError, in bounded time."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.toml import MAX_KEY_PARTS, parse_toml

LONG = 20_000


@pytest.mark.parametrize(
    "text",
    [
        'a.b."c" = 1\n',
        f"urls = [{', '.join(['1.5'] * LONG)}]\n",
        f"wheels = [{', '.join(['{u = 1.5, n = 2.5}'] * LONG)}]\n",
        f'text = "{"a." * LONG}"\n',
        f'text = """\n{"a." * LONG}\n"""\n',
        f"# {'a.' * LONG}\n",
        f"k = {chr(39)}{'a.' * LONG}{chr(39)} # {'b.' * LONG}\n",
    ],
)
def test_long_lines_of_other_things_than_keys_are_read(text: str) -> None:
    assert parse_toml(text) == tomllib.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        f"x{'.a' * LONG} = 1\n",
        f"x{chr(46)}{chr(46).join([chr(34) + 'a' + chr(34)] * LONG)} = 1\n",
        f"[x{' . a' * LONG}]\n",
        f"t = {{x{'.a' * LONG} = 1}}\n",
    ],
)
def test_a_key_of_many_parts_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"more than {MAX_KEY_PARTS} parts"):
        parse_toml(text)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_toml(f"x = {'[' * 100_000}")


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="has too many digits"):
        parse_toml(f"x = {'9' * 5000}")


@given(st.text(alphabet="a.=[]{}\"'#\n\\ ,1", max_size=60))
def test_short_documents_are_what_tomllib_says(text: str) -> None:
    try:
        expected = tomllib.loads(text)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011  # any of them
            parse_toml(text)
    else:
        assert parse_toml(text) == expected


def test_a_byte_order_mark_is_no_part_of_a_document() -> None:
    assert parse_toml("\ufeffa = 1\n") == {"a": 1}
