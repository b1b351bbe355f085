"""Another program, as the sampler of the benchmarks records it, is shown beside a run of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from executor.budget.confinement import place_for_group
from helpers.run_logs import MIB, read_log, whole_log, write_log
from lockstream import main
from planner.runs.advice import advise, verdict
from planner.runs.reading import read_run

SAMPLER = Path(__file__).parents[2] / "benchmarks" / "cgroup.py"

pytestmark = pytest.mark.skipif(
    place_for_group() is None or os.geteuid() != 0, reason="needs a writable memory cgroup"
)


def record(log: Path, *command: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(SAMPLER), "--limit", "512", "--record", str(log), "--"]
    return subprocess.run([*words, *command], capture_output=True, text=True, check=False)


HOLDS = "import mmap, time; m = mmap.mmap(-1, 40 << 20, flags=2 | 32); m.write(b'x' * len(m)); "


def test_its_samples_and_its_end_are_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "uv.ndjson"
    result = record(log, sys.executable, "-c", f"{HOLDS} time.sleep(0.4)")
    assert result.returncode == 0, result.stderr
    events = read_log(log)
    assert [events[0]["event"], events[1]["event"], events[-1]["event"]] == ["run", "limits", "end"]
    assert sum(event["event"] == "sample" for event in events) >= 3
    run = read_run(str(log))
    assert (run.outcome, run.limit, run.is_other) == ("done", 512 * MIB, True)
    assert run.peak is not None
    assert 40 * MIB < run.peak < 512 * MIB
    assert max(one["group"]["anonymous"] for one in run.samples) >= 40 * MIB
    assert verdict(run) == f"{run.label} took {run.seconds:.1f} s."
    assert [*advise(run)] == [f"At most {run.peak / MIB:.1f} MiB of 512.0 MiB were charged."]


def test_its_failure_is_told(tmp_path: Path) -> None:
    log = tmp_path / "uv.ndjson"
    record(log, sys.executable, "-c", "raise SystemExit(3)")
    assert verdict(read_run(str(log))).endswith("it ended with status 3")


def test_it_is_shown_beside_a_run_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, page = tmp_path / "uv.ndjson", tmp_path / "both.html"
    record(theirs, sys.executable, "-c", "pass  # <b>")
    ours = write_log(tmp_path / "ours.ndjson", whole_log(3))
    assert main(["report", str(ours), str(theirs), "--html", str(page), "--markdown"]) == 0
    text = page.read_text()
    assert "pass  # &lt;b&gt;" in text
    assert "pass  # <b>" not in text
    assert capsys.readouterr().out.count("## ✅") == 2
