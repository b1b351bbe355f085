"""The engines that builds can be written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planner.engines import fromager, github_matrix, kubernetes, slurm
from planner.engines.work import Work

__all__ = ["FORMS"]


FORMS: Mapping[str, Callable[[Work], str]] = {
    "fromager": fromager.render,
    "github-matrix": github_matrix.render,
    "kubernetes": kubernetes.render,
    "slurm": slurm.render,
}
"""The writer of each engine: it returns the text."""
