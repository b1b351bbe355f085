"""A signal at any moment ends a run with its status, and leaves nothing.

``make signals`` sends 500 of them.
"""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from stress.signals import KINDS, SECONDS, SIGNALS, Kind, Runs, prepare


@pytest.mark.parametrize("kind", KINDS[:2], ids=lambda kind: kind.name)
def test_a_run_ends_in_order_at_random_moments(kind: Kind, tmp_path: Path) -> None:
    prepare(tmp_path)
    runs, rng = Runs(tmp_path), random.Random(1)
    expected = runs.whole(kind)
    for number in SIGNALS:
        after = rng.uniform(0, runs.seconds(kind))
        _, faults = runs.interrupted(kind, number, after, expected)
        assert not faults, (number.name, after)


def test_signals_that_the_caller_ignores_stay_ignored(tmp_path: Path) -> None:
    prepare(tmp_path)
    runs = Runs(tmp_path)
    expected = runs.whole(KINDS[0])
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        status, faults = runs.interrupted(
            KINDS[0], signal.SIGHUP, runs.seconds(KINDS[0]) / 2, expected
        )
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (status, faults) == (0, [])


def test_a_machine_that_is_slow_is_no_run_that_does_not_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(tmp_path)
    runs = Runs(tmp_path)
    runs.whole(KINDS[0])
    assert runs.patience(KINDS[0]) >= SECONDS
    monkeypatch.setattr("stress.signals.SLOWER", SECONDS / runs.seconds(KINDS[0]) * 2)
    assert runs.patience(KINDS[0]) == pytest.approx(2 * SECONDS)
