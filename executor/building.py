"""The options of ``execute`` that are about building, and how it is told of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from executor.install import Building

__all__ = ["building_of", "building_options"]

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--build-network", is_flag=True, help="With --build: builds may use the network."),
    click.option(
        "--build-timeout",
        type=click.FloatRange(1),
        default=3600.0,
        show_default=True,
        metavar="SECONDS",
        help="With --build: give a build up after so long.",
    ),
    click.option(
        "--build-unmeasured",
        is_flag=True,
        help="With --build: build also what the lock does not tell the memory of.",
    ),
)


def building_options(function: F) -> F:
    """The options that say how to build."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def building_of(
    *, build_network: bool, build_timeout: float, build_unmeasured: bool, **_: Any
) -> Building:
    """What they say."""
    return Building(network=build_network, seconds=build_timeout, unmeasured=build_unmeasured)
