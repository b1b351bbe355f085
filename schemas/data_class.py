"""Dataclasses that share their methods, because the program starts faster without generated ones.

``dataclasses.dataclass`` compiles up to six methods for each class: 0.5 ms for a frozen one with
slots, and ``execute`` needs 80 classes before its first request. Here a class only gets its slots,
which takes a twentieth; its fields are found when its first object is made. ``replace``, ``fields``
and ``asdict`` of ``dataclasses``, pickle and type checkers (PEP 681) treat the classes as
dataclasses. A class whose objects are made by the thousand is better a real one: its own
``__init__`` takes a third of the time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from inspect import get_annotations
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
    held = {name for base in cls.__mro__[1:] for name in base.__dict__.get("__slots__", ())}
    own = [name for name, kind in get_annotations(cls).items() if not _is_of_class(kind)]
    contents = {
        name: content
        for name, content in cls.__dict__.items()
        if name not in own and name not in {"__dict__", "__weakref__"}
    }
    contents = _METHODS | contents
    contents["__slots__"] = tuple(name for name in own if name not in held)
    contents["__qualname__"] = cls.__qualname__
    contents["__dataclass_fields__"] = _FieldsOf(cls, kw_only)
    kind: Any = type(cls)
    return kind(cls.__name__, cls.__bases__, contents)


@dataclass_transform(eq_default=False, field_specifiers=(field,))
def with_fields(cls: type[T]) -> type[T]:
    """Make of ``cls``, an error or a sum, what ``dataclass(eq=False)`` does: its fields may change,
    and it equals itself alone. Its ``repr`` is that of its base.
    """
    _describe(cls)
    made: Any = cls
    made.__init__ = _init
    if any(isinstance(content, Field) for content in cls.__dict__.values()):
        _find_fields(cls)  # which takes them out of the class
    else:
        made.__dataclass_fields__ = _FieldsOf(cls)
    return cls


def _is_of_class(kind: object) -> bool:
    """Return whether an annotation is not that of a field."""
    return isinstance(kind, str) and kind.partition("[")[0].endswith("ClassVar")


def _describe(cls: type[Any]) -> None:
    """Give ``cls`` a text if its own is left out (``python -OO``). Python would write down its
    signature, which Python 3.11.2 cannot do for an error.
    """
    cls.__doc__ = cls.__doc__ or cls.__name__


@dataclass(init=False, repr=False, eq=False, match_args=False)
class _Plain:
    """What ``dataclasses`` notes of a class whose methods it does not generate."""

    field: object = None


_PARAMETERS: object = _Plain.__dataclass_params__  # type: ignore[attr-defined]
_KIND: object = fields(_Plain)[0]._field_type  # type: ignore[attr-defined]  # noqa: SLF001


def _find_fields(cls: Any, *, kw_only: bool = False) -> dict[str, Field[Any]]:
    """Note the fields of ``cls`` and of its bases as ``dataclass`` does, in a fifth of the time;
    return them by name.
    """
    found: dict[str, Field[Any]] = {}
    for base in cls.__mro__[:0:-1]:
        found.update(getattr(base, "__dataclass_fields__", {}))
    for name, kind in get_annotations(cls).items():
        if _is_of_class(kind):
            continue
        given = cls.__dict__.get(name, MISSING)
        each: Any = given if isinstance(given, Field) else field(default=given)
        each.name, each.type, each._field_type = name, kind, _KIND  # noqa: SLF001
        if each.kw_only is MISSING:
            each.kw_only = kw_only
        found[name] = each
        if each is given and each.default is MISSING:
            delattr(cls, name)
        elif each is given:
            setattr(cls, name, each.default)
    cls.__dataclass_fields__, cls.__dataclass_params__ = found, _PARAMETERS
    return found


class _FieldsOf:
    """The attribute ``__dataclass_fields__`` of a class until it is read: finds the fields."""

    def __init__(self, declared: type[Any], kw_only: bool = False) -> None:
        """``declared`` is the class as it was written."""
        self._declared = declared
        self._kw_only = kw_only

    def __get__(self, _instance: object, owner: type[Any]) -> dict[str, Field[Any]]:
        found = _find_fields(self._declared, kw_only=self._kw_only)
        for cls in owner.__mro__:
            if cls.__dict__.get("__dataclass_fields__") is self:
                for name in ("__dataclass_fields__", "__dataclass_params__"):
                    setattr(cls, name, getattr(self._declared, name))
        return found


class _Making(NamedTuple):
    """What ``__init__`` has to know of a class."""

    blank: dict[str, object]
    """Its fields in their order, with their defaults; MISSING where there is none."""
    positional: tuple[str, ...]
    factories: tuple[tuple[str, Callable[[], object]], ...]
    finishes: bool
    """Whether there is a ``__post_init__``, which sets the fields without ``init``."""
    simple: int
    """The number of its fields, if they can just be set in their order; otherwise -1."""
    all: tuple[str, ...]
    """Its fields, also those without ``init``."""


def _making_of(cls: Any) -> _Making:
    """Return what ``__init__`` has to know of ``cls``, found once for each class."""
    known: _Making | None = cls.__dict__.get("__making__")
    if known is not None:
        return known
    given = [each for each in fields(cls) if each.init]
    positional = tuple(each.name for each in given if not each.kw_only)
    finishes = hasattr(cls, "__post_init__")
    is_simple = len(positional) == len(given) and not finishes
    cls.__making__ = making = _Making(
        {each.name: each.default for each in given},
        positional,
        tuple(
            (each.name, each.default_factory)
            for each in given
            if each.default_factory is not MISSING
        ),
        finishes,
        len(given) if is_simple else -1,
        tuple(each.name for each in fields(cls)),
    )
    return making


def _compared_of(cls: Any) -> Callable[[object], object]:
    """Return what gives the fields of an object that are compared."""
    known: Callable[[object], object] | None = cls.__dict__.get("__compared__")
    if known is None:
        names = [each.name for each in fields(cls) if each.compare]
        known = attrgetter(*names) if names else lambda _: ()
        cls.__compared__ = known
    return known


def _init(self: Any, /, *given: object, **named: object) -> None:
    """Set the fields in their order, as a generated ``__init__`` does. Raises TypeError."""
    making = _making_of(type(self))
    if not named and len(given) == making.simple:
        for name, content in zip(making.positional, given, strict=True):
            object.__setattr__(self, name, content)
        return
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
    compared = _compared_of(type(self))
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(_compared_of(type(self))(self))


def _setattr(_self: object, name: str, _content: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _delattr(_self: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _getstate(self: Any) -> list[object]:
    return [getattr(self, name) for name in _making_of(type(self)).all]


def _setstate(self: Any, state: list[object]) -> None:
    for name, content in zip(_making_of(type(self)).all, state, strict=True):
        object.__setattr__(self, name, content)


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
