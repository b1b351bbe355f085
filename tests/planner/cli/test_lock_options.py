"""Extras and groups of a lock are chosen by name, or all at once."""

from __future__ import annotations

import pytest

from planner.cli.lock_options import choose_scopes
from schemas.errors import UsageError


def test_nothing_is_chosen_that_is_not_named() -> None:
    assert choose_scopes(["a", "b"], [], everything=False, kind="extra") == ()
    assert choose_scopes(["a", "b"], ["b"], everything=False, kind="extra") == ("b",)
    assert choose_scopes(["a", "b"], [], everything=True, kind="extra") == ("a", "b")
    assert choose_scopes(None, [], everything=True, kind="extra") == ()


@pytest.mark.parametrize(("known", "hint"), [(["a", "b"], "it has a, b"), (None, "it has none")])
def test_a_name_that_the_lock_does_not_have_is_refused(known: list[str] | None, hint: str) -> None:
    with pytest.raises(UsageError, match="the lock has no dependency group 'c'") as caught:
        choose_scopes(known, ["c"], everything=False, kind="dependency group")
    assert caught.value.hint == hint
