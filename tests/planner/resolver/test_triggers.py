"""What can follow from a change is found among thousands of incompatibilities."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from helpers.releases import project_of
from planner.model.dependencies import Identifier
from planner.resolver.incompatibility import NOT_SELECTED, Incompatibility, Package
from planner.resolver.triggers import Triggers

VERSIONS = 12
EVERYTHING = (1 << (VERSIONS + 1)) - 1


def packages(*names: str) -> list[Package]:
    projects = [project_of(name, *map(str, range(VERSIONS))) for name in names]
    return [Package(Identifier(one.name), one, rank) for rank, one in enumerate(projects)]


def pins(triggers: Triggers, app: Package, base: Package) -> list[Incompatibility]:
    """Each version of ``app`` requires the same version of ``base``."""
    found = []
    for position in range(1, VERSIONS + 1):
        one = Incompatibility({app: 0, base: base.everything & ~(1 << position)})
        triggers.add_requirement(one, app, 1 << position)
        found.append(one)
    return found


def test_a_selected_version_triggers_its_own_requirements() -> None:
    app, base = packages("app", "base")
    triggers = Triggers()
    known = pins(triggers, app, base)
    assert list(triggers.of(app)) == []
    app.allowed = 1 << 5
    assert list(triggers.of(app)) == [known[4]]


def test_a_forbidden_version_triggers_what_requires_it() -> None:
    app, base = packages("app", "base")
    triggers = Triggers()
    known = pins(triggers, app, base)
    base.allowed = base.everything & ~(1 << 3 | 1 << 7)
    assert list(triggers.of(base)) == [known[6], known[2]]
    app.allowed = 1 << 3
    assert list(triggers.of(base)) == [known[2]]


def test_a_requirement_counts_for_versions_that_get_it_later() -> None:
    app, base = packages("app", "base")
    triggers = Triggers()
    known = pins(triggers, app, base)
    app.possible = app.allowed = app.everything & ~(1 << 3)
    base.allowed = base.everything & ~(1 << 3)
    # Only versions that cannot be selected any more require it: it is left out.
    assert list(triggers.of(base)) == []
    triggers.add_requirement(known[2], app, 1 << 4)
    assert list(triggers.of(base)) == [known[2]]


@st.composite
def states(draw: st.DrawFn) -> tuple[Triggers, list[Package], list[Incompatibility]]:
    every = packages("a", "b", "c")
    triggers, known = Triggers(), []
    sets = st.integers(1, EVERYTHING - 1)
    for package in every:
        package.possible = package.everything & ~draw(sets)
        package.allowed = package.possible & draw(sets) or package.everything
        package.possible |= package.allowed
    for _ in range(draw(st.integers(0, 30))):
        dependent, required = draw(st.permutations(every))[:2]
        if draw(st.booleans()):
            one = Incompatibility({dependent: draw(sets), required: draw(sets)})
            triggers.add(one)
        else:
            one = Incompatibility({dependent: 0, required: draw(sets) | NOT_SELECTED})
            for version in draw(st.sets(st.integers(1, VERSIONS), min_size=1)):
                triggers.add_requirement(one, dependent, 1 << version)
        known.append(one)
    return triggers, every, known


def effective(known: list[Incompatibility], package: Package) -> Iterator[Incompatibility]:
    """Yield those from which something follows, by looking at each."""
    for one in reversed(known):
        if package in one.terms and not package.allowed & ~one.terms[package]:
            ((other, versions),) = (term for term in one.terms.items() if term[0] is not package)
            if other.allowed & versions:
                yield one


@given(states())
def test_nothing_that_follows_is_left_out(
    state: tuple[Triggers, list[Package], list[Incompatibility]],
) -> None:
    triggers, every, known = state
    for package in every:
        found = list(triggers.of(package))
        assert list(effective(found[::-1], package)) == list(effective(known, package))
