"""Sizes are read as users write them, in powers of 1024."""

from __future__ import annotations

import pytest

from schemas.errors import UsageError
from schemas.sizes import format_size, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("67108864", 64 << 20),
        ("64M", 64 << 20),
        ("64Mi", 64 << 20),
        ("64MiB", 64 << 20),
        ("64MB", 64 << 20),
        ("64 mib", 64 << 20),
        ("1.5G", 3 << 29),
        ("0.5K", 512),
        (" 2TiB\n", 2 << 40),
        ("1b", 1),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "M", "-1", "1.", ".5", "1e3", "1PiB", "1 2", "0x10", "\u0661", "1" * 19, "64MiBs"]
)
def test_another_text_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text)
    assert str(caught.value) == f"{text!r} is not a size"
    assert caught.value.hint == "write it as 64MiB or 2GiB"


@pytest.mark.parametrize("text", ["1", "64", "1048575"])
def test_a_number_of_a_few_bytes_lacks_its_unit(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_size(text)
    assert str(caught.value) == f"{text!r} is a size in bytes, which is less than 1 MiB"
    assert caught.value.hint == f"write the unit, as in {text}MiB"
    assert parse_size(f"{text}MiB") == int(text) << 20


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0.0 MiB"), (1 << 20, "1.0 MiB"), (3 << 30, "3,072.0 MiB")]
)
def test_a_size_is_shown_in_mib(size: int, text: str) -> None:
    assert format_size(size) == text
