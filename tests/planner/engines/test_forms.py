"""Each engine has a form, and each form writes every build."""

from __future__ import annotations

import pytest

from helpers.build_records import build_record
from helpers.build_units import build_unit
from planner.engines.forms import FORMS
from planner.engines.work import Work


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_build_is_in_every_form(form: str) -> None:
    units = [build_unit(name, record=build_record()) for name in ("alpha", "beta")]
    measured = [(unit.name, build_record()) for unit in units]
    text = FORMS[form](Work(units=units, lock="pylock.toml", store="built", measured=measured))
    assert all(unit.name in text for unit in units)


@pytest.mark.parametrize("form", sorted(FORMS))
def test_nothing_to_build_is_no_error(form: str) -> None:
    FORMS[form](Work(units=[], lock="pylock.toml", store="built"))
