"""What a run says to its reader first: what limited it, and what would help."""

from __future__ import annotations

from collections.abc import Iterator

from planner.runs.run import Run, WheelRun
from schemas.sizes import format_size
from schemas.text import counted, enumerate_some

__all__ = ["advise", "at_work_text", "error_lines", "verdict"]


_MUCH = 0.5
"""The part of the time from which an activity is what limits a run."""


_NEAR = 0.98
"""The part of a limit from which a peak touches it."""


_NEXT = {
    "waiting": "more lanes, or a mirror near by, would help",
    "writing": "a faster disk would help, or --durability kill where a power failure is no risk",
    "unpacking": "more or faster processors would help",
}


_ACTIVITIES = {"waiting": "waiting for the network", "unpacking": "unpacking", "writing": "writing"}


def verdict(run: Run) -> str:
    """Return how the run ended, as one sentence."""
    time = f"{run.seconds:.1f} s"
    if run.outcome == "killed":
        work = [at_work_text(wheel) for wheel in run.at_work()]
        where = f" while it was at {enumerate_some(work, 3)}" if work else ""
        if run.commit and run.commit[-1][0] in {"journal", "moves"}:
            where = " while it was changing the environment; the next run finishes that"
        return f"The log ends after {time} without an end: the run was killed{where}."
    if run.outcome == "failed":
        return f"Failed after {time}: {error_lines(run)[0]}"
    if run.is_other:
        return f"{run.label} took {time}."
    if run.command == "plan":
        return f"Planned in {time} with {counted(len(run.requests), 'request')}."
    if run.about.get("dry_run"):
        chosen = run.selected
        return (
            f"A dry run: it would install {counted(chosen.get('install', 0), 'package')}, remove "
            f"{chosen.get('remove', 0)}, and leave {chosen.get('unchanged', 0)} as they are."
        )
    installed = run.end.get("installed", len(run.complete()))
    return f"Installed {counted(installed, 'package')} in {time}."


def error_lines(run: Run) -> list[str]:
    """Return the error of a run that failed: a sentence, and what a program has said."""
    return str(run.end.get("error") or "").splitlines() or [""]


def at_work_text(wheel: WheelRun) -> str:
    """Return what a lane was doing with a wheel when the log ended."""
    name = f"{wheel.package} {wheel.version}"
    if wheel.state in {"begun", "waits"}:
        return f"{name} (waiting for its first byte)"
    if wheel.state == "reads" and wheel.size:
        return f"{name} ({wheel.read / wheel.size:.0%} of {format_size(wheel.size)} read)"
    return f"{name} ({wheel.state})"


def advise(run: Run) -> Iterator[str]:
    """Yield sentences: where the time went, how near the limit was, what would help."""
    if hint := run.end.get("hint"):
        yield f"{hint[:1].upper()}{hint[1:]}."
    if left := run.end.get("left"):
        yield f"{left[:1].upper()}{left[1:]}."
    yield from _of_time(run)
    yield from _of_memory(run)


def _of_time(run: Run) -> Iterator[str]:
    spent = run.spent
    if run.building:
        yield f"Builds took {run.building:.1f} s of a lane."
    if not (total := sum(spent.values())):
        return
    shares = ", ".join(f"{_ACTIVITIES[key]} {part / total:.0%}" for key, part in spent.items())
    yield f"Time of the lanes: {shares}."
    most = max(spent, key=lambda key: spent[key])
    lanes = run.budget.get("lanes", run.lanes)
    wanted = run.budget.get("wanted", lanes)
    more = run.budget.get("next_lane")
    if lanes < wanted and more:
        helps = most != "writing" or spent[most] / total < _MUCH
        yield (
            f"Memory allows {lanes} of {wanted} lanes; {format_size(more)} would allow one more"
            + ("." if helps else ", which would help little: the disk is what is waited for.")
        )
    elif spent[most] / total >= _MUCH and total > run.building:
        helps_then = _NEXT[most]
        if most == "unpacking" and lanes < int(run.about.get("processors") or lanes):
            helps_then = "one lane more would help, as there is a processor for it (--lanes)"
        yield f"Most of the time was {_ACTIVITIES[most]}: {helps_then}."


def _of_memory(run: Run) -> Iterator[str]:
    peak, limit = run.peak, run.limit_of_group
    if peak is None:
        return
    if limit is None:
        yield f"At most {format_size(peak)} ({run.peak_kind}); nothing limited the memory."
        return
    if not run.is_of_group:
        yield f"At most {format_size(peak)} of {format_size(limit)} ({run.peak_kind})."
        return
    text = f"At most {format_size(peak)} of {format_size(limit)} were charged"
    if peak >= limit * _NEAR and run.outcome == "killed":
        yield f"{text}: the limit was reached. If the kernel killed the run, give it more memory."
    elif peak >= limit * _NEAR:
        yield f"{text}: the kernel dropped page cache to stay below the limit, as it should."
    else:
        yield f"{text}."
