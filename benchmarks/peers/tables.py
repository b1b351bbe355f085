"""The results as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.installers import PATIENCE
from benchmarks.peers.runs import Record, Results, Run

__all__ = ["document"]

SECTIONS = {
    "peers": (
        "lockstream, uv and pip",
        "Locks of real packages, into environments made before, or by the tool if its row says so.",
    ),
    "durable": (
        "Until the files are on the disk",
        "As lockstream promises by default; `sync -f` writes what uv has left to the kernel.",
    ),
    "first": (
        "The first container on a machine",
        "With programs that no other process has in memory; in all other sections one has them.",
    ),
    "no-cache": (
        "uv without a cache",
        "The time of uv includes the removal of the cache that it makes all the same.",
    ),
    "charged": (
        "Charged without a limit",
        "The page cache that lockstream leaves if no limit makes the kernel reclaim it.",
    ),
    "latency": (
        "From far away",
        "Without a limit, through a relay that makes each round trip take so many milliseconds.",
    ),
    "narrow": (
        "From a server that is slow on each connection",
        "Without a limit; each connection brings 10 MB a second, round trips take 20 ms.",
    ),
    "secure": (
        "Over TLS",
        "Without a limit, from the same server with a handshake for each connection.",
    ),
    "slow-disk": (
        "On a slow disk",
        "ext4 on a loop device with direct I/O: pages that were written to are slow to reclaim.",
    ),
    "extremes": (
        "Extremes",
        "Synthetic wheels, without a limit: N packages, one file of N MiB, N files in a wheel.",
    ),
    "time": (
        "Where the time goes",
        "lockstream under perf(1), and what only writes the files: bsdtar from local wheels, cp.",
    ),
    "lanes": (
        "Lanes",
        "Trees of one lock, compared byte for byte and mode for mode, scripts and records too.",
    ),
}
"""Title and description of each section, in the order of the document."""

HEAD = (
    "| lock | limit | | completed | wall s | ratio | CPU s | RSS MiB | charged MiB | OOM kills |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def document(results: Results, plot: str) -> str:
    """All sections that were measured."""
    lines = ["# Benchmarks", "", f"![Memory over time, and by packages and wheel size]({plot})", ""]
    lines += [explanation(), "", *machines(results.records)]
    for section, (title, description) in SECTIONS.items():
        if records := results.of(section):
            lines += ["", f"## {title}", "", description, "", *HEAD]
            lines += [row for record in records for row in rows(record)]
            notes = [f"- {record.subject}, {note}" for record in records for note in record.notes]
            lines += ["", *notes] if notes else []
    return "\n".join([*lines, ""])


def explanation() -> str:
    return (
        "`make bench` writes this page. All tools fetch from a mirror on loopback, with a cold "
        "page cache and no download cache. Times and peaks are medians of the runs that "
        "completed, or of all if none did; CPU is user and system time, a ratio that to the "
        "first row of the same limit, by wall time. *RSS* is the peak of the largest process, "
        "*charged* what the kernel counts against the limit of a container: memory, page cache "
        f"and kernel slab of all processes. A run ends after {PATIENCE} s."
    )


def machines(records: Sequence[Record]) -> Iterator[str]:
    """Yield each machine, and if there are several, what was measured on it."""
    measured: dict[str, list[str]] = {}
    for record in records:
        measured.setdefault(record.machine, []).append(f"{record.section} {record.subject}")
    for machine, subjects in measured.items():
        yield f"- {machine}" + (f" {', '.join(subjects)}." if len(measured) > 1 else "")


def rows(record: Record) -> Iterator[str]:
    groups: dict[tuple[int | None, str], list[Run]] = {}
    for run in record.runs:
        groups.setdefault((run.limit, run.tool), []).append(run)
    limits = sorted({limit for limit, _ in groups}, key=lambda limit: -(limit or 1 << 60))
    for limit in limits:
        tools = {tool: group for (of, tool), group in groups.items() if of == limit}
        base = wall(next(iter(tools.values())))
        for tool, group in tools.items():
            place = (record.subject, f"{limit >> 20} MiB" if limit else "none", tool)
            yield f"| {' | '.join((*place, *cells(group, base)))} |"


def cells(runs: Sequence[Run], base: float | None) -> tuple[str, ...]:
    seconds = wall(runs)
    costs = [run.cost for run in runs if run.completed] or [run.cost for run in runs]
    return (
        f"{sum(run.completed for run in runs)} of {len(runs)}{failures(runs)}",
        "" if seconds is None else f"{seconds:.1f}",
        "" if seconds is None or base is None else f"{seconds / base:.2f}",
        f"{median(cost.user + cost.system for cost in costs):.1f}",
        f"{median(cost.rss_peak for cost in costs) / (1 << 20):.0f}",
        f"{median(cost.charged_peak for cost in costs) / (1 << 20):.0f}",
        str(sum(run.cost.oom_kills for run in runs)),
    )


def wall(runs: Sequence[Run]) -> float | None:
    """Seconds; None if no run completed."""
    seconds = [run.cost.wall for run in runs if run.completed]
    return median(seconds) if seconds else None


def failures(runs: Sequence[Run]) -> str:
    """What became of the runs that did not complete."""
    failed = [run for run in runs if not run.completed]
    late = sum(run.cost.timed_out for run in failed)
    killed = [run.cost.wall for run in failed if run.cost.oom_kills and not run.cost.timed_out]
    other = len(failed) - late - len(killed)
    parts = [
        f"{len(killed)} OOM-killed, after {median(killed):.0f} s" if killed else "",
        f"{late} not in time" if late else "",
        f"{other} failed" if other else "",
    ]
    details = "; ".join(filter(None, parts))
    return f" ({details})" if details else ""
