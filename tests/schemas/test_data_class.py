"""Classes with shared methods behave as the dataclasses that they replace."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace
from typing import Any, ClassVar

import pytest

from schemas.data_class import frozen, with_fields


@frozen
class Place:
    """A value with each kind of field."""

    folder: str
    names: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)
    note: str = field(default="", compare=False)
    limit: ClassVar[int] = 3

    @property
    def first(self) -> str:
        return self.names[0]


@dataclass(frozen=True, slots=True)
class RealPlace:
    """The same by ``dataclasses`` alone."""

    folder: str
    names: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)
    note: str = field(default="", compare=False)
    limit: ClassVar[int] = 3


@frozen(kw_only=True)
class Named:
    """A value whose fields are given by name."""

    name: str
    size: int = 0


@frozen
class Nothing:
    """A value without fields."""


@with_fields
class Trouble(Exception):
    """An error with a field that is made of others."""

    path: str
    reason: str = "unknown"
    text: str = field(init=False)

    def __post_init__(self) -> None:
        self.text = f"{self.path}: {self.reason}"

    def __str__(self) -> str:
        return self.text


BOTH = pytest.mark.parametrize("kind", [Place, RealPlace])


@BOTH
class TestAValue:
    def test_has_its_fields_and_their_defaults(self, kind: Any) -> None:
        place = kind("lib", note="n")
        assert (place.folder, place.names, place.secret, place.note) == ("lib", [], "", "n")
        assert kind("lib").names is not kind("lib").names

    def test_is_equal_by_what_is_compared(self, kind: Any) -> None:
        assert kind("lib", note="a") == kind("lib", note="b")
        assert kind("lib") != kind("bin")
        assert kind("lib") != "lib"

    def test_hides_what_its_text_must_not_show(self, kind: Any) -> None:
        shown = repr(kind("lib", ["a"], "hunter2"))
        assert shown == f"{kind.__name__}(folder='lib', names=['a'], note='')"

    def test_never_changes(self, kind: Any) -> None:
        place = kind("lib")
        with pytest.raises(FrozenInstanceError, match="folder"):
            place.folder = "bin"
        with pytest.raises(FrozenInstanceError, match="folder"):
            del place.folder
        assert not hasattr(place, "__dict__")

    def test_is_copied_and_pickled(self, kind: Any) -> None:
        place = kind("lib", ["a"], "s", "n")
        for again in (copy.copy(place), copy.deepcopy(place), pickle.loads(pickle.dumps(place))):
            assert asdict(again) == asdict(place)

    def test_is_known_to_dataclasses(self, kind: Any) -> None:
        assert [each.name for each in fields(kind)] == ["folder", "names", "secret", "note"]
        assert replace(kind("lib", ["a"]), folder="bin") == kind("bin", ["a"])

    @pytest.mark.parametrize(
        "call",
        [
            lambda kind: kind(),
            lambda kind: kind("lib", folder="bin"),
            lambda kind: kind("lib", [], "", "", "more"),
            lambda kind: kind("lib", other=1),
        ],
    )
    def test_is_not_made_of_wrong_arguments(self, kind: Any, call: Callable[[Any], object]) -> None:
        with pytest.raises(TypeError):
            call(kind)


class TestOtherValues:
    def test_of_keywords_take_nothing_by_position(self) -> None:
        assert Named(name="a") == Named(name="a", size=0)
        with pytest.raises(TypeError, match="too many"):
            Named("a")  # type: ignore[call-arg]

    def test_hash_by_their_fields(self) -> None:
        assert {Named(name="a"): 1}[Named(name="a")] == 1

    def test_keep_their_own_methods(self) -> None:
        assert Place("lib", ["a"]).first == "a"

    def test_have_the_fields_of_a_base_that_nobody_has_used(self) -> None:
        @frozen
        class Base:
            name: str

        @frozen
        class Derived(Base):
            size: int = 0

        assert Derived("a", 3) == Derived(name="a", size=3)
        assert not hasattr(Derived("a"), "__dict__")
        assert Base("a") != Derived("a")

    def test_without_fields_are_equal(self) -> None:
        assert Nothing() == Nothing()
        assert len({Nothing(), Nothing()}) == 1


class TestAnErrorWithFields:
    def test_is_made_of_them(self) -> None:
        assert str(Trouble("a.txt", reason="gone")) == "a.txt: gone"

    def test_has_its_fields_in_their_order(self) -> None:
        assert list(vars(Trouble(reason="gone", path="a.txt"))) == ["path", "reason", "text"]
        assert list(vars(Trouble("a.txt"))) == ["path", "reason", "text"]

    def test_equals_itself_alone(self) -> None:
        error = Trouble("a.txt")
        assert error == error
        assert error != Trouble("a.txt")

    def test_may_be_added_to(self) -> None:
        error = Trouble("a.txt")
        error.reason = "other"
        assert error.reason == "other"

    def test_takes_no_field_that_it_sets_itself(self) -> None:
        with pytest.raises(TypeError, match="no field 'text'"):
            Trouble("a.txt", text="other")  # type: ignore[call-arg]

    def test_names_what_is_missing(self) -> None:
        with pytest.raises(TypeError, match="needs a value for 'path'"):
            Trouble()  # type: ignore[call-arg]

    def test_has_the_fields_of_a_base_that_nobody_has_used(self) -> None:
        @with_fields
        class Base(Exception):
            path: str
            hint: str = "look"

        @with_fields
        class Derived(Base):
            line: int = 0

        class Plain(Derived):
            pass

        assert vars(Derived("a", line=3)) == {"path": "a", "hint": "look", "line": 3}
        assert vars(Plain("a")) == {"path": "a", "hint": "look", "line": 0}
        assert vars(Base("a")) == {"path": "a", "hint": "look"}
        assert [each.name for each in fields(Plain)] == ["path", "hint", "line"]

    def test_needs_no_text(self) -> None:
        """Of an optimized program, whose texts are left out."""
        bare: Any = with_fields(type("Bare", (Exception,), {"__annotations__": {"path": "str"}}))
        assert bare.__doc__ == "Bare"
        assert vars(bare(path="a")) == {"path": "a"}
