"""Steps of an execution that nothing but their numbers tells apart."""

from __future__ import annotations

from executor.lock.step import Step


def steps(count: int) -> list[Step]:
    """Wheels ``p0``, ``p1`` and so on, of a byte each."""
    return [
        Step(
            name=f"p{number}",
            version="1",
            filename=f"p{number}-1-py3-none-any.whl",
            url=None,
            path="",
            size=1,
            hashes=(),
            hints=None,
            is_direct=False,
        )
        for number in range(count)
    ]
