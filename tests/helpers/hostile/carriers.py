"""Carriers: a good wheel in one of the forms that wheels come in, to be made a hostile one of."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from helpers.archives import Descriptor, Member
from helpers.wheels import Wheel, build_wheel
from schemas.zipformat import Method

__all__ = ["CARRIERS", "Carrier", "Case"]


class Case(NamedTuple):
    """A wheel that must be refused."""

    name: str
    wheel: Wheel
    message: str
    """The refusal in the first carrier, after the file name of the wheel. It ends with ``...`` if a
    library continues in its own words."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """The good wheel, whose members are all ``dressed`` in one way."""

    name: str
    dressed: Callable[[Member], Member]
    good: Wheel = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "good", self.build({"demo.py": b"pass\n"}))

    def build(self, files: dict[str, bytes], **options: Any) -> Wheel:
        """A good wheel of ``files``, unless ``options`` of build_wheel make it another."""
        wheel = build_wheel(files=files, **options)
        return wheel.rebuilt(self.dressed(member) for member in wheel.members)

    @property
    def info(self) -> str:
        """The name of its dist-info folder."""
        return self.good.dist_info

    @property
    def record(self) -> str:
        """The text of its RECORD."""
        return self.good[f"{self.info}/RECORD"].decode()

    @property
    def main(self) -> Member:
        """The one member that is code."""
        return next(member for member in self.good.members if member.name == "demo.py")

    @property
    def packed(self) -> bytes:
        """What stands in the archive for it."""
        if self.main.method == Method.STORED:
            return self.main.data
        return zlib.compress(self.main.data, level=6, wbits=-15)

    def plus(self, name: str | bytes, **changes: Any) -> Wheel:
        """The good wheel, RECORD row included, with one member more."""
        text = name if isinstance(name, str) else name.decode("latin-1")
        wheel = self.build({"demo.py": b"pass\n", text: b"x"})
        return wheel.rebuilt(
            replace(member, name=name, **changes) if member.name == text else member
            for member in wheel.members
        )

    def pair(self, one: str, other: str) -> Wheel:
        """The good wheel, RECORD rows included, with these two files more."""
        return self.build({"demo.py": b"pass\n", one: b"1", other: b"2"})

    def demo(self, **changes: Any) -> Wheel:
        """The good wheel with another ``demo.py``."""
        return self.good.edited("demo.py", **changes)

    def archive(self, **options: Any) -> Wheel:
        """The good wheel as another archive."""
        return self.good.rebuilt(**options)

    def with_info(self, **files: bytes | str | None) -> Wheel:
        """The good wheel with other files in its dist-info folder."""
        return self.build({"demo.py": b"pass\n"}, dist_info=files)

    def scripts(self, entry: str, group: str = "console_scripts") -> Wheel:
        """The good wheel with a line of ``entry_points.txt``."""
        return self.with_info(**{"entry_points.txt": f"[{group}]\n{entry}\n"})


CARRIERS = (
    Carrier("deflated", lambda member: member),
    Carrier("stored", lambda member: replace(member, method=Method.STORED)),
    Carrier("with descriptors", lambda member: replace(member, descriptor=Descriptor())),
    Carrier("in zip64", lambda member: replace(member, zip64=True)),
)
"""The first one is what is on PyPI."""
