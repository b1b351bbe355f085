"""Incompatibilities follow from each other by resolution, and say what they follow from."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet

from helpers.releases import project_of
from planner.model.dependencies import Identifier
from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package


def package(name: str, *versions: str) -> Package:
    project = project_of(name, *versions)
    return Package(Identifier(project.name), project, rank=0)


def only(one: Package, specifier: str) -> int:
    return one.project.matching(SpecifierSet(specifier))


def test_everything_includes_not_to_select_the_package() -> None:
    app = package("app", "1", "2")
    assert app.allowed == app.everything == only(app, ">=1") | NOT_SELECTED


def test_resolution_joins_the_sets_of_its_package_and_intersects_the_others() -> None:
    app, base, other = (package(name, "1", "2", "3") for name in ("app", "base", "other"))
    first = Incompatibility({app: only(app, "<3"), base: only(base, "==1")})
    second = Incompatibility({app: only(app, ">1"), base: only(base, "==2"), other: NOT_SELECTED})
    found = first.resolve(second, base)
    assert found.terms == {app: only(app, "==2"), base: only(base, "<3"), other: NOT_SELECTED}
    assert found.parents == (first, second)


def test_a_term_that_is_always_satisfied_is_left_out() -> None:
    app, base = package("app", "1"), package("base", "1", "2")
    requires = Incompatibility({app: only(app, "==1"), base: base.everything & ~only(base, "==2")})
    banned = Incompatibility({base: only(base, "==2")})
    assert requires.resolve(banned, base).terms == {app: only(app, "==1")}


def test_premises_are_those_without_parents_each_once() -> None:
    app, base = package("app", "1", "2"), package("base", "1", "2")
    one = Incompatibility({app: only(app, "==1"), base: only(base, "==1")})
    two = Incompatibility({app: only(app, "==2"), base: only(base, "==1")})
    three = Incompatibility({app: only(app, "==1"), base: only(base, "==2")})
    derived = one.resolve(two, app).resolve(one.resolve(three, base), app)
    assert list(derived.premises()) == [one, two, three]
