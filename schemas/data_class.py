"""Dataclasses that share their methods, because the program starts faster without generated ones.

``dataclasses.dataclass`` compiles up to six methods for each class: 0.5 ms for a frozen one with
slots, and ``execute`` needs 80 classes before its first request. Here it only finds the fields,
which takes a tenth. ``dataclasses.replace``, ``fields``, ``asdict``, pickle and type checkers
(PEP 681) treat the classes as dataclasses. A class whose objects are made by the thousand is better
a real one: its own ``__init__`` takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NamedTuple, NoReturn, TypeVar, dataclass_transform, overload

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
    _describe(cls)
    made: Any = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
    for name, method in _METHODS.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    made.__making__ = _making(made)
    names = [each.name for each in fields(made) if each.compare]
    made.__compared__ = attrgetter(*names) if names else staticmethod(lambda _: ())
    return made


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def with_fields(cls: type[T]) -> type[T]:
    """Make of ``cls``, an error or a sum, what ``dataclass(eq=False)`` does: its fields may change,
    and it equals itself alone. Its ``repr`` is that of its base.
    """
    _describe(cls)
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    made.__init__ = _init
    made.__making__ = _making(made)
    return cls


def _describe(cls: type[Any]) -> None:
    """Give ``cls`` a text if its own is left out (``python -OO``). Python would write down its
    signature, which Python 3.11.2 cannot do for an error.
    """
    cls.__doc__ = cls.__doc__ or cls.__name__


class _Making(NamedTuple):
    """What ``__init__`` has to know of a class."""

    blank: dict[str, object]
    """Its fields in their order, with their defaults; MISSING where there is none."""
    positional: tuple[str, ...]
    factories: tuple[tuple[str, Callable[[], object]], ...]
    finishes: bool
    """Whether there is a ``__post_init__``, which sets the fields without ``init``."""


def _making(cls: type[Any]) -> _Making:
    given = [each for each in fields(cls) if each.init]
    return _Making(
        {each.name: each.default for each in given},
        tuple(each.name for each in given if not each.kw_only),
        tuple(
            (each.name, each.default_factory)
            for each in given
            if each.default_factory is not MISSING
        ),
        hasattr(cls, "__post_init__"),
    )


def _init(self: Any, /, *given: object, **named: object) -> None:
    """Set the fields in their order, as a generated ``__init__`` does. Raises TypeError."""
    making: _Making = self.__making__
    contents = making.blank | named
    if len(contents) > len(making.blank):
        unknown = min(named.keys() - making.blank.keys())
        raise TypeError(f"{type(self).__name__}() has no field {unknown!r}")
    if given:
        taken = making.positional[: len(given)]
        if len(taken) < len(given) or not named.keys().isdisjoint(taken):
            raise TypeError(f"{type(self).__name__}() got too many values for {taken}")
        contents.update(zip(taken, given, strict=True))
    for name, make in making.factories:
        if contents[name] is MISSING:
            contents[name] = make()
    for name, content in contents.items():
        if content is MISSING:
            raise TypeError(f"{type(self).__name__}() needs a value for {name!r}")
        object.__setattr__(self, name, content)
    if making.finishes:
        self.__post_init__()


def _repr(self: Any) -> str:
    shown = (each.name for each in fields(self) if each.repr)
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
    return [getattr(self, each.name) for each in fields(self)]


def _setstate(self: Any, state: list[object]) -> None:
    for each, content in zip(fields(self), state, strict=True):
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
