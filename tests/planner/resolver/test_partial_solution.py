"""A partial solution takes back what followed from a decision, and knows what was necessary."""

from __future__ import annotations

import pytest
from packaging.specifiers import SpecifierSet

from helpers.releases import project_of
from planner.model.dependencies import Identifier
from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package
from planner.resolver.partial_solution import PartialSolution


def package(name: str) -> Package:
    project = project_of(name, "1", "2", "3")
    return Package(Identifier(project.name), project, rank=0)


def only(one: Package, specifier: str) -> int:
    return one.project.matching(SpecifierSet(specifier))


@pytest.fixture
def app() -> Package:
    return package("app")


@pytest.fixture
def base() -> Package:
    return package("base")


def require(solution: PartialSolution, one: Package) -> None:
    solution.derive(one, NOT_SELECTED, Incompatibility({one: NOT_SELECTED}))


def test_what_is_required_waits_until_it_is_decided(app: Package) -> None:
    solution = PartialSolution()
    require(solution, app)
    assert list(solution.waiting) == [app]
    solution.decide(app, only(app, "==3"))
    assert not solution.waiting
    assert solution.decisions == {app: only(app, "==3")}


def test_backtracking_takes_back_decisions_and_what_followed(app: Package, base: Package) -> None:
    solution = PartialSolution()
    require(solution, app)
    solution.decide(app, only(app, "==3"))
    requires = Incompatibility({app: only(app, "==3"), base: NOT_SELECTED | only(base, "==3")})
    solution.derive(base, NOT_SELECTED | only(base, "==3"), requires)
    assert list(solution.waiting) == [base]
    solution.backtrack(0)
    assert (solution.level, solution.decisions) == (0, {})
    assert list(solution.waiting) == [app]
    assert app.allowed == only(app, ">=1")
    assert base.allowed == base.everything


def test_it_knows_what_requires_a_project_and_what_excludes_its_versions(
    app: Package, base: Package
) -> None:
    solution = PartialSolution()
    require(solution, app)
    assert solution.requiring(app) == ()
    solution.decide(app, only(app, "==3"))
    missing = NOT_SELECTED | only(base, "==3")
    solution.derive(base, missing, Incompatibility({app: only(app, "==3"), base: missing}))
    assert solution.requiring(base) == (app,)
    assert solution.excluding(base, base.everything & ~only(base, "==3")) == (app,)
    solution.decide(base, only(base, "==2"))
    assert solution.excluding(base, base.everything & ~only(base, "==1")) == (base,)


def test_only_what_holds_before_all_decisions_is_independent(app: Package, base: Package) -> None:
    solution = PartialSolution()
    require(solution, app)
    solution.derive(base, only(base, "==3"), Incompatibility({base: only(base, "==3")}))
    solution.decide(app, only(app, "==1"))
    solution.derive(base, only(base, "==2"), Incompatibility({base: only(base, "==2")}))
    assert solution.is_independent(base, only(base, "==3"))
    assert not solution.is_independent(base, only(base, "==2"))


def test_the_satisfier_is_the_last_necessary_assignment(app: Package, base: Package) -> None:
    solution = PartialSolution()
    require(solution, app)
    require(solution, base)
    solution.decide(app, only(app, "==3"))
    solution.decide(base, only(base, "==1"))
    conflict = Incompatibility({app: only(app, ">=2"), base: only(base, "<2")})
    satisfier, level = solution.satisfier(conflict)
    assert (satisfier.package, satisfier.level, level) == (base, 2, 1)


def test_earlier_assignments_of_the_same_package_count_as_necessary(app: Package) -> None:
    other, base = package("other"), package("base")
    solution = PartialSolution()
    for one in (app, other, base):
        require(solution, one)
    solution.decide(app, only(app, "==3"))
    first = Incompatibility({app: only(app, "==3"), base: only(base, "==3")})
    solution.derive(base, only(base, "==3"), first)
    solution.decide(other, only(other, "==1"))
    second = Incompatibility({other: only(other, "==1"), base: only(base, "==2")})
    solution.derive(base, only(base, "==2"), second)
    satisfier, level = solution.satisfier(Incompatibility({base: only(base, "==1")}))
    assert (satisfier.cause, level) == (second, 1)
