"""Dataclasses that share their methods, because the program starts faster without generated ones.

``dataclasses.dataclass`` compiles up to six methods for each class: 0.5 ms for a frozen one with
slots, and ``execute`` needs 80 classes before its first request. Here it only finds the fields,
which takes a tenth. ``dataclasses.replace``, ``fields``, ``asdict``, pickle and type checkers
(PEP 681) treat the classes as dataclasses. A class whose objects are made by the thousand is better
a real one: its own ``__init__`` takes a quarter of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform, overload

__all__ = ["frozen", "with_fields"]

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...


@overload
def frozen(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[Any] | None = None, /, *, kw_only: bool = False) -> Any:
    """Make of ``cls`` what ``dataclass(frozen=True, slots=True)`` does: a value that never changes,
    and is equal to another with equal fields.
    """
    return (lambda cls: _frozen(cls, kw_only)) if cls is None else _frozen(cls, kw_only)


def _frozen(cls: type[Any], kw_only: bool) -> Any:
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
    for name, method in _METHODS.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    made.__known__ = fields(made)
    names = [each.name for each in made.__known__ if each.compare]
    made.__compared__ = attrgetter(*names) if names else staticmethod(lambda _: ())
    return made


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def with_fields(cls: type[T]) -> type[T]:
    """Make of ``cls``, an error, what ``dataclass(eq=False)`` does: its fields may change, and it
    equals itself alone. Its ``repr`` is that of its base.
    """
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__ = _init
    made.__known__ = fields(made)
    return cls


def _init(self: Any, /, *given: object, **named: object) -> None:
    """Set the fields, as a generated ``__init__`` does. Raises TypeError."""
    known: tuple[Field[Any], ...] = self.__known__
    if given:
        names = [each.name for each in known if each.init and not each.kw_only][: len(given)]
        if len(names) < len(given) or not named.keys().isdisjoint(names):
            raise TypeError(f"{type(self).__name__}() got too many values for {names}")
        named.update(zip(names, given, strict=True))
    for each in known:
        if each.init and each.name in named:
            content = named.pop(each.name)
        elif each.default is not MISSING:
            content = each.default
        elif each.default_factory is not MISSING:
            content = each.default_factory()
        elif not each.init:
            continue  # __post_init__ sets it
        else:
            raise TypeError(f"{type(self).__name__}() needs a value for {each.name!r}")
        object.__setattr__(self, each.name, content)
    if named:
        raise TypeError(f"{type(self).__name__}() has no field {', '.join(map(repr, named))}")
    if (finish := getattr(self, "__post_init__", None)) is not None:
        finish()


def _repr(self: Any) -> str:
    shown = (each.name for each in self.__known__ if each.repr)
    texts = (f"{name}={getattr(self, name)!r}" for name in shown)
    return f"{type(self).__qualname__}({', '.join(texts)})"


def _eq(self: Any, other: Any) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return self.__compared__(self) == self.__compared__(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


def _setattr(_self: object, name: str, _content: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    return [getattr(self, each.name) for each in self.__known__]


def _setstate(self: Any, state: list[object]) -> None:
    for each, content in zip(self.__known__, state, strict=True):
        object.__setattr__(self, each.name, content)


_METHODS: dict[str, Callable[..., Any]] = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _setattr,
    "__delattr__": _delattr,
    "__getstate__": _getstate,
    "__setstate__": _setstate,
}
